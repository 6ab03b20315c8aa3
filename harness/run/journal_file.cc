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
#include "harness/base/limits.h"
#include "harness/stage/library_image.h"
#include "harness/stage/world_file.h"

namespace gpustage {

Status MakeJournal(const Root& root) {
  world::JournalHeader header = {};
  std::memcpy(header.magic, world::kJournalMagic, sizeof header.magic);
  header.version = world::kJournalVersion;
  header.capacity = limits::kJournalBytes;
  TRY(const Fd fd, root.NewFile(kJournalPath, 0666));
  if (write(fd.get(), &header, sizeof header) != static_cast<ssize_t>(sizeof header) ||
      ftruncate(fd.get(), static_cast<off_t>(sizeof header + limits::kJournalBytes)) != 0)
    return Error{fmt::format("cannot make the journal: {}", std::strerror(errno))};
  return Ok();
}

Result<std::string> ReadJournal(const Root& root) {
  const auto failed = [](const char* why) {
    return Error{fmt::format("cannot read the journal: {}", why)};
  };
  const Fd fd = root.ReadRegular(kJournalPath);
  if (!fd) return failed(errno == EINVAL ? "not a regular file" : std::strerror(errno));
  world::JournalHeader header;
  ssize_t n = pread(fd.get(), &header, sizeof header, 0);
  if (n != static_cast<ssize_t>(sizeof header))
    return failed(n < 0 ? std::strerror(errno) : "it is shorter than its header");
  // Somebody could not open it (TellOfLoss).
  const bool lost =
      lseek(fd.get(), 0, SEEK_END) > static_cast<off_t>(sizeof header + limits::kJournalBytes);
  std::string bytes(sizeof header + std::min(header.next, limits::kJournalBytes), '\0');
  n = pread(fd.get(), bytes.data(), bytes.size(), 0);
  if (n < 0) return failed(std::strerror(errno));
  bytes.resize(static_cast<size_t>(n));
  if (!lost || bytes.size() < sizeof header) return bytes;
  std::memcpy(&header, bytes.data(), sizeof header);
  ++header.dropped;
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Status PlaceAudit(const Root& root, const std::string& library, uint32_t mark) {
  TRY(std::string image, gpustage::ReadFile(library));
  if (!StampImage(image, 0, mark, kWorldPath))
    return Error{fmt::format("the audit recorder has no stamp: {}", library)};
  return root.WriteFile(kAuditPath, image, 0755);
}

Result<std::string> PlaceAuditOnHost(const Root& root, const std::string& library, uint32_t mark) {
  TRY(std::string image, gpustage::ReadFile(library));
  const std::string journal = root.host_path() + kJournalPath;
  if (journal.size() >= sizeof world::Stamp{}.journal)
    return Error{
        fmt::format("the path of the directory for temporary files is too long: {}", journal)};
  if (!StampImage(image, 0, mark, kWorldPath, journal))
    return Error{fmt::format("the audit recorder has no stamp: {}", library)};
  TRY(root.WriteFile(kAuditPath, image, 0755));
  return root.host_path() + kAuditPath;
}

}  // namespace gpustage
