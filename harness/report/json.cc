#include "harness/report/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <tuple>

#include "harness/base/text.h"
#include "harness/report/json_head.h"
#include "harness/report/json_place.h"

namespace gpustage {
namespace {

using nlohmann::ordered_json;

// ---- Writing ------------------------------------------------------------------------------------

template <typename T>
concept Struct = requires(const T* t) {
  FieldsOf(t);
};

struct Writer {
  template <typename T>
  static ordered_json Write(const T& value) {
    return value;
  }
  static ordered_json Write(VerdictKind kind) { return ToString(kind); }
  template <Struct T>
  static ordered_json Write(const T& value) {
    ordered_json object = ordered_json::object();
    std::apply([&](const auto&... field) { (WriteField(field, value.*field.member, object), ...); },
               FieldsOf(&value));
    return object;
  }
  template <typename Field, typename T>
  static void WriteField(const Field& field, const T& member, ordered_json& object) {
    ordered_json value = Write(member);
    if (field.since != kOptional || !value.is_null()) object[field.key] = std::move(value);
  }
  template <typename T>
  static ordered_json Write(const std::optional<T>& value) {
    return value ? Write(*value) : ordered_json(nullptr);
  }
  template <typename T>
  static ordered_json Write(const std::vector<T>& values) {
    ordered_json list = ordered_json::array();
    for (const T& value : values) list.push_back(Write(value));
    return list;
  }
};

// ---- Reading ------------------------------------------------------------------------------------

// What is wrong, and where: as a JSON pointer, of which the line is looked up in the text.
struct Refused {
  std::string pointer;
  std::string message;
};

class Reader {
 public:
  // `version` is that of the document; `at` is where the value stands in it.
  Reader(const ordered_json& whole, int version, std::string at = "")
      : value_(whole), version_(version), at_(std::move(at)) {}

  void Read(std::string& text) const { Take(value_.is_string(), "a text", text); }
  void Read(bool& flag) const { Take(value_.is_boolean(), "true or false", flag); }
  void Read(int& number) const { Take(value_.is_number_integer(), "a whole number", number); }
  void Read(int64_t& number) const { Take(value_.is_number_integer(), "a whole number", number); }
  void Read(double& number) const { Take(value_.is_number(), "a number", number); }
  void Read(VerdictKind& kind) const {
    std::string word;
    Read(word);
    const auto known = ParseVerdictKind(word);
    if (!known)
      Refuse(
          fmt::format("unknown verdict {}; expected pass, fail, skip, xfail, xpass, error or flaky",
                      Quote(word)));
    kind = *known;
  }
  template <typename T>
  void Read(std::optional<T>& value) const {
    if (!value_.is_null()) Read(value.emplace());
  }
  template <typename T>
  void Read(std::vector<T>& list) const {
    Want(value_.is_array(), "a list");
    list.reserve(value_.size());
    for (size_t i = 0; i < value_.size(); ++i)
      Reader(value_[i], *this, nullptr, i).Read(list.emplace_back());
  }
  void Read(std::map<std::string, std::string>& map) const {
    Want(value_.is_object(), "an object");
    for (const auto& [key, value] : value_.items())
      Reader(value, *this, key.c_str()).Read(map[key]);
  }
  template <Struct T>
  void Read(T& object) const {
    Want(value_.is_object(), "an object");
    std::apply(
        [&](const auto&... field) {
          size_t absent = 0;
          ((absent += ReadField(field, object.*field.member) ? 0 : 1), ...);
          if (value_.size() > sizeof...(field) - absent) RefuseOther({field.key...});
        },
        FieldsOf(&object));
  }

 private:
  Reader(const ordered_json& value, const Reader& outer, const char* key, size_t index = 0)
      : value_(value), version_(outer.version_), outer_(&outer), key_(key), index_(index) {}

  // False for what an older report does not have.
  template <typename Field, typename T>
  bool ReadField(const Field& field, T& member) const {
    const auto found = value_.find(field.key);
    if (found == value_.end() && field.since > version_) return false;
    if (found == value_.end()) Refuse(fmt::format("{} is missing here", Quote(field.key)));
    Reader(*found, *this, field.key).Read(member);
    return true;
  }
  void RefuseOther(const std::vector<std::string>& keys) const {
    for (const auto& [key, value] : value_.items())
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        Reader(value, *this, key.c_str())
            .Refuse(fmt::format("unknown key {}{}", Quote(key), DidYouMean(key, keys)));
  }
  template <typename T>
  void Take(bool fits, const char* what, T& to) const {
    Want(fits, what);
    value_.get_to(to);
  }
  void Want(bool fits, const char* what) const {
    if (!fits)
      Refuse(fmt::format("expected {}, got {}", what,
                         value_.is_structured() ? value_.type_name() : value_.dump()));
  }
  [[noreturn]] void Refuse(std::string message) const {
    throw Refused{Pointer(), std::move(message)};
  }
  std::string Pointer() const {
    if (outer_ == nullptr) return at_;
    return fmt::format("{}/{}", outer_->Pointer(),
                       key_ == nullptr ? std::to_string(index_) : EscapedForPointer(key_));
  }

  const ordered_json& value_;
  const int version_;
  const std::string at_;
  const Reader* const outer_ = nullptr;
  const char* const key_ = nullptr;  // in a list it is the index that counts
  const size_t index_ = 0;
};

// Reads a document case by case: each is handed over and forgotten.
class DocumentReader {
 public:
  DocumentReader(std::istream& in, const RunVisitor& visit) : in_(in), visit_(visit) {}

  // `failed` is an error of the visitor.
  Report Read(std::optional<Error>& failed) {
    ordered_json rest = ordered_json::parse(
        in_, [&](int depth, ordered_json::parse_event_t event, ordered_json& value) {
          return Took(depth, event, value, failed);
        });
    if (failed) return {};
    CheckVersion(rest);
    const auto cases = rest.find("cases");
    if (cases == rest.end()) throw Refused{"", "\"cases\" is missing here"};
    if (!cases->is_array())
      throw Refused{"/cases", fmt::format("expected a list, got {}", cases->type_name())};
    // Those that stood before the version, and what is none.
    for (const ordered_json& value : *cases) Take(value, failed);
    if (failed) return {};
    rest.erase("cases");
    Head head;
    Reader(rest, version_).Read(head);
    Report report = {tally_,
                     head.seconds,
                     head.reports,
                     std::move(head.shards),
                     std::move(head.selection),
                     std::move(head.interrupted),
                     std::move(head.problems),
                     std::move(head.baseline)};
    Check(head, report);
    return report;
  }

 private:
  // False where the value is of no use any more.
  bool Took(int depth, ordered_json::parse_event_t event, ordered_json& value,
            std::optional<Error>& failed) {
    using Event = ordered_json::parse_event_t;
    if (depth == 1 && event == Event::key) key_ = value.get<std::string>();
    if (depth == 1 && event == Event::value && key_ == "version") CheckVersion({{key_, value}});
    if (depth != 2 || event != Event::object_end || key_ != "cases") return true;
    if (version_ == 0) return true;
    Take(value, failed);
    return false;
  }

  void Take(const ordered_json& value, std::optional<Error>& failed) {
    if (failed) return;
    ReportedRun run;
    Reader(value, version_, fmt::format("/cases/{}", number_++)).Read(run);
    tally_.Add(run);
    if (Status visited = visit_(run); !visited) failed = visited.error();
  }

  // Of another version nothing else is looked at: its keys may be others.
  void CheckVersion(const ordered_json& whole) {
    if (!whole.is_object() || !whole.contains("version") || !whole["version"].is_number_integer())
      throw Refused{"", "this is no report of gpustage: it does not begin {\"version\": …"};
    version_ = whole["version"];
    if (version_ < kOldestReport || version_ > kReportVersion)
      throw Refused{"/version",
                    fmt::format("this report is of version {}; this gpustage reads versions {} "
                                "to {}",
                                version_, kOldestReport, kReportVersion)};
  }

  static void Check(const Head& head, const Report& report) {
    for (size_t i = 0; i < report.shards.size(); ++i)
      if (const ReportedShard& shard = report.shards[i];
          shard.index < 1 || shard.total > kMostShards || shard.index > shard.total)
        throw Refused{fmt::format("/shards/{}", i),
                      fmt::format("expected a shard from 1 to its total, at most {}, got {} of {}",
                                  kMostShards, shard.index, shard.total)};
    if (report.interrupted && !SignalOf(*report.interrupted))
      throw Refused{"/interrupted", fmt::format("expected SIGINT, SIGTERM or SIGHUP, got {}",
                                                Quote(*report.interrupted))};
    if (head.totals != report.tally.totals)
      throw Refused{"/totals", "these totals are not those of the cases below"};
    if (head.exit_status != ExitStatus(report))
      throw Refused{"/exit_status", "this is not the exit status of the cases below"};
  }

  std::istream& in_;
  const RunVisitor& visit_;
  std::string key_;  // of the document, whose value is read
  int version_ = 0;
  size_t number_ = 0;
  Tally tally_;
};

// Bytes that are not UTF-8 would end in an exception when everything has run.
std::string Dumped(const ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

std::string Indented(const std::string& text, const char* indent) {
  std::string out = indent;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out;
}

}  // namespace

Status WriteJsonReport(const Report& report, const RunList& runs, std::ostream& out) {
  const Head head = {kReportVersion,  ExitStatus(report), report.interrupted, report.tally.totals,
                     report.seconds,  report.reports,     report.shards,      report.selection,
                     report.problems, report.baseline};
  std::string text = Dumped(Writer::Write(head), 2);
  text.resize(text.rfind("\n}"));
  out << text << ",\n  \"cases\": [";
  bool first = true;
  TRY(runs.Each([&](const ReportedRun& run) -> Status {
    out << (first ? "\n" : ",\n") << Indented(Dumped(Writer::Write(run), 2), "    ");
    first = false;
    return Ok();
  }));
  out << (first ? "]\n}\n" : "\n  ]\n}\n");
  return Ok();
}

Result<Report> ReadJsonReport(std::istream& in, const std::string& file, const RunVisitor& visit) {
  // A DOM has no positions: for an error the text is read once more.
  const auto whole = [&] {
    in.clear();
    in.seekg(0);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  try {
    std::optional<Error> failed;
    Report report = DocumentReader(in, visit).Read(failed);
    if (failed) return *std::move(failed);
    return report;
  } catch (const Refused& refused) {
    return Error{refused.message, PlaceOfPointer(whole(), file, refused.pointer)};
  } catch (const ordered_json::parse_error& error) {
    return Error{"this is no JSON: the file is damaged, or was not written to its end",
                 PlaceOfByte(whole(), file, error.byte)};
  } catch (const ordered_json::exception& error) {
    return Error{fmt::format("this is no report that gpustage wrote: {}", error.what()),
                 PlaceOfByte(whole(), file, 1)};
  }
}

std::string RunLine(const ReportedRun& run) { return Dumped(Writer::Write(run), -1) + "\n"; }

Result<ReportedRun> ParseRunLine(const std::string& line) {
  try {
    ReportedRun run;
    Reader(ordered_json::parse(line), kReportVersion).Read(run);
    return run;
  } catch (const Refused& refused) {
    return Error{refused.message};
  } catch (const ordered_json::exception& error) {
    return Error{error.what()};
  }
}

}  // namespace gpustage
