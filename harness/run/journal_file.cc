#include "harness/run/journal_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fakes/world/format.h"
#include "harness/base/files.h"
#include "harness/stage/library_image.h"
#include "harness/stage/world_file.h"

namespace gpustage {

Status MakeJournal(const Root& root) {
  world::JournalHeader header = {};
  std::memcpy(header.magic, world::kJournalMagic, sizeof header.magic);
  header.version = world::kJournalVersion;
  header.capacity = kJournalCapacity;
  TRY(root.WriteFile(kJournalPath, {reinterpret_cast<const char*>(&header), sizeof header}, 0666));
  const Fd fd = root.At(kJournalPath, O_WRONLY);
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(sizeof header + kJournalCapacity)) != 0)
    return Error{fmt::format("cannot make the journal: {}", std::strerror(errno))};
  return Ok();
}

Result<std::string> ReadJournal(const Root& root) {
  const Fd fd = root.At(kJournalPath, O_RDONLY);
  world::JournalHeader header;
  if (!fd || read(fd.get(), &header, sizeof header) != static_cast<ssize_t>(sizeof header))
    return Error{fmt::format("cannot read the journal: {}", std::strerror(errno))};
  std::string bytes(sizeof header + std::min(header.next, kJournalCapacity), '\0');
  const ssize_t n = pread(fd.get(), bytes.data(), bytes.size(), 0);
  if (n < 0) return Error{fmt::format("cannot read the journal: {}", std::strerror(errno))};
  bytes.resize(static_cast<size_t>(n));
  return bytes;
}

Status PlaceAudit(const Root& root, const std::string& library) {
  TRY(std::string image, gpustage::ReadFile(library));
  if (!StampImage(image, 0, kWorldPath))
    return Error{fmt::format("the audit recorder has no stamp: {}", library)};
  return root.WriteFile(kAuditPath, image, 0755);
}

}  // namespace gpustage
