// The data of a page: small numbers that stand for texts and for lists of numbers, each kept once.
// page.js reads what is written here.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/report/report.h"
#include "harness/report/text.h"

namespace gpustage {

class PageData {
 public:
  explicit PageData(const TextStyle& style);

  // Its line. First of all runs, in their order.
  void Add(const ReportedRun& run);
  // Its funnel, its log and what was seen of it. False where there is no room for it.
  bool AddBody(size_t number, const ReportedRun& run, size_t most_bytes);

  size_t bytes() const { return bytes_; }
  // As it may stand in a <script>: no "<" is in it.
  std::string Json(const Report& report, const std::vector<size_t>& left_out) const;

 private:
  using List = std::vector<int64_t>;
  int64_t Text(const std::string& text);
  int64_t Numbers(const List& list);
  int64_t Texts(const std::vector<std::string>& texts);
  int64_t Detail(const ReportedDetail& detail);

  const TextStyle& style_;
  size_t bytes_ = 0;
  std::unordered_map<std::string, int64_t> text_numbers_;
  std::vector<const std::string*> texts_;
  std::map<List, int64_t> list_numbers_;
  std::vector<const List*> lists_;
  std::vector<List> runs_;
};

// JSON with its strings escaped as HTML wants it, too.
std::string JsonForScript(const std::string& text);

}  // namespace gpustage
