#include "harness/report/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "harness/base/text.h"
#include "harness/report/json_place.h"

namespace gpustage {
namespace {

using nlohmann::ordered_json;

// ---- The keys: one list for the writer and the reader -------------------------------------------

template <typename Struct, typename Member>
struct Field {
  const char* key;
  Member Struct::*member;
};
template <typename Struct, typename Member>
Field(const char*, Member Struct::*) -> Field<Struct, Member>;

auto FieldsOf(const UnmetClaim*) {
  using T = UnmetClaim;
  return std::tuple{Field{"expected", &T::expected}, Field{"seen", &T::seen},
                    Field{"unknown", &T::unknown},   Field{"because", &T::because},
                    Field{"file", &T::file},         Field{"line", &T::line},
                    Field{"column", &T::column}};
}
auto FieldsOf(const ReportedDevice*) {
  using T = ReportedDevice;
  return std::tuple{Field{"name", &T::name},
                    Field{"library", &T::library},
                    Field{"library_path", &T::library_path},
                    Field{"pci_id", &T::pci_id},
                    Field{"uuid", &T::uuid},
                    Field{"memory_total", &T::memory_total}};
}
auto FieldsOf(const ReportedOutcome*) {
  using T = ReportedOutcome;
  return std::tuple{Field{"kind", &T::kind}, Field{"code", &T::code}, Field{"text", &T::text}};
}
auto FieldsOf(const ReportedProcess*) {
  using T = ReportedProcess;
  return std::tuple{Field{"pid", &T::pid}, Field{"parent", &T::parent}, Field{"role", &T::role}};
}
auto FieldsOf(const ReportedRow*) {
  using T = ReportedRow;
  return std::tuple{Field{"library", &T::library}, Field{"pid", &T::pid},
                    Field{"process", &T::process}, Field{"steps", &T::steps},
                    Field{"reached", &T::reached}, Field{"lost_at", &T::lost_at},
                    Field{"reason", &T::reason},   Field{"cause", &T::cause},
                    Field{"remark", &T::remark},   Field{"said", &T::said}};
}
auto FieldsOf(const RepeatedAnswer*) {
  using T = RepeatedAnswer;
  return std::tuple{Field{"times", &T::times}, Field{"verdict", &T::verdict},
                    Field{"device_count", &T::device_count}, Field{"lost_at", &T::lost_at}};
}
auto FieldsOf(const ReportedRun*) {
  using T = ReportedRun;
  return std::tuple{Field{"id", &T::id},
                    Field{"scenario", &T::scenario},
                    Field{"file", &T::file},
                    Field{"claim", &T::claim},
                    Field{"scanner", &T::scanner},
                    Field{"scanner_version", &T::version},
                    Field{"run", &T::run},
                    Field{"axes", &T::axes},
                    Field{"isolation", &T::isolation},
                    Field{"verdict", &T::verdict},
                    Field{"because", &T::because},
                    Field{"unmet", &T::unmet},
                    Field{"devices", &T::devices},
                    Field{"device_count", &T::device_count},
                    Field{"outcome", &T::outcome},
                    Field{"processes", &T::processes},
                    Field{"log", &T::log},
                    Field{"funnel", &T::funnel},
                    Field{"lost_at", &T::lost_at},
                    Field{"assumed", &T::assumed},
                    Field{"silent_failure", &T::silent_failure},
                    Field{"silent_because", &T::silent_because},
                    Field{"duration_ms", &T::duration_ms},
                    Field{"answers", &T::answers}};
}
auto FieldsOf(const MovedDevice*) {
  using T = MovedDevice;
  return std::tuple{Field{"run", &T::run}, Field{"device", &T::device}, Field{"from", &T::from},
                    Field{"to", &T::to}};
}
auto FieldsOf(const BaselineChanges*) {
  using T = BaselineChanges;
  return std::tuple{Field{"file", &T::file},
                    Field{"newly_failing", &T::newly_failing},
                    Field{"newly_passing", &T::newly_passing},
                    Field{"moved", &T::moved},
                    Field{"newly_silent", &T::newly_silent},
                    Field{"still_failing", &T::still_failing},
                    Field{"not_run", &T::not_run}};
}
auto FieldsOf(const Problem*) {
  using T = Problem;
  return std::tuple{Field{"kind", &T::kind}, Field{"text", &T::text}};
}
auto FieldsOf(const ReportedShard*) {
  using T = ReportedShard;
  return std::tuple{Field{"index", &T::index}, Field{"total", &T::total}};
}
auto FieldsOf(const Totals*) {
  using T = Totals;
  return std::tuple{Field{"pass", &T::pass},   Field{"fail", &T::fail},   Field{"skip", &T::skip},
                    Field{"xfail", &T::xfail}, Field{"xpass", &T::xpass}, Field{"error", &T::error},
                    Field{"flaky", &T::flaky}};
}

// The document: what is known of the cases stands before them.
struct Document {
  int version = kReportVersion;
  int exit_status = 0;
  Totals totals;
  double seconds = 0;
  int reports = 1;
  std::vector<ReportedShard> shards;
  std::vector<Problem> problems;
  std::optional<BaselineChanges> baseline;
  std::vector<ReportedRun> cases;
};
auto FieldsOf(const Document*) {
  using T = Document;
  return std::tuple{Field{"version", &T::version},   Field{"exit_status", &T::exit_status},
                    Field{"totals", &T::totals},     Field{"seconds", &T::seconds},
                    Field{"reports", &T::reports},   Field{"shards", &T::shards},
                    Field{"problems", &T::problems}, Field{"baseline", &T::baseline},
                    Field{"cases", &T::cases}};
}

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
    std::apply(
        [&](const auto&... field) { ((object[field.key] = Write(value.*field.member)), ...); },
        FieldsOf(&value));
    return object;
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
  explicit Reader(const ordered_json& whole) : value_(whole) {}

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
          (ReadField(field.key, object.*field.member), ...);
          if (value_.size() > sizeof...(field)) RefuseOther({field.key...});
        },
        FieldsOf(&object));
  }

 private:
  Reader(const ordered_json& value, const Reader& outer, const char* key, size_t index = 0)
      : value_(value), outer_(&outer), key_(key), index_(index) {}

  template <typename T>
  void ReadField(const char* key, T& member) const {
    const auto found = value_.find(key);
    if (found == value_.end()) Refuse(fmt::format("{} is missing here", Quote(key)));
    Reader(*found, *this, key).Read(member);
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
    if (outer_ == nullptr) return "";
    return fmt::format("{}/{}", outer_->Pointer(),
                       key_ == nullptr ? std::to_string(index_) : EscapedForPointer(key_));
  }

  const ordered_json& value_;
  const Reader* const outer_ = nullptr;
  const char* const key_ = nullptr;  // in a list it is the index that counts
  const size_t index_ = 0;
};

// Of another version nothing else is looked at: its keys may be others.
void CheckVersion(const ordered_json& whole) {
  if (!whole.is_object() || !whole.contains("version") || !whole["version"].is_number_integer())
    throw Refused{"", "this is no report of gpustage: it does not begin {\"version\": …"};
  if (const int version = whole["version"]; version != kReportVersion)
    throw Refused{"/version",
                  fmt::format("this report is of version {}; this gpustage reads version {}",
                              version, kReportVersion)};
}

}  // namespace

std::string JsonReport(const Report& report) {
  const Document document = {kReportVersion,  ExitStatus(report), Count(report.runs),
                             report.seconds,  report.reports,     report.shards,
                             report.problems, report.baseline,    report.runs};
  return Writer::Write(document).dump(2) + "\n";
}

Result<Report> ParseJsonReport(const std::string& text, const std::string& file) {
  try {
    const ordered_json whole = ordered_json::parse(text);
    CheckVersion(whole);
    Document document;
    Reader(whole).Read(document);
    Report report = {std::move(document.cases),
                     document.seconds,
                     document.reports,
                     std::move(document.shards),
                     std::move(document.problems),
                     std::move(document.baseline)};
    for (size_t i = 0; i < report.shards.size(); ++i)
      if (const ReportedShard& shard = report.shards[i];
          shard.index < 1 || shard.total > kMostShards || shard.index > shard.total)
        throw Refused{fmt::format("/shards/{}", i),
                      fmt::format("expected a shard from 1 to its total, at most {}, got {} of {}",
                                  kMostShards, shard.index, shard.total)};
    if (document.totals != Count(report.runs))
      throw Refused{"/totals", "these totals are not those of the cases below"};
    if (document.exit_status != ExitStatus(report))
      throw Refused{"/exit_status", "this is not the exit status of the cases below"};
    return report;
  } catch (const Refused& refused) {
    return Error{refused.message, PlaceOfPointer(text, file, refused.pointer)};
  } catch (const ordered_json::parse_error& error) {
    return Error{"this is no JSON: the file is damaged, or was not written to its end",
                 PlaceOfByte(text, file, error.byte)};
  } catch (const ordered_json::exception& error) {
    return Error{fmt::format("this is no report that gpustage wrote: {}", error.what()),
                 PlaceOfByte(text, file, 1)};
  }
}

}  // namespace gpustage
