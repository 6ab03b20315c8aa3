// Clocks, temperatures, fans and power.
#include "fakes/nvml/board.h"

namespace gpustage::nvml {
namespace {

enum Clock { kGraphics = 0, kProcessor = 1, kMemory = 2, kVideo = 3, kClockCount = 4 };
// Assumed where it is not published: that of the processor.
unsigned int MaxClock(const Device& device, int clock) {
  if (clock == kVideo && HasFigure(device, BoardFigure::kVideoClock))
    return FigureOf(device, BoardFigure::kVideoClock);
  return clock == kMemory ? MemoryClock(device) : ProcessorClock(device);
}

// Up to `last` a clock has a figure; above it there is none, and 0 is written.
nvmlReturn_t PutClock(const Device& device, int clock, int last, unsigned int* mhz) {
  if (mhz == nullptr || clock < 0 || clock >= kClockCount) return NVML_ERROR_INVALID_ARGUMENT;
  *mhz = clock <= last ? MaxClock(device, clock) : 0;
  return clock <= last ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
}

nvmlReturn_t PutCurrentClock(const Device& device, int clock, unsigned int* mhz) {
  if (mhz != nullptr && clock >= kClockCount) return NVML_ERROR_NOT_SUPPORTED;
  return PutClock(device, clock, kVideo, mhz);
}

// The fastest and the slower of the two memory clocks that the recorded boards have.
nvmlReturn_t PutMemoryClocks(const Device& device, unsigned int* count, unsigned int* clocks) {
  if (count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  const bool fits = *count >= 2 && clocks != nullptr;
  *count = 2;
  if (!fits) return NVML_ERROR_INSUFFICIENT_SIZE;
  clocks[0] = MemoryClock(device);
  clocks[1] = IsH200(device) ? 2201 : 1593;
  return NVML_SUCCESS;
}

// Degrees by nvmlTemperatureThresholds_t: shutdown, slowdown, memory's and GPU's maximum.
nvmlReturn_t PutThreshold(const Device& device, int threshold, unsigned int* degrees) {
  static constexpr BoardFigure kFigures[] = {BoardFigure::kShutdown, BoardFigure::kSlowdown,
                                             BoardFigure::kMemoryMost, BoardFigure::kGpuMost};
  if (degrees == nullptr || threshold < 0 || threshold > 7) return NVML_ERROR_INVALID_ARGUMENT;
  if (threshold > 3 || !HasFigure(device, kFigures[threshold])) return NVML_ERROR_NOT_SUPPORTED;
  *degrees = FigureOf(device, kFigures[threshold]);
  return NVML_SUCCESS;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int type, unsigned int* mhz) {
  return OnBoard(CALL(type), device,
                 [&](const Device& d) { return PutCurrentClock(d, type, mhz); });
}
nvmlReturn_t nvmlDeviceGetClock(nvmlDevice_t device, int type, int id, unsigned int* mhz) {
  return OnBoard(CALL(type, id), device,
                 [&](const Device& d) { return PutCurrentClock(d, type, mhz); });
}
nvmlReturn_t nvmlDeviceGetMaxClockInfo(nvmlDevice_t device, int type, unsigned int* mhz) {
  return OnBoard(CALL(type), device,
                 [&](const Device& d) { return PutClock(d, type, kVideo, mhz); });
}
nvmlReturn_t nvmlDeviceGetApplicationsClock(nvmlDevice_t device, int type, unsigned int* mhz) {
  return OnBoard(CALL(type), device,
                 [&](const Device& d) { return PutClock(d, type, kMemory, mhz); });
}
nvmlReturn_t nvmlDeviceGetDefaultApplicationsClock(nvmlDevice_t device, int type,
                                                   unsigned int* mhz) {
  return OnBoard(CALL(type), device,
                 [&](const Device& d) { return PutClock(d, type, kMemory, mhz); });
}
nvmlReturn_t nvmlDeviceGetMaxCustomerBoostClock(nvmlDevice_t device, int type, unsigned int* mhz) {
  return OnBoard(CALL(type), device,
                 [&](const Device& d) { return PutClock(d, type, kProcessor, mhz); });
}

nvmlReturn_t nvmlDeviceGetSupportedMemoryClocks(nvmlDevice_t device, unsigned int* count,
                                                unsigned int* clocks) {
  return OnBoard(CALL(), device,
                 [&](const Device& d) { return PutMemoryClocks(d, count, clocks); });
}

nvmlReturn_t nvmlDeviceGetSupportedGraphicsClocks(nvmlDevice_t device, unsigned int memory_clock,
                                                  unsigned int* count, unsigned int* clocks) {
  return OnBoard(CALL(memory_clock), device, [&](const Device& d) -> nvmlReturn_t {
    if (memory_clock != MemoryClock(d) || count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    const bool fits = *count >= 1 && clocks != nullptr;
    *count = 1;
    if (!fits) return NVML_ERROR_INSUFFICIENT_SIZE;
    clocks[0] = ProcessorClock(d);
    return NVML_SUCCESS;
  });
}

nvmlReturn_t nvmlDeviceGetMinMaxClockOfPState(nvmlDevice_t device, int type, int state,
                                              unsigned int* least, unsigned int* most) {
  return OnBoard(CALL(type, state), device, [&](const Device& d) {
    return PutTwo(least, most, type == kMemory ? MemoryClock(d) : 345, MaxClock(d, type));
  });
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned int* degrees) {
  return OnBoard(CALL(sensor), device, [&](const Device&) -> nvmlReturn_t {
    return sensor != 0 ? NVML_ERROR_INVALID_ARGUMENT : Put(degrees, kTemperature);
  });
}

nvmlReturn_t nvmlDeviceGetTemperatureThreshold(nvmlDevice_t device, int threshold,
                                               unsigned int* degrees) {
  return OnBoard(CALL(threshold), device,
                 [&](const Device& d) { return PutThreshold(d, threshold, degrees); });
}

nvmlReturn_t nvmlDeviceGetThermalSettings(nvmlDevice_t device, unsigned int sensor, void* out) {
  return OnBoard(CALL(sensor), device, [&](const Device&) -> nvmlReturn_t {
    if (out == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
    memset(out, 0, 4);  // its number of sensors
    return NVML_SUCCESS;
  });
}

nvmlReturn_t nvmlDeviceGetFanSpeed_v2(nvmlDevice_t device, unsigned int fan, unsigned int*) {
  return OnBoard(CALL(fan), device, [](const Device&) { return NVML_ERROR_INVALID_ARGUMENT; });
}

nvmlReturn_t nvmlDeviceGetMinMaxFanSpeed(nvmlDevice_t device, unsigned int*, unsigned int*) {
  return OnBoard(CALL(), device, [](const Device&) { return NVML_ERROR_INVALID_ARGUMENT; });
}

nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device, unsigned int* least,
                                                          unsigned int* most) {
  return OnFigure(CALL(), device, BoardFigure::kLeastPowerLimit, [&](const Device& d) {
    return PutTwo(least, most, FigureOf(d, BoardFigure::kLeastPowerLimit),
                  FigureOf(d, BoardFigure::kMostPowerLimit));
  });
}
}
