#include "fakes/world/pci.h"

namespace gpustage::world {
namespace {

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool ReadNumber(const char*& text, uint64_t* number) {
  if (Digit(*text) < 0) return false;
  for (*number = 0; Digit(*text) >= 0; ++text)
    *number = *number * 16 + static_cast<uint64_t>(Digit(*text));
  return true;
}

bool Skip(const char*& text, char c) {
  if (*text != c) return false;
  ++text;
  return true;
}

}  // namespace

bool ReadPciAddress(const char* text, PciAddress* address) {
  while (*text == ' ' || (*text >= '\t' && *text <= '\r')) ++text;
  uint64_t numbers[3] = {};
  int count = 0;
  do {
    if (!ReadNumber(text, &numbers[count])) return false;
    ++count;
  } while (count < 3 && Skip(text, ':'));
  const bool has_function = Skip(text, '.');
  if (has_function && !ReadNumber(text, &address->function)) return false;
  if (*text != '\0' || count < 2 || (count == 2 && !has_function)) return false;
  address->domain = count == 3 ? numbers[0] : 0;
  address->bus = numbers[count - 2];
  address->device = numbers[count - 1];
  if (!has_function) address->function = 0;
  return true;
}

bool IsAt(const Device& device, const PciAddress& address) {
  return device.pci_domain == address.domain && device.pci_bus == address.bus &&
         device.pci_device == address.device && address.function == 0;
}

}  // namespace gpustage::world
