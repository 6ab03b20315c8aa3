#include "harness/logs/read_log.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>

namespace gpustage {

class AllPatterns {
 public:
  explicit AllPatterns(const std::vector<LineRule>& rules)
      : set_(RE2::Options(RE2::Quiet), RE2::UNANCHORED) {
    for (const LineRule& rule : rules) set_.Add(rule.line->pattern(), nullptr);
    set_.Compile();
  }
  // The indices of the rules that hold for a line, in the order of the rules.
  std::vector<int> Of(const std::string& line) const {
    std::vector<int> found;
    set_.Match(line, &found);
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  RE2::Set set_;
};

namespace {

struct Match {
  const LineRule* rule;
  size_t line;  // index
};

// All rules that hold for each line, in one pass over it.
std::vector<Match> MatchAll(const Knowledge& knowledge, const std::vector<PastedLine>& lines) {
  if (knowledge.patterns == nullptr)
    knowledge.patterns = std::make_shared<const AllPatterns>(knowledge.rules);
  std::vector<Match> matches;
  for (size_t i = 0; i < lines.size(); ++i)
    for (const int index : knowledge.patterns->Of(lines[i].text))
      matches.push_back({&knowledge.rules[static_cast<size_t>(index)], i});
  return matches;
}

std::map<std::string, std::string> FieldsOf(const LineRule& rule, const std::string& text) {
  const auto& names = rule.line->CapturingGroupNames();
  const int count = rule.line->NumberOfCapturingGroups();
  std::vector<re2::StringPiece> groups(static_cast<size_t>(count) + 1);
  std::map<std::string, std::string> fields;
  if (!rule.line->Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(), count + 1))
    return fields;
  for (const auto& [index, name] : names)
    if (!groups[static_cast<size_t>(index)].empty())
      fields[name] = std::string(groups[static_cast<size_t>(index)]);
  return fields;
}

// What is the program's alone: another's line of this kind says nothing of it.
bool IsOfItsOwn(LineKind kind) {
  switch (kind) {
    case LineKind::kStart:
    case LineKind::kSettings:
    case LineKind::kLook:
    case LineKind::kTried:
    case LineKind::kDevice:
    case LineKind::kNone:
    case LineKind::kDone: return true;
    default: return false;
  }
}

// Ollama's children print what llama.cpp prints, so a line of Ollama's own makes it Ollama's.
std::string ProgramOf(const std::vector<Match>& matches) {
  std::map<std::string, int> count;
  for (const Match& match : matches)
    if (!match.rule->program.empty() && !match.rule->shared &&
        match.rule->kind != LineKind::kNoise &&
        match.rule->kind != LineKind::kHint)  // of what a child prints, which others print, too
      ++count[match.rule->program];
  if (count.count("ollama") != 0) return "ollama";
  std::string most;
  for (const auto& [program, times] : count)
    if (most.empty() || times > count[most]) most = program;
  return most;
}

// The same of what is no line of anybody's: Ollama's service has other programs' words in it.
std::string ProgramByMark(const Knowledge& knowledge, std::string_view text) {
  std::string first;
  for (const Mark& mark : knowledge.marks)
    if (RE2::PartialMatch({text.data(), text.size()}, *mark.text)) {
      if (mark.program == "ollama") return mark.program;
      if (first.empty()) first = mark.program;
    }
  return first;
}

// Where the last start of the program begins: its settings, or the line that it listens where
// those are not there.
size_t LastStart(const std::vector<Match>& matches, const std::string& program, size_t& starts) {
  size_t begin = 0;
  bool listened = false, any = false;
  for (const Match& match : matches) {
    if (match.rule->program != program) continue;
    const bool settings = match.rule->kind == LineKind::kSettings;
    const bool listens = match.rule->kind == LineKind::kStart;
    if (settings || (listens && (listened || !any))) {
      ++starts;
      begin = match.line;
      listened = false;
      any = true;
    }
    if (listens) listened = true;
  }
  return starts > 1 ? begin : 0;
}

void ReadSettings(const std::string& text, std::map<std::string, std::string>& settings) {
  static const RE2 pair(R"(([A-Za-z_]+):(\[[^\]]*\]|[^ \]]*))");
  const size_t map = text.find("map[");
  if (map == std::string::npos) return;
  re2::StringPiece rest(text.data() + map + 4, text.size() - map - 4);
  std::string name, value;
  while (RE2::FindAndConsume(&rest, pair, &name, &value)) settings[name] = value;
}

// OLLAMA_DEBUG as the environment line shows it.
std::string LevelOfSetting(const std::string& value, const std::string& version) {
  if (value.empty() || value == "INFO" || value == "false" || value == "0") return "INFO";
  if (value == "DEBUG-4") return "TRACE";
  if (value.starts_with("DEBUG-"))
    return !version.empty() && Holds({"0.30", ""}, version) ? "TRACE" : "DEBUG";
  return value == "true" || value == "1" || value == "DEBUG" ? "DEBUG" : "INFO";
}

std::string LevelSeen(const std::vector<PastedLine>& lines, size_t begin) {
  int most = -1;
  for (size_t i = begin; i < lines.size(); ++i)
    for (const char* level : {"INFO", "DEBUG", "TRACE"})
      if (lines[i].text.find(std::string("level=") + level) != std::string::npos)
        most = std::max(most, Rank(level));
  return most < 1 ? "" : most == 1 ? "DEBUG" : "TRACE";
}

// A container has Ollama's image: it listens on all addresses, and its models are root's.
bool IsContainer(const std::map<std::string, std::string>& settings) {
  const auto models = settings.find("OLLAMA_MODELS"), host = settings.find("OLLAMA_HOST");
  return models != settings.end() && host != settings.end() &&
         models->second.starts_with("/root/.ollama") &&
         host->second.find("0.0.0.0") != std::string::npos;
}

std::string PlatformOf(const std::vector<PastedLine>& lines) {
  static const RE2 windows(R"((?i)[A-Z]:\\{1,4}(?:Users|Program|Windows)|_windows\.go|\.dll\b)");
  static const RE2 mac(R"(/Users/|/Applications/|library=Metal|ggml_metal|darwin)");
  for (const PastedLine& line : lines)
    if (RE2::PartialMatch(line.text, windows)) return "Windows";
  for (const PastedLine& line : lines)
    if (RE2::PartialMatch(line.text, mac)) return "macOS";
  return "";
}

bool LooksLikeAnError(const std::string& text) {
  static const RE2 error(R"((?i)\blevel=(?:ERROR|FATAL)|^(?:\[?(?:error|fatal|panic)\b|E )|)"
                         R"(\b(?:error|fatal|panic|failed|failure|cannot|could not|)"
                         R"(unable to|not found|undefined symbol|no such file)\b)");
  static const RE2 other(
      R"(^\[GIN\]|level=(?:DEBUG|TRACE)|\b(?:GET|POST|HEAD|DELETE) +"|^[-*#] |^\$ )");
  return RE2::PartialMatch(text, error) && !RE2::PartialMatch(text, other);
}

bool SameDevice(const LineFact& drop, const LineFact& device) {
  for (const char* field : {"id", "pci", "description"}) {
    const auto a = drop.fields.find(field), b = device.fields.find(field);
    if (a != drop.fields.end() && b != device.fields.end() && a->second == b->second) return true;
  }
  return false;
}

void TakeBack(LogReading& log) {
  for (LineFact& drop : log.facts) {
    if (drop.rule->kind != LineKind::kDrop) continue;
    for (const LineFact& device : log.facts)
      if (device.rule->kind == LineKind::kDevice && device.line.number > drop.line.number &&
          SameDevice(drop, device))
        drop.taken_back = true;
  }
}

// Narrows the versions that the log can be of.
void Date(const LineRule& rule, VersionRange& dated) {
  const auto later = [](const std::string& a, const std::string& b) {
    return a.empty() || (!b.empty() && Holds({a, ""}, b)) ? b : a;
  };
  if (!rule.versions.from.empty()) dated.from = later(dated.from, rule.versions.from);
  if (!rule.versions.below.empty() &&
      (dated.below.empty() || Holds({"", dated.below}, rule.versions.below)))
    dated.below = rule.versions.below;
}

void FindWhatIsMissing(const Knowledge& knowledge, LogReading& log) {
  for (const LineFact& fact : log.facts)
    for (const std::string& id : fact.rule->needs) {
      const auto rule = std::find_if(knowledge.rules.begin(), knowledge.rules.end(),
                                     [&](const LineRule& known) { return known.id == id; });
      if (rule != knowledge.rules.end() && MayWrite(log, rule->versions, rule->level) &&
          log.Find(id) == nullptr)
        log.cut = true;
    }
}

void AddFacts(const std::vector<Match>& matches, const std::vector<PastedLine>& lines, size_t begin,
              LogReading& log) {
  std::vector<bool> lost(lines.size());
  for (const Match& match : matches)
    if (match.rule->kind == LineKind::kLoss || match.rule->kind == LineKind::kUse ||
        match.rule->kind == LineKind::kDrop)
      if (!match.rule->fallback) lost[match.line] = true;
  for (const Match& match : matches) {
    const LineRule& rule = *match.rule;
    const bool own = rule.program == log.program;
    if (!own && IsOfItsOwn(rule.kind)) continue;
    const bool others = !own && !rule.program.empty() && !log.program.empty();
    if (others && rule.kind == LineKind::kHint) continue;
    if (match.line < begin && (own || rule.program.empty())) continue;
    if (own && !log.version.empty() && !Holds(rule.versions, log.version)) continue;
    if (rule.fallback && lost[match.line]) continue;
    // Of several that hold where no other does, the first is the closest.
    if (rule.fallback) lost[match.line] = true;
    if (own) Date(rule, log.dated);
    log.facts.push_back({&rule, lines[match.line], FieldsOf(rule, lines[match.line].text)});
  }
}

}  // namespace

const LineFact* LogReading::Find(std::string_view rule) const {
  for (const LineFact& fact : facts)
    if (fact.rule->id == rule) return &fact;
  return nullptr;
}

std::vector<const LineFact*> LogReading::All(LineKind kind) const {
  std::vector<const LineFact*> all;
  for (const LineFact& fact : facts)
    if (fact.rule->kind == kind && !fact.taken_back) all.push_back(&fact);
  return all;
}

std::vector<const LineFact*> LogReading::Of(std::string_view rule) const {
  std::vector<const LineFact*> all;
  for (const LineFact& fact : facts)
    if (fact.rule->id == rule) all.push_back(&fact);
  return all;
}

int Rank(std::string_view level) {
  return level == "INFO" ? 0 : level == "DEBUG" ? 1 : level == "TRACE" ? 2 : -1;
}

bool MayWrite(const LogReading& log, const VersionRange& versions, const std::string& level) {
  const bool any = versions.from.empty() && versions.below.empty();
  if (!level.empty() && Rank(log.level) < Rank(level)) return false;
  if (any) return true;
  if (!log.version.empty()) return Holds(versions, log.version);
  // Without a version: certain only if all versions that the log can be of do.
  const bool from = versions.from.empty() ||
                    (!log.dated.from.empty() && Holds({versions.from, ""}, log.dated.from));
  const bool below = versions.below.empty() ||
                     (!log.dated.below.empty() && !Holds({versions.below, ""}, log.dated.below)) ||
                     log.dated.below == versions.below;
  return from && below;
}

LogReading ReadLog(const Knowledge& knowledge, std::string_view text,
                   const std::string& ollama_version) {
  const std::vector<PastedLine> lines = PlainLines(text);
  const std::vector<Match> matches = MatchAll(knowledge, lines);
  LogReading log;
  log.lines = lines.size();
  log.program = ProgramOf(matches);
  if (log.program.empty()) log.program = ProgramByMark(knowledge, text);
  log.platform = PlatformOf(lines);
  const size_t begin = log.program.empty() ? 0 : LastStart(matches, log.program, log.starts);
  for (const Match& match : matches) {
    if (match.line < begin || match.rule->program != log.program) continue;
    if (match.rule->kind == LineKind::kStart || match.rule->kind == LineKind::kNote)
      for (const auto& [name, value] : FieldsOf(*match.rule, lines[match.line].text))
        if (name.starts_with("version")) log.version = value;
    if (match.rule->kind == LineKind::kSettings) ReadSettings(lines[match.line].text, log.settings);
  }
  if (log.platform.empty() && IsContainer(log.settings)) log.platform = "container";
  AddFacts(matches, lines, begin, log);
  // Lines of two versions: what is pasted is of two logs, or somebody wrote in it.
  if (!log.dated.from.empty() && !log.dated.below.empty() &&
      !Holds({"", log.dated.below}, log.dated.from))
    log.dated = {};
  // What its own lines say goes before it, and no line is passed over for it.
  if (log.program == "ollama" && log.version.empty() && !ollama_version.empty() &&
      Holds(log.dated, ollama_version))
    log.version = ollama_version;
  for (const LineFact& fact : log.facts) {
    log.begins |= fact.rule->kind == LineKind::kLook;
    log.ends |= fact.rule->kind == LineKind::kNone || fact.rule->kind == LineKind::kDevice;
  }
  const auto debug = log.settings.find("OLLAMA_DEBUG");
  log.level = debug != log.settings.end() ? LevelOfSetting(debug->second, log.version)
                                          : LevelSeen(lines, begin);
  if (log.level.empty() && log.begins) log.level = "INFO";
  std::vector<bool> known(lines.size());
  for (const Match& match : matches) known[match.line] = true;
  for (size_t i = begin; i < lines.size(); ++i) {
    log.cut |= lines[i].gap;
    if (!known[i] && LooksLikeAnError(lines[i].text)) log.unknown.push_back(lines[i]);
  }
  TakeBack(log);
  FindWhatIsMissing(knowledge, log);
  return log;
}

}  // namespace gpustage
