#include "harness/evidence/store/store.h"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "harness/base/limits.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/path/questions.h"
#include "harness/evidence/store/kept_json.inc"
#include "harness/evidence/store/old_lines.h"
#include "harness/evidence/store/record_lines.h"

namespace gpustage {
namespace {

using namespace kept;

constexpr int kOldest = 4, kLastDecoded = 6;

constexpr std::pair<const char*, std::string KeptRun::*> kHead[] = {
    {"id", &KeptRun::id},          {"scenario", &KeptRun::scenario}, {"claim", &KeptRun::claim},
    {"run", &KeptRun::run},        {"scanner", &KeptRun::scanner},   {"verdict", &KeptRun::verdict},
    {"because", &KeptRun::because}};

// Reads a file from its first line to its last.
class LineReader {
 public:
  explicit LineReader(const std::string& file) : file_(file) {}

  Status Read(const std::string& line) {
    ++number_;
    const ordered_json parsed = ordered_json::parse(line, nullptr, false);
    if (!parsed.is_object())
      return Wrong("this line is no JSON object; the file is damaged or not kept evidence");
    if (ended_) return Wrong("there is a line behind the end of this evidence");
    try {
      return number_ == 1 ? ReadHead(parsed) : ReadLine(line, parsed);
    } catch (const std::exception& error) {
      return Wrong(
          fmt::format("this line is not as version {} has it: {}", version_, error.what()));
    }
  }

  Result<KeptRun> Finish() && {
    if (!ended_) return Wrong("this evidence has no end: it was not written to its last line");
    if (version_ > kLastDecoded) {
      run_.evidence = EvidenceOf(recorded_);
      return std::move(run_);
    }
    if (const EventId wrong = UnknownEvent(run_.evidence); wrong != 0)
      return Wrong(fmt::format("something here names event {}, and there are {}", wrong,
                               run_.evidence.events.size()));
    NameRules(run_.evidence);
    FindLostRow(run_.evidence);
    return std::move(run_);
  }

 private:
  Error Wrong(std::string why) const {
    return Error{std::move(why), SourcePos{file_, std::max(number_, 1), 1, 1}};
  }

  Status ReadHead(const ordered_json& head) {
    if (head.value("format", "") != "gpustage-evidence")
      return Wrong(
          "this is no evidence that gpustage kept: its first line does not say \"format\": "
          "\"gpustage-evidence\"");
    version_ = head.at("version");
    if (version_ < kOldest || version_ > kEvidenceVersion)
      return Wrong(
          fmt::format("this evidence is of version {}; this gpustage reads versions {} to {}, so "
                      "run the scenario again or use the gpustage that kept it",
                      version_, kOldest, kEvidenceVersion));
    for (const auto& [key, text] : kHead) run_.*text = ReadText(head.at(key));
    return Ok();
  }

  Status ReadLine(const std::string& line, const ordered_json& parsed) {
    ended_ = parsed.at("record") == "end";
    if (version_ <= kLastDecoded) {
      ReadOldLine(line, version_, run_.evidence);
    } else if (!ended_) {
      ReadRecordLine(line, recorded_);
    } else if (const int lines = parsed.at("lines"); lines != number_) {
      return Wrong(fmt::format("this evidence had {} lines, and here are {}", lines, number_));
    }
    return Ok();
  }

  const std::string& file_;
  int number_ = 0, version_ = kEvidenceVersion;
  bool ended_ = false;
  KeptRun run_;
  RecordedRun recorded_;
};

}  // namespace

void WriteEvidenceLines(const KeptRun& run, const RecordedRun& recorded, std::ostream& out) {
  ordered_json head = {{"format", "gpustage-evidence"}, {"version", kEvidenceVersion}};
  for (const auto& [key, text] : kHead) head[key] = Write(run.*text);
  out << head.dump() << '\n';
  const int lines = WriteRecordLines(recorded, out);
  out << ordered_json({{"record", "end"}, {"lines", lines + 2}}).dump() << '\n';
}

Result<KeptRun> ParseEvidenceLines(const std::string& text, const std::string& file) {
  LineReader reader(file);
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) TRY(reader.Read(line));
  return std::move(reader).Finish();
}

}  // namespace gpustage
