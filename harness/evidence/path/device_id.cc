#include "harness/evidence/path/device_id.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <charconv>
#include <cstring>

namespace gpustage {
namespace {

constexpr uint64_t kMiB = 1 << 20, kGiB = 1 << 30;

uint64_t Hex(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// Sixteen bytes of "GPU-00000000-1400-0000-0900-000000000000".
std::optional<std::array<uint8_t, 16>> Bytes(const std::string& uuid) {
  std::string digits;
  for (const char c : uuid.starts_with("GPU-") ? uuid.substr(4) : uuid)
    if (c != '-') digits += c;
  if (digits.size() != 32 ||
      digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    return std::nullopt;
  std::array<uint8_t, 16> bytes;
  for (size_t i = 0; i < 16; ++i) bytes[i] = static_cast<uint8_t>(Hex(digits.substr(2 * i, 2)));
  return bytes;
}

bool IsMemorySize(uint64_t bytes) {
  return bytes >= 256 * kMiB && bytes <= 4096 * kGiB && bytes % 4096 == 0;
}

}  // namespace

std::optional<std::string> FieldsInUuid(const std::string& uuid) {
  const auto bytes = Bytes(uuid);
  if (!bytes) return std::nullopt;
  uint64_t memory, second;
  std::memcpy(&memory, bytes->data(), 8);
  std::memcpy(&second, bytes->data() + 8, 8);
  if (!IsMemorySize(memory)) return std::nullopt;
  const std::string total =
      fmt::format("totalGlobalMem {:.1f} GiB", static_cast<double>(memory) / kGiB);
  // In the real struct sharedMemPerBlock follows the memory; in one that people wrote from memory,
  // major and minor do.
  if (second % 1024 == 0 && second >= 16 * 1024 && second <= 256 * 1024)
    return fmt::format("{}, sharedMemPerBlock {}", total, second);
  const uint32_t major = static_cast<uint32_t>(second), minor = static_cast<uint32_t>(second >> 32);
  if (major >= 1 && major <= 20 && minor <= 9)
    return fmt::format("{}, major {}, minor {}", total, major, minor);
  return std::nullopt;
}

std::optional<std::string> FieldsInPciId(const std::string& pci_id) {
  static const RE2 address(R"(([0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(\.[0-7])?)");
  static const RE2 three(R"(([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)(\.0?)?)");
  if (pci_id.empty() || RE2::FullMatch(pci_id, address)) return std::nullopt;
  std::string domain, bus, device;
  // 32 bytes further on, where uuid and luid were left out, stand the cache and the threads.
  if (RE2::FullMatch(pci_id, three, &domain, &bus, &device)) {
    const uint64_t cache = Hex(bus), threads = Hex(domain);
    if (cache >= kMiB / 2 && cache <= 1024 * kMiB && cache % (kMiB / 4) == 0 && threads >= 512 &&
        threads <= 4096)
      return fmt::format("l2CacheSize {} and maxThreadsPerMultiProcessor {}", cache, threads);
  }
  return pci_id.size() == 15
             ? "stack bytes behind the end of the struct, cut to 15 characters as ggml prints them"
             : "no such address";
}

}  // namespace gpustage
