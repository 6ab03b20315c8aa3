#include "harness/logs/issue.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <map>
#include <nlohmann/json.hpp>

#include "harness/logs/answer.h"
#include "harness/logs/placeholders.h"

namespace gpustage {
namespace {

constexpr size_t kMostCauses = 5;  // told in full; more are counted
constexpr int kFarthest = 2;       // lines of prose between two lines of one log

// A fence: its mark, and how many of it.
size_t FenceOf(const std::string& line, char& mark) {
  const size_t begin = line.find_first_not_of(" >");
  if (begin == std::string::npos || (line[begin] != '`' && line[begin] != '~')) return 0;
  mark = line[begin];
  const size_t end = line.find_first_not_of(mark, begin);
  const size_t length = (end == std::string::npos ? line.size() : end) - begin;
  // ```text``` in one line is code, not a fence.
  const bool closed =
      end != std::string::npos && mark == '`' && line.find('`', end) != std::string::npos;
  return length < 3 || closed ? 0 : length;
}

bool IsWritten(const Knowledge& knowledge, const std::string& line) {
  static const RE2 log_line(
      R"(\blevel=[A-Z]+ |\bmsg="|^\S* ?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d)");
  if (RE2::PartialMatch(line, log_line)) return true;
  for (const PastedLine& plain : PlainLines(line))
    for (const LineRule& rule : knowledge.rules)
      if (rule.kind != LineKind::kNoise && rule.kind != LineKind::kNote &&
          RE2::PartialMatch(plain.text, *rule.line))
        return true;
  return false;
}

struct Reader {
  const Knowledge& knowledge;
  std::vector<Paste> pastes;
  Paste open;     // the paste that is being read
  int last = 0;   // its last line
  char mark = 0;  // of the fence that it is in
  size_t length = 0;

  void Close() {
    if (!open.text.empty()) pastes.push_back(open);
    open = {};
  }
  void Take(const std::string& line, int number, bool fenced) {
    if (open.text.empty()) open = {number, fenced, ""};
    open.text += line + "\n";
    last = number;
  }
  void Read(const std::string& line, int number) {
    char found = 0;
    const size_t fence = FenceOf(line, found);
    if (length > 0 && fence >= length && found == mark) {
      length = 0;
      Close();
    } else if (length > 0) {
      Take(line, number, true);
    } else if (fence > 0) {
      Close();
      mark = found;
      length = fence;
    } else if (IsWritten(knowledge, line)) {
      if (number - last > kFarthest + 1) Close();
      Take(line, number, false);
    }
  }
};

// A fence that no line of the text can end.
std::string Fenced(const std::string& text) {
  std::string fence = "~~~";
  while (text.find(fence) != std::string::npos) fence += '~';
  return fence + "text\n" + text + (text.ends_with('\n') ? "" : "\n") + fence + "\n";
}

std::string CausesOf(const Knowledge& knowledge, const LogReading& log,
                     const Explanation& explanation, const std::vector<WeighedCause>& causes) {
  const auto places = PlacesOf(log);
  std::string text;
  size_t told = 0;
  for (const WeighedCause& weighed : causes) {
    if (++told > kMostCauses) break;
    const LogCause& cause = *weighed.cause;
    std::map<std::string, std::string> values = places;
    if (weighed.by != nullptr)
      for (const auto& [name, value] : weighed.by->fields) values[name] = value;
    const std::map<std::string, std::string> all = WithAll(values, explanation.says, cause);
    text += fmt::format("- **{}**: {}.\n  - mends it: {}\n", cause.id, Filled(cause.is, all),
                        Filled(cause.mend, all));
    if (const std::string command = LookFor(knowledge, cause, values); !command.empty())
      text += fmt::format("  - check: `{}`{}\n", command,
                          cause.see.empty() ? "" : ", which shows: " + Filled(cause.see, values));
    if (!cause.staged.empty())
      text += fmt::format("  - looks alike: `gpustage run {}`\n", cause.staged);
  }
  if (causes.size() > kMostCauses)
    text += fmt::format("- and {} more\n", causes.size() - kMostCauses);
  return text;
}

// Its own lines, each with what it says.
std::string LinesOf(const LogReading& log, const Explanation& explanation) {
  std::string text = HeadlineOfPaste(log, explanation);
  if (!text.empty()) text += "\n\n";
  for (const LineFact* fact : explanation.says) {
    text += Fenced(fact->line.text);
    std::map<std::string, std::string> values = PlacesOf(log);
    for (const auto& [name, value] : fact->fields) values[name] = value;
    if (!fact->rule->says.empty()) text += Filled(fact->rule->says, values) + ".\n";
    text += "\n";
  }
  return text;
}

std::string CommentOn(const Knowledge& knowledge, const LogReading& log,
                      const Explanation& explanation) {
  std::string text = LinesOf(log, explanation);
  if (!explanation.named.empty())
    return text +
           (explanation.named.size() == 1 ? "The log names the cause:\n\n"
                                          : "The log leaves these causes:\n\n") +
           CausesOf(knowledge, log, explanation, explanation.named);
  for (const PastedLine& line : log.unknown)
    text += "Not known here, and it may be what matters:\n\n" + Fenced(line.text) + "\n";
  if (explanation.outcome == LogOutcome::kHealthy || explanation.left.empty()) return text;
  text += fmt::format("This log cannot tell the cause: {} remain possible.\n\n",
                      explanation.left.size());
  if (const std::string deeper = DeeperText(knowledge, log); !deeper.empty())
    text += "Please send a log that says more:\n\n" + Fenced(deeper.substr(deeper.find(": ") + 2)) +
            "\n";
  return text + "Until then, what is most worth a look:\n\n" +
         CausesOf(knowledge, log, explanation, explanation.left);
}

// Ollama's version, as the form of its issues has it, or `ollama -v`; "" where two are named.
std::string OllamaVersion(std::string_view issue) {
  static const RE2 version(
      R"((?i)\b(?:ollama(?: client)?|warning: client) version(?: is)?\W{0,12}v?(\d+\.\d+\.\d+)\b)");
  re2::StringPiece rest(issue.data(), issue.size());
  std::string one, other;
  while (RE2::FindAndConsume(&rest, version, &other)) {
    if (!one.empty() && one != other) return "";
    one = other;
  }
  return one;
}

// A log that nobody has shown: of what the issue says of version and platform.
LogReading AsSaid(const std::string& markdown, const std::string& program) {
  static const RE2 container(R"((?i)\b(?:docker|container|podman|kubernetes|compose)\b)");
  static const RE2 windows(R"((?i)\bwindows\b)"), linux_too(R"((?i)\b(?:wsl2?|linux)\b)");
  LogReading log;
  log.program = program;
  if (program == "ollama") log.version = OllamaVersion(markdown);
  if (RE2::PartialMatch(markdown, container))
    log.platform = "container";
  else if (RE2::PartialMatch(markdown, windows) && !RE2::PartialMatch(markdown, linux_too))
    log.platform = "Windows";
  return log;
}

}  // namespace

std::string MarkdownOf(std::string_view issue) {
  const auto event = nlohmann::json::parse(issue, nullptr, false);
  if (!event.is_object()) return std::string(issue);
  std::string text, titles;  // what a title quotes stands last, so that lines keep their numbers
  bool is_issue = false;     // other JSON is pasted, as that of vulkaninfo
  const auto add = [&](const nlohmann::json& holder) {
    const auto body = holder.find("body");
    is_issue |= body != holder.end();
    if (body != holder.end() && body->is_string()) text += body->get<std::string>() + "\n\n";
    if (const auto title = holder.find("title"); title != holder.end() && title->is_string())
      titles += title->get<std::string>() + "\n";
  };
  add(event);
  for (const char* part : {"issue", "pull_request", "discussion", "comment"})
    if (const auto holder = event.find(part); holder != event.end() && holder->is_object())
      add(*holder);
  return is_issue ? text + titles : std::string(issue);
}

std::vector<Paste> PastesOf(const Knowledge& knowledge, std::string_view issue) {
  const std::string text = MarkdownOf(issue);
  Reader reader{knowledge, {}, {}, 0, 0, 0};
  int number = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    if (line.ends_with('\r')) line.pop_back();
    reader.Read(line, ++number);
    start = end + 1;
  }
  reader.Close();
  return reader.pastes;
}

std::string IssueComment(const Knowledge& knowledge, const std::string& markdown,
                         const std::vector<Paste>& pastes) {
  const std::string version = OllamaVersion(markdown);
  std::string text;
  std::map<std::string, int> said;  // a comment, and the log that it was of
  int number = 0;
  for (const Paste& paste : pastes) {
    const LogReading log = ReadLog(knowledge, paste.text, version);
    const Explanation explanation = Weigh(knowledge, log);
    const bool speaks = !explanation.says.empty() || !explanation.devices.empty() ||
                        explanation.outcome == LogOutcome::kNone;
    if (!speaks) continue;
    text += fmt::format("### Log {} (line {} of the issue)\n\n", ++number, paste.line);
    const std::string causes = CausesOf(knowledge, log, explanation, explanation.named);
    const auto [before, fresh] = said.emplace(causes, number);
    text += fresh || causes.empty()
                ? CommentOn(knowledge, log, explanation)
                : LinesOf(log, explanation) +
                      fmt::format("The same causes as of log {}.\n", before->second);
    text += "\n";
  }
  return text;
}

std::string QuestionBack(const Knowledge& knowledge, const std::string& markdown) {
  static const RE2 of_gpu(
      R"((?i)\b(?:gpus?|cuda|nvidia|geforce|rtx|gtx|tesla|quadro|radeon|rocm|amdgpu|vram)\b)");
  if (!RE2::PartialMatch(markdown, of_gpu)) return "";
  for (const AskedFor& ask : knowledge.asks) {
    if (!RE2::PartialMatch(markdown, *ask.speaks)) continue;
    std::string say = ask.say;
    if (!ask.program.empty()) {
      const std::string deeper = DeeperText(knowledge, AsSaid(markdown, ask.program));
      if (deeper.empty()) continue;
      say = deeper.substr(deeper.find(": ") + 2);
    }
    return "No log in this issue says why the GPU is not used. The one thing that tells more:\n\n" +
           Fenced(say);
  }
  return "";
}

}  // namespace gpustage
