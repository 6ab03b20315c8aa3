# AMD's libraries, of ROCm 5.2, 6.3 and 7.2: HSA, HIP, what stands on them, and the management libraries.
#
# libhsa-runtime64 has one SONAME in all: that of 5.2 knows fewer targets. A library of one ROCm may meet another's in a tree.
set(FAKES_AMD ${CMAKE_CURRENT_SOURCE_DIR})
foreach(major 5 6)
  fake_library(hsa-${major}
    SONAME libhsa-runtime64.so.1
    NODE ROCR_1
    EXPORTS ${FAKES_AMD}/hsa/exports-${major}.txt
    SOURCES amd/topology.cc hsa/agent_info.cc hsa/find.cc hsa/runtime.cc
    DEFINES GPUSTAGE_ROCM_MAJOR=${major})
endforeach()
foreach(rocm 5:5:librocblas.so.0:libhipblas.so.0 6:6:librocblas.so.4:libhipblas.so.2 7:6:librocblas.so.5:libhipblas.so.3)
  string(REPLACE ":" ";" rocm ${rocm})
  list(POP_FRONT rocm major hsa rocblas hipblas)
  fake_library(hip-${major}
    SONAME libamdhip64.so.${major}
    EXPORTS ${FAKES_AMD}/hip/exports-${major}.txt
    SOURCES amd/topology.cc hip/device.cc hip/memory.cc hip/runtime.cc hip/work.cc
    NEEDS hsa-${hsa}
    RUNPATH $ORIGIN
    DEFINES GPUSTAGE_ROCM_MAJOR=${major})
  fake_library(rocblas-${major}
    SONAME ${rocblas}
    EXPORTS ${FAKES_AMD}/rocblas/rocblas-exports.txt
    SOURCES rocblas/rocblas.cc
    NEEDS hip-${major}
    RUNPATH $ORIGIN
    DEFINES GPUSTAGE_ROCM_MAJOR=${major})
  fake_library(hipblas-${major}
    SONAME ${hipblas}
    EXPORTS ${FAKES_AMD}/rocblas/hipblas-exports.txt
    SOURCES rocblas/hipblas.cc
    NEEDS rocblas-${major} hip-${major}
    RUNPATH $ORIGIN
    DEFINES GPUSTAGE_ROCM_MAJOR=${major})
  foreach(variant upstream:0 ollama:1)
    string(REPLACE ":" ";" variant ${variant})
    list(POP_FRONT variant name is_ollama)
    if(is_ollama AND major EQUAL 5)
      continue()
    endif()
    set(runpath "$ORIGIN:")
    if(is_ollama)
      set(runpath "")
    endif()
    fake_library(ggml-hip-${name}-${major}
      EXPORTS ${FAKES_AMD}/ggml/exports-cuda.txt
      SOURCES ggml/cuda_backend.cc ggml/hip_devices.cc
      NEEDS ggml-base-${name} hip-${major} hipblas-${major} rocblas-${major}
      RUNPATH "${runpath}"
      DEFINES GPUSTAGE_GGML_OLLAMA=${is_ollama} GPUSTAGE_GGML_HIP=1 GPUSTAGE_ROCM_MAJOR=${major})
  endforeach()
endforeach()

fake_library(rocm-smi
  SONAME librocm_smi64.so.1
  EXPORTS ${FAKES_AMD}/smi/rsmi-exports.txt
  SOURCES amd/topology.cc smi/cards.cc smi/rocm_smi.cc)
fake_library(amd-smi
  SONAME libamd_smi.so.26
  EXPORTS ${FAKES_AMD}/smi/amdsmi-exports.txt
  SOURCES amd/topology.cc smi/amd_smi.cc smi/cards.cc)
