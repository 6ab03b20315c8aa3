// A file of recordings. Starts of one scenario say much the same, so each line of a log stands once
// in "lines", and a log is the numbers of its lines: "0-12 15".
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "harness/evidence/store/recording.h"

namespace gpustage {
namespace {

using nlohmann::json;

class LineTable {
 public:
  std::string NumbersOf(const std::vector<std::string>& log) {
    std::string text;
    for (size_t i = 0; i < log.size();) {
      const size_t first = NumberOf(log[i++]);
      size_t last = first;
      while (i < log.size() && NumberOf(log[i]) == last + 1) ++last, ++i;
      text += fmt::format("{}{}", text.empty() ? "" : " ", first);
      if (last > first) text += fmt::format("-{}", last);
    }
    return text;
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  size_t NumberOf(const std::string& line) {
    const auto [known, is_new] = numbers_.emplace(line, lines_.size());
    if (is_new) lines_.push_back(line);
    return known->second;
  }

  std::vector<std::string> lines_;
  std::map<std::string, size_t> numbers_;
};

// "15" or "0-12": both ends included, and there.
Result<std::pair<size_t, size_t>> ParseRange(const std::string& text, size_t count) {
  size_t first = 0, last = 0;
  const char* const end = text.data() + text.size();
  std::from_chars_result read = std::from_chars(text.data(), end, first);
  last = first;
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-')
    read = std::from_chars(read.ptr + 1, end, last);
  if (read.ec != std::errc() || read.ptr != end || last < first || last >= count)
    return Error{fmt::format("not a recording: '{}' are no numbers of {} lines", text, count)};
  return std::pair{first, last};
}

Result<std::vector<std::string>> LinesAt(const std::string& numbers,
                                         const std::vector<std::string>& lines) {
  std::vector<std::string> log;
  std::istringstream words(numbers);
  for (std::string word; words >> word;) {
    TRY(const auto range, ParseRange(word, lines.size()));
    for (size_t i = range.first; i <= range.second; ++i) log.push_back(lines[i]);
  }
  return log;
}

}  // namespace

std::string RecordingsJson(const Recordings& recordings) {
  LineTable table;
  json cases = json::object();
  for (const auto& [key, recording] : recordings.of)
    cases[key] = {{"outcome", recording.outcome},
                  {"devices", recording.devices},
                  {"log", table.NumbersOf(recording.log)},
                  {"libraries", recording.libraries},
                  {"funnel", recording.funnel}};
  const json all = {{"scanner", recordings.scanner},
                    {"version", recordings.version},
                    {"lines", table.lines()},
                    {"recordings", std::move(cases)}};
  return all.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Recordings> ParseRecordings(const std::string& text) {
  try {
    const json all = json::parse(text);
    Recordings recordings;
    all.at("scanner").get_to(recordings.scanner);
    all.at("version").get_to(recordings.version);
    const auto lines = all.at("lines").get<std::vector<std::string>>();
    for (const auto& [key, one] : all.at("recordings").items()) {
      Recording& recording = recordings.of[key];
      one.at("outcome").get_to(recording.outcome);
      one.at("devices").get_to(recording.devices);
      TRY(recording.log, LinesAt(one.at("log").get<std::string>(), lines));
      one.at("libraries").get_to(recording.libraries);
      one.at("funnel").get_to(recording.funnel);
    }
    return recordings;
  } catch (const json::exception& error) {
    return Error{fmt::format("not a recording: {}", error.what())};
  }
}

}  // namespace gpustage
