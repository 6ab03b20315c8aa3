#include "harness/suite/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/report/json.h"

namespace gpustage {
namespace {

Error Failed(const char* what) {
  return {fmt::format("the results cannot be {}: {}", what, std::strerror(errno))};
}

}  // namespace

Result<Spool> Spool::Make() {
  const char* chosen = std::getenv("TMPDIR");
  const std::string folder = chosen != nullptr && *chosen == '/' ? chosen : "/tmp";
  Fd file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) {  // not every file system knows files without a name
    std::string path = folder + "/gpustage-results-XXXXXX";
    file = Fd(mkostemp(path.data(), O_CLOEXEC));
    if (!file) return Failed("kept");
    unlink(path.c_str());
  }
  return Spool(std::move(file));
}

Spool::Spool(Spool&& other) noexcept
    : file_(std::move(other.file_)), size_(other.size_), lines_(std::move(other.lines_)) {}

Status Spool::Add(const ReportedRun& run, size_t place) {
  const std::string line = RunLine(run);
  const std::lock_guard lock(mutex_);
  for (size_t done = 0; done < line.size();) {
    const ssize_t n = pwrite(file_.get(), line.data() + done, line.size() - done,
                             static_cast<off_t>(size_ + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("kept");
    done += static_cast<size_t>(n);
  }
  lines_.push_back({place, size_, static_cast<uint32_t>(line.size()), IsBad(run.verdict)});
  size_ += line.size();
  return Ok();
}

void Spool::Order(const std::vector<size_t>& numbers) {
  for (size_t i = 0; i < numbers.size(); ++i) lines_[numbers[i]].place = i;
}

Status Spool::Read(bool only_bad, const RunVisitor& visit) const {
  std::vector<Line> sorted = lines_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Line& a, const Line& b) { return a.place < b.place; });
  std::string text;
  for (const Line& line : sorted) {
    if (only_bad && !line.bad) continue;
    text.resize(line.length);
    for (size_t done = 0; done < text.size();) {
      const ssize_t n = pread(file_.get(), text.data() + done, text.size() - done,
                              static_cast<off_t>(line.offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return Failed("read back");
      done += static_cast<size_t>(n);
    }
    TRY(const ReportedRun run, ParseRunLine(text));
    TRY(visit(run));
  }
  return Ok();
}

}  // namespace gpustage
