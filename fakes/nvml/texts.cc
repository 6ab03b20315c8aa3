// Texts about a board.
#include "fakes/nvml/board.h"

namespace gpustage::nvml {
namespace {

// The digits of a serial number, made of the UUID: 13 of them, as the recorded ones have.
nvmlReturn_t PutSerial(const Device& device, char* serial, unsigned int length) {
  Text<16> text;
  for (int i = 0; i < 13; ++i) text.Decimal(device.uuid[i] % 10);
  return PutText(serial, length, text.c_str());
}

// Nobody's for a board that was not recorded.
nvmlReturn_t PutRecorded(const Device& device, char* where, unsigned int length, const char* text) {
  return IsRecorded(device) ? PutText(where, length, text) : NVML_ERROR_NOT_SUPPORTED;
}

bool IsSerial(const Device& device, const char* serial) {
  char own[16];
  return PutSerial(device, own, sizeof(own)) == NVML_SUCCESS && world::Equal(own, serial);
}

nvmlReturn_t BySerial(const char* serial, nvmlDevice_t* device) {
  if (serial == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  for (unsigned int i = 0; i < DeviceCount(); ++i)
    if (IsSerial(*HandleAt(i)->device, serial)) return Put(device, HandleAt(i));
  return NVML_ERROR_NOT_FOUND;
}

}  // namespace
}  // namespace gpustage::nvml

using namespace gpustage::nvml;

extern "C" {

nvmlReturn_t nvmlDeviceGetSerial(nvmlDevice_t device, char* serial, unsigned int length) {
  return OnBoard(CALL(length), device, [&](const Device& d) {
    return IsGeForce(d) ? NVML_ERROR_NOT_SUPPORTED : PutSerial(d, serial, length);
  });
}

nvmlReturn_t nvmlDeviceGetHandleBySerial(const char* serial, nvmlDevice_t* device) {
  return AfterInit(CALL(serial), [&] { return BySerial(serial, device); });
}

nvmlReturn_t nvmlDeviceGetVbiosVersion(nvmlDevice_t device, char* version, unsigned int length) {
  return OnBoard(CALL(length), device, [&](const Device& d) {
    return PutRecorded(d, version, length, "96.00.CF.00.01");
  });
}

nvmlReturn_t nvmlDeviceGetBoardPartNumber(nvmlDevice_t device, char* number, unsigned int length) {
  return OnBoard(CALL(length), device, [&](const Device& d) {
    return PutRecorded(d, number, length, "692-2G520-0200-500");
  });
}

nvmlReturn_t nvmlDeviceGetInforomImageVersion(nvmlDevice_t device, char* version,
                                              unsigned int length) {
  return OnBoard(CALL(length), device, [&](const Device& d) {
    return PutRecorded(d, version, length, "G520.0200.00.05");
  });
}

// ECC and power objects have versions, the others are not there.
nvmlReturn_t nvmlDeviceGetInforomVersion(nvmlDevice_t device, int object, char* version,
                                         unsigned int length) {
  return OnBoard(CALL(object, length), device, [&](const Device&) -> nvmlReturn_t {
    if (object > 1) return NVML_ERROR_NOT_SUPPORTED;
    return PutText(version, length, object == 0 ? "2.1" : "7.16");
  });
}

// It is told no size, and the caller's is taken to be NVML_GSP_FIRMWARE_VERSION_BUF_SIZE.
nvmlReturn_t nvmlDeviceGetGspFirmwareVersion(nvmlDevice_t device, char* version) {
  return OnBoard(CALL(), device, [&](const Device&) {
    return PutText(version, 64, gpustage::world::Here().driver_version);
  });
}

nvmlReturn_t nvmlDeviceGetPgpuMetadataString(nvmlDevice_t device, char*, unsigned int* size) {
  return OnBoard(CALL(), device, [&](const Device&) -> nvmlReturn_t {
    return size == nullptr ? NVML_ERROR_INVALID_ARGUMENT : NVML_ERROR_NOT_SUPPORTED;
  });
}
}
