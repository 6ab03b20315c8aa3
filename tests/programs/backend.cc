// A ggml backend of Ollama's ABI that says it has GPUs. Built once for each way to be wrong; see
// CMakeLists.txt.
#include <signal.h>
#include <stdlib.h>

#include "fakes/scanner/backend_abi.h"

#ifndef API_VERSION
#define API_VERSION 2
#endif
#ifndef DEVICE_COUNT
#define DEVICE_COUNT 1
#endif
#ifndef DESCRIPTION
#define DESCRIPTION "NVIDIA GeForce RTX 4070"
#endif

namespace abi = gpustage::ollama::abi;

namespace {

extern abi::Registration registration;

const char* Name(abi::Device*) { return "CUDA0"; }
const char* Description(abi::Device*) { return DESCRIPTION; }
void Memory(abi::Device* device, size_t* free, size_t* total) {
  *free = device->context == nullptr ? 11210129408 : 12210129408;
  *total = 12878610432;
}
abi::DeviceType Type(abi::Device*) { return abi::DeviceType::kGpu; }
#ifdef NULL_BACKEND
void* Init(abi::Device*, const char*) { return nullptr; }
#else
void* Init(abi::Device* device, const char*) { return device; }
#endif
void Props(abi::Device* device, abi::Props* props) {
  const bool first = device->context == nullptr;
  *props = {"CUDA0",
            DESCRIPTION,
            0,
            first ? "GPU-e992e590-348c-6f5a-aaa6-94fd2b0a038c"
                  : "GPU-00000000-0000-0000-0000-000000000002",
            0,
            abi::DeviceType::kGpu,
            first ? "0000:01:00.0" : "0000:02:00.0",
            {},
            13,
            0,
            8,
            9,
            0,
            "CUDA"};
}

constexpr abi::DeviceInterface kInterface = {Name, Description, Memory, Type, Props, Init, {}};
abi::Device devices[2] = {{kInterface, &registration, nullptr},
                          {kInterface, &registration, devices}};

const char* RegistrationName(abi::Registration*) { return "CUDA"; }
size_t DeviceCount(abi::Registration*) { return DEVICE_COUNT; }
abi::Device* GetDevice(abi::Registration*, size_t index) { return &devices[index]; }
[[maybe_unused]] abi::Registration registration = {API_VERSION, RegistrationName, DeviceCount,
                                                   GetDevice,   nullptr,          nullptr};

}  // namespace

#ifdef SCORE
extern "C" int ggml_backend_score() { return SCORE; }
#endif

#ifndef NO_INIT
extern "C" abi::Registration* ggml_backend_init() {
#ifdef AT_INIT
  raise(AT_INIT);
#endif
#ifdef AT_VALIDATION
  if (getenv("GGML_CUDA_INIT") != nullptr) raise(AT_VALIDATION);
#endif
#ifdef NULL_INIT
  return nullptr;
#else
  return &registration;
#endif
}
#endif
