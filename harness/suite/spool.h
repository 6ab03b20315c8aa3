// Where finished runs wait for the reports: a line of JSON each, in a file of the temporary
// directory that has no name, so that it goes with the process, however it ends.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "harness/base/root.h"
#include "harness/report/run_list.h"

namespace gpustage {

class Spool : public RunList {
 public:
  static Result<Spool> Make();
  Spool(Spool&& other) noexcept;

  // `place` is that of its case among all. From any thread.
  Status Add(const ReportedRun& run, size_t place);
  // Its runs by their places; of one place in the order in which they were added.
  Status Each(const RunVisitor& visit) const override { return Read(false, visit); }
  Status EachBad(const RunVisitor& visit) const override { return Read(true, visit); }
  // The runs, numbered as they were added, in another order.
  void Order(const std::vector<size_t>& numbers);

 private:
  struct Line {
    size_t place = 0;
    uint64_t offset = 0;
    uint32_t length = 0;
    bool bad = false;
  };
  Status Read(bool only_bad, const RunVisitor& visit) const;
  explicit Spool(Fd file) : file_(std::move(file)) {}

  Fd file_;
  std::mutex mutex_;
  uint64_t size_ = 0;
  std::vector<Line> lines_;
};

}  // namespace gpustage
