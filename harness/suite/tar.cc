#include "harness/suite/tar.h"

#include <fmt/format.h>

#include <cstring>

namespace gpustage {
namespace {

constexpr size_t kBlock = 512;

// POSIX.1-1988's header; what does not fit into its fields is an error.
struct Header {
  char name[100], mode[8], uid[8], gid[8], size[12], time[12], checksum[8], kind[1], link[100],
      magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
static_assert(sizeof(Header) == kBlock);

template <size_t N>
void Put(char (&field)[N], const std::string& text) {
  std::memcpy(field, text.data(), std::min(text.size(), N));
}

// A long path is divided at a '/', into two fields.
bool PutPath(Header& header, const std::string& path) {
  if (path.size() <= sizeof header.name) {
    Put(header.name, path);
    return true;
  }
  const size_t slash = path.find('/', path.size() - sizeof header.name - 1);
  if (slash == std::string::npos || slash > sizeof header.prefix) return false;
  Put(header.prefix, path.substr(0, slash));
  Put(header.name, path.substr(slash + 1));
  return true;
}

}  // namespace

Result<std::string> TarOf(const std::map<std::string, TarFile>& files) {
  std::string tar;
  for (const auto& [path, file] : files) {
    Header header = {};
    if (!PutPath(header, path))
      return Error{fmt::format("the path is too long for a pack: {}", path)};
    if (file.content.size() >= size_t{8} << 30)
      return Error{fmt::format("{} is too large for a pack", path)};
    Put(header.mode, file.executable ? "0000755" : "0000644");
    Put(header.uid, "0000000");
    Put(header.gid, "0000000");
    Put(header.size, fmt::format("{:011o}", file.content.size()));
    Put(header.time, "00000000000");
    Put(header.kind, "0");
    Put(header.magic, "ustar");
    Put(header.version, "00");
    Put(header.checksum, "        ");
    unsigned sum = 0;
    char bytes[kBlock];
    std::memcpy(bytes, &header, kBlock);
    for (const char byte : bytes) sum += static_cast<unsigned char>(byte);
    Put(header.checksum, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    tar.append(reinterpret_cast<const char*>(&header), kBlock);
    tar += file.content;
    tar.append((kBlock - file.content.size() % kBlock) % kBlock, '\0');
  }
  tar.append(2 * kBlock, '\0');
  return tar;
}

}  // namespace gpustage
