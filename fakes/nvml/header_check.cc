// Holds api.h and the structs to NVIDIA's nvml.h, where it is installed. Compiled, never linked.
#define NVML_NO_UNVERSIONED_FUNC_DEFS  // also the functions that the header maps to newer ones
#include <nvml.h>

#define DECLARED(name) static_assert(sizeof(decltype(&::name)) != 0);
#include GPUSTAGE_DECLARED

#define GPUSTAGE_HEADER_CHECK
#include <cstddef>

#include "fakes/nvml/api.h"

static_assert(sizeof(nvmlMemory_t) == 24 && offsetof(nvmlMemory_t, used) == 16);
static_assert(nvmlMemory_v2 == (sizeof(nvmlMemory_v2_t) | 2u << 24));
static_assert(sizeof(nvmlMemory_v2_t) == 40 && offsetof(nvmlMemory_v2_t, reserved) == 16);
static_assert(offsetof(nvmlMemory_v2_t, free) == 24 && offsetof(nvmlMemory_v2_t, used) == 32);
static_assert(sizeof(nvmlPciInfo_t) == 68 && offsetof(nvmlPciInfo_t, domain) == 16);
static_assert(offsetof(nvmlPciInfo_t, pciDeviceId) == 28 && offsetof(nvmlPciInfo_t, busId) == 36);
