#include "harness/evidence/path/device_id.h"

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

std::optional<Reason> FieldsInUuid(const std::string& uuid) {
  const auto bytes = Bytes(uuid);
  if (!bytes) return std::nullopt;
  uint64_t memory, second;
  std::memcpy(&memory, bytes->data(), 8);
  std::memcpy(&second, bytes->data() + 8, 8);
  if (!IsMemorySize(memory)) return std::nullopt;
  Reason fields = {.other = uuid, .number = static_cast<int64_t>(memory)};
  // In the real struct sharedMemPerBlock follows the memory; in one that people wrote from memory,
  // major and minor do.
  if (second % 1024 == 0 && second >= 16 * 1024 && second <= 256 * 1024) {
    fields.kind = Reason::Kind::kMemoryAndShared;
    fields.names = {std::to_string(second)};
    return fields;
  }
  const uint32_t major = static_cast<uint32_t>(second), minor = static_cast<uint32_t>(second >> 32);
  if (major < 1 || major > 20 || minor > 9) return std::nullopt;
  fields.kind = Reason::Kind::kMemoryAndCompute;
  fields.names = {std::to_string(major), std::to_string(minor)};
  return fields;
}

std::optional<Reason> FieldsInPciId(const std::string& pci_id) {
  static const RE2 address(R"(([0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(\.[0-7])?)");
  static const RE2 three(R"(([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)(\.0?)?)");
  if (pci_id.empty() || RE2::FullMatch(pci_id, address)) return std::nullopt;
  std::string domain, bus, device;
  // 32 bytes further on, where uuid and luid were left out, stand the cache and the threads.
  if (RE2::FullMatch(pci_id, three, &domain, &bus, &device)) {
    const uint64_t cache = Hex(bus), threads = Hex(domain);
    if (cache >= kMiB / 2 && cache <= 1024 * kMiB && cache % (kMiB / 4) == 0 && threads >= 512 &&
        threads <= 4096)
      return Reason{.kind = Reason::Kind::kCacheAndThreads,
                    .other = pci_id,
                    .names = {std::to_string(cache), std::to_string(threads)}};
  }
  // ggml prints 15 characters of it.
  return Reason{.kind = pci_id.size() == 15 ? Reason::Kind::kStackBytes : Reason::Kind::kNoAddress,
                .other = pci_id};
}

}  // namespace gpustage
