#include "harness/evidence/store/record_lines.h"

#include <ostream>
#include <tuple>
#include <type_traits>

#include "harness/evidence/store/kept_json.inc"

namespace gpustage {
namespace {

using namespace kept;

// The fields of each struct: one list for who writes it and who reads it. One that is as it is
// without a word is not written.
template <typename Owner, typename T>
struct Field {
  const char* key;
  T Owner::*member;
};
template <typename Owner, typename T>
constexpr Field<Owner, T> F(const char* key, T Owner::*member) {
  return {key, member};
}
template <typename T>
struct Shape;
template <typename T>
struct Words;

template <>
struct Words<Outcome::Kind> {
  static constexpr const char* all[] = {"exited", "killed", "timed_out", "stopped", "not_started"};
};
template <>
struct Words<EvidenceLevel> {
  static constexpr const char* all[] = {"none", "libs", "files", "all"};
};
template <>
struct Words<Stream> {
  static constexpr const char* all[] = {"stdout", "stderr"};
};
template <>
struct Words<LogFormat> {
  static constexpr const char* all[] = {"plain", "slog", "json", "ggml"};
};
template <>
struct Words<DeviceReader::Kind> {
  static constexpr const char* all[] = {"none", "json", "lines", "count"};
};
template <>
struct Words<FileAct> {
  static constexpr const char* all[] = {"open", "look", "list", "exec", "write", "exit"};
};

// As the journal numbers them; one that nobody knows is its number.
constexpr std::pair<world::RecordKind, const char*> kJournalKinds[] = {
    {world::RecordKind::kCall, "call"},
    {world::RecordKind::kNode, "node"},
    {world::RecordKind::kProcess, "process"},
    {world::RecordKind::kSearch, "search"},
    {world::RecordKind::kObjectOpen, "object open"},
    {world::RecordKind::kObjectClose, "object close"},
    {world::RecordKind::kSymbol, "symbol"},
    {world::RecordKind::kSymbolAsked, "symbol asked"},
    {world::RecordKind::kBinding, "binding"},
    {world::RecordKind::kNote, "note"}};

template <>
struct Shape<Outcome> {
  static constexpr auto fields =
      std::tuple(F("kind", &Outcome::kind), F("code", &Outcome::code), F("note", &Outcome::note));
};
template <>
struct Shape<DeviceReader> {
  static constexpr auto fields =
      std::tuple(F("kind", &DeviceReader::kind), F("stream", &DeviceReader::stream),
                 F("match", &DeviceReader::match));
};
template <>
struct Shape<JournalRecord> {
  static constexpr auto fields =
      std::tuple(F("kind", &JournalRecord::kind), F("time_ns", &JournalRecord::time_ns),
                 F("pid", &JournalRecord::pid), F("tid", &JournalRecord::tid),
                 F("instance", &JournalRecord::instance), F("value", &JournalRecord::value),
                 F("device", &JournalRecord::device), F("detail", &JournalRecord::detail),
                 F("texts", &JournalRecord::texts));
};
template <>
struct Shape<TimedLine> {
  static constexpr auto fields =
      std::tuple(F("time_ns", &TimedLine::time_ns), F("stream", &TimedLine::stream),
                 F("text", &TimedLine::text));
};
template <>
struct Shape<FileRecord> {
  static constexpr auto fields = std::tuple(
      F("act", &FileRecord::act), F("time_ns", &FileRecord::time_ns), F("pid", &FileRecord::pid),
      F("tid", &FileRecord::tid), F("call", &FileRecord::call), F("path", &FileRecord::path),
      F("links", &FileRecord::links), F("real", &FileRecord::real),
      F("answered", &FileRecord::answered), F("error", &FileRecord::error),
      F("writes", &FileRecord::writes), F("parent", &FileRecord::parent),
      F("argv", &FileRecord::argv), F("environment", &FileRecord::environment),
      F("stream", &FileRecord::stream), F("bytes", &FileRecord::bytes),
      F("code", &FileRecord::code), F("signal", &FileRecord::signal));
};
template <>
struct Shape<Setting> {
  static constexpr auto fields =
      std::tuple(F("devices", &Setting::devices), F("any_device", &Setting::any_device),
                 F("own_device", &Setting::own_device), F("amd", &Setting::amd),
                 F("others", &Setting::others), F("libraries", &Setting::libraries),
                 F("versions", &Setting::versions), F("kernel_driver", &Setting::kernel_driver));
};
template <>
struct Shape<DlopenAnswer> {
  static constexpr auto fields = std::tuple(
      F("path", &DlopenAnswer::path), F("list_error", &DlopenAnswer::list_error),
      F("open_error", &DlopenAnswer::open_error), F("signal", &DlopenAnswer::signal),
      F("load_error", &DlopenAnswer::load_error), F("exit_code", &DlopenAnswer::exit_code),
      F("kind", &DlopenAnswer::kind), F("size", &DlopenAnswer::size),
      F("inode", &DlopenAnswer::inode), F("head", &DlopenAnswer::head));
};
template <>
struct Shape<Answered> {
  static constexpr auto fields =
      std::tuple(F("environment", &Answered::environment), F("answers", &Answered::answers));
};
template <>
struct Shape<Looked> {
  static constexpr auto fields = std::tuple(
      F("path", &Looked::path), F("links", &Looked::links), F("end", &Looked::end),
      F("error", &Looked::error), F("entering", &Looked::entering), F("mode", &Looked::mode),
      F("owner", &Looked::owner), F("names", &Looked::names), F("is_node", &Looked::is_node));
};
template <>
struct Shape<WantedVersion> {
  static constexpr auto fields =
      std::tuple(F("file", &WantedVersion::file), F("version", &WantedVersion::version),
                 F("weak", &WantedVersion::weak));
};
template <>
struct Shape<WantedSymbol> {
  static constexpr auto fields =
      std::tuple(F("name", &WantedSymbol::name), F("version", &WantedSymbol::version),
                 F("file", &WantedSymbol::file));
};
template <>
struct Shape<MappedFile> {
  static constexpr auto fields = std::tuple(
      F("path", &MappedFile::path), F("soname", &MappedFile::soname),
      F("needed", &MappedFile::needed), F("runpath", &MappedFile::runpath),
      F("wanted_versions", &MappedFile::wanted_versions), F("versions", &MappedFile::versions),
      F("provides", &MappedFile::provides), F("asks_past_plt", &MappedFile::asks_past_plt));
};
template <>
struct Shape<LackedSymbols> {
  static constexpr auto fields =
      std::tuple(F("pid", &LackedSymbols::pid), F("object", &LackedSymbols::object),
                 F("symbols", &LackedSymbols::symbols));
};

// Those that stand in one line each; `journal`, `output`, `files` and the lists of `after` are
// many.
template <>
struct Shape<RecordedRun> {
  static constexpr auto fields = std::tuple(
      F("outcome", &RecordedRun::outcome), F("start_ns", &RecordedRun::start_ns),
      F("duration_ns", &RecordedRun::duration_ns), F("level", &RecordedRun::level),
      F("journal_recorded", &RecordedRun::journal_recorded),
      F("loader_recorded", &RecordedRun::loader_recorded), F("left_over", &RecordedRun::left_over),
      F("log_stream", &RecordedRun::log_stream), F("log_format", &RecordedRun::log_format),
      F("devices", &RecordedRun::devices), F("candidates", &RecordedRun::candidates));
};
template <>
struct Shape<Journal> {
  static constexpr auto fields = std::tuple(F("complete", &Journal::complete));
};
template <>
struct Shape<SplitLog> {
  static constexpr auto fields = std::tuple(F("cut", &SplitLog::cut));
};
template <>
struct Shape<FileLog> {
  static constexpr auto fields =
      std::tuple(F("recorded", &FileLog::recorded), F("complete", &FileLog::complete),
                 F("note", &FileLog::note), F("failure", &FileLog::failure));
};
template <>
struct Shape<AfterRun> {
  static constexpr auto fields = std::tuple(
      F("uid", &AfterRun::uid), F("ends", &AfterRun::ends), F("preload", &AfterRun::preload),
      F("host_directories", &AfterRun::host_directories),
      F("own_kernel_files", &AfterRun::own_kernel_files), F("of_machine", &AfterRun::of_machine));
};

template <typename T>
ordered_json ObjectOf(const T& value);
template <typename T>
void ReadObject(const ordered_json& object, T& value);

ordered_json To(const std::string& text) { return Write(text); }
ordered_json To(const std::map<std::string, std::string>& map) { return Write(map); }
ordered_json To(char letter) { return std::string(1, letter); }
ordered_json To(world::RecordKind kind) {
  for (const auto& [known, word] : kJournalKinds)
    if (known == kind) return word;
  return static_cast<int>(kind);
}
ordered_json To(const std::pair<std::string, std::string>& pair) {
  return {Write(pair.first), Write(pair.second)};
}
template <typename T>
ordered_json To(const T& value) {
  if constexpr (std::is_enum_v<T>)
    return Words<T>::all[static_cast<size_t>(value)];
  else if constexpr (std::is_arithmetic_v<T>)
    return value;
  else
    return ObjectOf(value);
}
template <typename T>
ordered_json To(const std::vector<T>& values) {
  ordered_json list = ordered_json::array();
  for (const T& value : values) list.push_back(To(value));
  return list;
}

void From(const ordered_json& json, std::string& text) { text = ReadText(json); }
void From(const ordered_json& json, std::map<std::string, std::string>& map) {
  map = ReadMap(json);
}
void From(const ordered_json& json, char& letter) {
  const std::string text = json.get<std::string>();
  if (text.size() != 1) throw std::invalid_argument("what is to be a letter is none");
  letter = text.front();
}
void From(const ordered_json& json, world::RecordKind& kind) {
  if (json.is_number_unsigned()) {
    kind = static_cast<world::RecordKind>(json.get<uint16_t>());
    return;
  }
  const std::string text = json.get<std::string>();
  for (const auto& [known, word] : kJournalKinds)
    if (text == word) {
      kind = known;
      return;
    }
  throw std::invalid_argument(fmt::format("unknown word \"{}\"", text));
}
void From(const ordered_json& json, std::pair<std::string, std::string>& pair) {
  pair = {ReadText(json.at(0)), ReadText(json.at(1))};
}
template <typename T>
void From(const ordered_json& json, T& value) {
  if constexpr (std::is_enum_v<T>)
    value = static_cast<T>(IndexOf(Words<T>::all, json.get<std::string>()));
  else if constexpr (std::is_arithmetic_v<T>)
    value = json.get<T>();
  else
    ReadObject(json, value);
}
template <typename T>
void From(const ordered_json& json, std::vector<T>& values) {
  if (!json.is_array()) throw std::invalid_argument("what is to be a list is none");
  for (const ordered_json& one : json) From(one, values.emplace_back());
}

template <typename T>
void AddFields(const T& value, ordered_json& object) {
  static const T kUsual{};
  std::apply(
      [&](const auto&... field) {
        ((value.*field.member == kUsual.*field.member
              ? void()
              : void(object[field.key] = To(value.*field.member))),
         ...);
      },
      Shape<T>::fields);
}
template <typename T>
ordered_json ObjectOf(const T& value) {
  ordered_json object = ordered_json::object();
  AddFields(value, object);
  return object;
}

// A field that nobody knows is damage, or of a later version: not passed over.
template <typename T>
void ReadObject(const ordered_json& object, T& value) {
  if (!object.is_object()) throw std::invalid_argument("what is to be an object is none");
  for (const auto& [key, json] : object.items()) {
    if (key == "record") continue;
    bool known = false;
    const auto read = [&, &key = key, &json = json](const auto& field) {
      if (key != field.key) return;
      From(json, value.*field.member);
      known = true;
    };
    std::apply([&](const auto&... field) { (read(field), ...); }, Shape<T>::fields);
    if (!known) throw std::invalid_argument(fmt::format("unknown field \"{}\"", key));
  }
}

// Writes lines, and counts them.
class LineWriter {
 public:
  explicit LineWriter(std::ostream& out) : out_(out) {}

  template <typename T>
  void Line(const char* record, const T& value) {
    ordered_json line = {{"record", record}};
    AddFields(value, line);
    out_ << line.dump() << '\n';
    ++count_;
  }
  template <typename T>
  void Lines(const char* record, const std::vector<T>& values) {
    for (const T& value : values) Line(record, value);
  }
  int count() const { return count_; }

 private:
  std::ostream& out_;
  int count_ = 0;
};

}  // namespace

int WriteRecordLines(const RecordedRun& run, std::ostream& out) {
  LineWriter writer(out);
  writer.Line("run", run);
  writer.Line("setting", run.setting);
  writer.Line("journal", run.journal);
  writer.Lines("journal record", run.journal.records);
  writer.Line("output", run.output);
  writer.Lines("output line", run.output.lines);
  writer.Line("files", run.files);
  writer.Lines("file", run.files.records);
  writer.Line("after", run.after);
  writer.Lines("answered", run.after.answered);
  writer.Lines("looked", run.after.looked);
  writer.Lines("mapped", run.after.mapped);
  writer.Lines("lacked", run.after.lacked);
  return writer.count();
}

void ReadRecordLine(const std::string& line, RecordedRun& run) {
  const ordered_json json = ordered_json::parse(line);
  const std::string record = json.at("record");
  if (record == "run") return ReadObject(json, run);
  if (record == "setting") return ReadObject(json, run.setting);
  if (record == "journal") return ReadObject(json, run.journal);
  if (record == "journal record") return ReadObject(json, run.journal.records.emplace_back());
  if (record == "output") return ReadObject(json, run.output);
  if (record == "output line") return ReadObject(json, run.output.lines.emplace_back());
  if (record == "files") return ReadObject(json, run.files);
  if (record == "file") return ReadObject(json, run.files.records.emplace_back());
  if (record == "after") return ReadObject(json, run.after);
  if (record == "answered") return ReadObject(json, run.after.answered.emplace_back());
  if (record == "looked") return ReadObject(json, run.after.looked.emplace_back());
  if (record == "mapped") return ReadObject(json, run.after.mapped.emplace_back());
  if (record == "lacked") return ReadObject(json, run.after.lacked.emplace_back());
  throw std::invalid_argument(fmt::format("unknown record \"{}\"", record));
}

}  // namespace gpustage
