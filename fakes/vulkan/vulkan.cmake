# Vulkan drivers (ICDs): one source, a library a driver. Its profiles are data of fixtures/vulkan that a compiler lays out, with
# the structs of vulkan_core.h.
find_path(GPUSTAGE_VULKAN_HEADERS vulkan/vulkan_core.h)
# A fake that could not be built says why to those who ask for it: their cases are skipped.
file(MAKE_DIRECTORY ${FAKES_DIR})
foreach(fake vulkan-nvidia vulkan-radv vulkan-amdvlk vulkan-anv vulkan-nvk vulkan-venus vulkan-lavapipe
        nvidia-glcore nvidia-glsi nvidia-tls nvidia-gpucomp x11 xext egl)
  if(GPUSTAGE_VULKAN_HEADERS)
    file(REMOVE ${FAKES_DIR}/${fake}.missing)
  else()
    file(WRITE ${FAKES_DIR}/${fake}.missing "the fake ${fake} was built without vulkan/vulkan_core.h (libvulkan-dev)")
  endif()
endforeach()
if(NOT GPUSTAGE_VULKAN_HEADERS)
  message(STATUS "  no vulkan/vulkan_core.h (libvulkan-dev): no fakes of Vulkan drivers")
  return()
endif()
add_executable(compile_vulkan_profiles vulkan/compile/main.cc)
target_link_libraries(compile_vulkan_profiles PRIVATE house_rules)
target_compile_options(compile_vulkan_profiles PRIVATE -O0)  # it runs for a blink

# What NVIDIA's needs and never calls in a program without a window. The order is that in which the real one's were opened; those of X11
# were loaded before, and come last.
set(driver_version 580.159.04)
foreach(shell nvidia-glsi:libnvidia-glsi.so.${driver_version} nvidia-tls:libnvidia-tls.so.${driver_version}
        nvidia-gpucomp:libnvidia-gpucomp.so.${driver_version} x11:libX11.so.6 xext:libXext.so.6 egl:libEGL.so.1)
  string(REPLACE ":" ";" shell ${shell})
  list(POP_FRONT shell name soname)
  fake_library(${name}
    SONAME ${soname}
    EXPORTS ${CMAKE_CURRENT_SOURCE_DIR}/vulkan/shell-exports.txt
    SOURCES vulkan/shell.cc)
endforeach()
fake_library(nvidia-glcore
  SONAME libnvidia-glcore.so.${driver_version}
  EXPORTS ${CMAKE_CURRENT_SOURCE_DIR}/vulkan/shell-exports.txt
  SOURCES vulkan/shell.cc
  NEEDS nvidia-gpucomp)

# fake_vulkan(DRIVER SONAME vendor of its GPUs (0: the processor) NVIDIA's own (0 or 1) [sibling fakes that it needs])
function(fake_vulkan driver soname vendor nvidia)
  file(GLOB profiles CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fixtures/vulkan/${driver}/*.json)
  file(GLOB recordings CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fixtures/recordings/*/*-vulkan-profile.json
    ${PROJECT_SOURCE_DIR}/fixtures/recordings/*/*.vulkan.conformance.txt)
  set(tables ${CMAKE_CURRENT_BINARY_DIR}/vulkan-${driver}.profiles.c)
  add_custom_command(
    OUTPUT ${tables}
    COMMAND compile_vulkan_profiles ${tables} ${GPUSTAGE_VULKAN_HEADERS}/vulkan/vulkan_core.h
            ${PROJECT_SOURCE_DIR}/fixtures/recordings ${profiles}
    DEPENDS compile_vulkan_profiles ${profiles} ${recordings}
    VERBATIM)
  fake_library(vulkan-${driver}
    SONAME ${soname}
    EXPORTS ${CMAKE_CURRENT_SOURCE_DIR}/vulkan/exports.txt
    SOURCES ${tables} vulkan/commands.c vulkan/device.cc vulkan/formats.cc vulkan/instance.cc vulkan/loader.cc vulkan/machine.cc
            vulkan/memory.cc vulkan/physical_device.cc vulkan/queue.cc vulkan/work.cc
    NEEDS ${ARGN}
    DEFINES GPUSTAGE_VULKAN_VENDOR=${vendor} GPUSTAGE_VULKAN_NVIDIA=${nvidia})
  target_include_directories(fake_vulkan-${driver} SYSTEM PRIVATE ${GPUSTAGE_VULKAN_HEADERS})
endfunction()
fake_vulkan(nvidia libGLX_nvidia.so.0 0x10de 1 nvidia-glsi nvidia-tls nvidia-glcore x11 xext)
fake_vulkan(radv libvulkan_radeon.so 0x1002 0)
fake_vulkan(amdvlk amdvlk64.so 0x1002 0)
fake_vulkan(anv libvulkan_intel.so 0x8086 0)
fake_vulkan(nvk libvulkan_nouveau.so 0x10de 0)
fake_vulkan(venus libvulkan_virtio.so 0x1af4 0)
fake_vulkan(lavapipe libvulkan_lvp.so 0 0)
