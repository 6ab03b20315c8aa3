// Functions that answer one number about a device.
#include "fakes/nvml/board.h"

namespace gpustage::nvml {
namespace {

// NVML_DEVICE_ARCH_*; the recorded ones are 9.
unsigned int Architecture(const Device& device) {
  switch (device.prop_cc_major) {
    case 5: return 3;
    case 6: return 4;
    case 7: return device.prop_cc_minor >= 5 ? 6 : 5;
    case 8: return device.prop_cc_minor == 9 ? 8 : device.prop_cc_minor == 7 ? 11 : 7;
    case 9: return 9;
    default: return 10;
  }
}

// By compute capability, from the CUDA programming guide.
unsigned int CoreCount(const Device& device) {
  const int major = device.prop_cc_major, minor = device.prop_cc_minor;
  const int each =
      (major == 6 && minor == 0) || major == 7 || (major == 8 && minor == 0) ? 64 : 128;
  return static_cast<unsigned int>(device.sm_count * each);
}

constexpr unsigned int kBrandGeForce = 5, kBrandNvidia = 14;

unsigned int Brand(const Device& device) {
  return strstr(device.name, "GeForce") != nullptr ? kBrandGeForce : kBrandNvidia;
}

unsigned int BoardId(const Device& device) {
  return device.pci_domain << 16 | device.pci_bus << 8 | device.pci_device;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

#define NUMBER(name, type, value)                                                         \
  nvmlReturn_t name(nvmlDevice_t device, type* number) {                                  \
    return OnBoard(CALL(), device,                                                        \
                   [&]([[maybe_unused]] const Device& d) { return Put(number, value); }); \
  }
#define REFUSED(name, code)                                             \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int* number) {        \
    return OnBoard(CALL(), device, [&](const Device&) -> nvmlReturn_t { \
      return number == nullptr ? NVML_ERROR_INVALID_ARGUMENT : code;    \
    });                                                                 \
  }
#define FIGURE(name, of, value)                                                  \
  nvmlReturn_t name(nvmlDevice_t device, unsigned int* number) {                 \
    return OnFigure(CALL(), device, BoardFigure::of, [&](const Device& d) {      \
      [[maybe_unused]] const unsigned int figure = FigureOf(d, BoardFigure::of); \
      return Put(number, value);                                                 \
    });                                                                          \
  }
#include "fakes/nvml/numbers.inc"
#undef FIGURE
#undef NUMBER
#undef REFUSED

nvmlReturn_t nvmlDeviceValidateInforom(nvmlDevice_t device) {
  return OnBoard(CALL(), device, [](const Device&) { return NVML_SUCCESS; });
}
}
