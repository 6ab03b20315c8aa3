# GPUSTAGE_CUDA_TOOLKIT: ON when a CUDA Toolkit 13 is here with headers and both runtimes (CUDA::cudart, CUDA::cudart_static,
# CUDAToolkit_INCLUDE_DIRS). An installed one is preferred to the one that `harness/dev real` makes of NVIDIA's wheels.
# The fakes' declarations follow the headers of CUDA 13, so an older toolkit is none.

if(DEFINED ENV{GPUSTAGE_CACHE})
  set(gpustage_cache_here $ENV{GPUSTAGE_CACHE})
else()
  set(gpustage_cache_here $ENV{HOME}/.cache/gpustage)
endif()
set(GPUSTAGE_CACHE ${gpustage_cache_here} CACHE PATH "Where harness/dev keeps what it fetches")

# Looks in CUDAToolkit_ROOT if that is given. A function, so that a search that failed leaves no variable to the next.
function(gpustage_find_toolkit)
  # CMake 3.25 sets a property of CUDA::nvToolsExt for projects of its own version, and CUDA 13 has no nvToolsExt.
  set(CMAKE_MINIMUM_REQUIRED_VERSION 3.24)
  find_package(CUDAToolkit 13.0 QUIET)
  if(CUDAToolkit_FOUND AND TARGET CUDA::cudart AND TARGET CUDA::cudart_static
     AND EXISTS ${CUDAToolkit_INCLUDE_DIRS}/cuda.h AND EXISTS ${CUDAToolkit_INCLUDE_DIRS}/crt/host_config.h)
    set(GPUSTAGE_CUDA_TOOLKIT ON PARENT_SCOPE)
    set(CUDAToolkit_VERSION ${CUDAToolkit_VERSION} PARENT_SCOPE)
    set(CUDAToolkit_INCLUDE_DIRS ${CUDAToolkit_INCLUDE_DIRS} PARENT_SCOPE)
  else()
    foreach(found CUDAToolkit_NVCC_EXECUTABLE CUDAToolkit_SENTINEL_FILE CUDAToolkit_BIN_DIR CUDA_CUDART)
      unset(${found} CACHE)
    endforeach()
  endif()
endfunction()

set(GPUSTAGE_CUDA_TOOLKIT OFF)
gpustage_find_toolkit()
if(NOT GPUSTAGE_CUDA_TOOLKIT AND NOT TARGET CUDA::cudart AND EXISTS ${GPUSTAGE_CACHE}/cuda-13/version.txt)
  set(CUDAToolkit_ROOT ${GPUSTAGE_CACHE}/cuda-13)
  gpustage_find_toolkit()
  unset(CUDAToolkit_ROOT)
endif()

message(STATUS "gpustage ${PROJECT_VERSION}, ${CMAKE_BUILD_TYPE}, sanitizers ${GPUSTAGE_SANITIZE}")
if(GPUSTAGE_CUDA_TOOLKIT)
  message(STATUS "  CUDA Toolkit ${CUDAToolkit_VERSION}: ${CUDAToolkit_INCLUDE_DIRS}")
  if(NOT EXISTS ${CUDAToolkit_INCLUDE_DIRS}/nvml.h)
    message(STATUS "    without nvml.h: the declarations of the fake NVML are not checked")
  endif()
else()
  message(STATUS "  CUDA Toolkit 13: none. Off without it: the check of the fakes' declarations against its headers, and "
                 "tests/subjects/device_count. `harness/dev real` fetches one")
endif()
