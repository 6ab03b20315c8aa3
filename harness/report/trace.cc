#include "harness/report/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/files.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

constexpr int kTraceVersion = 1;

}  // namespace

std::string TraceKindOf(EventKind kind) {
  switch (kind) {
    case EventKind::kSearch:
    case EventKind::kLoad:
    case EventKind::kUnload:
    case EventKind::kSymbol:
    case EventKind::kSymbolMissing:
    case EventKind::kBinding: return "loader";
    case EventKind::kCall: return "calls";
    case EventKind::kOutput:
    case EventKind::kLog: return "log";
    case EventKind::kOpen:
    case EventKind::kLook:
    case EventKind::kList: return "files";
    case EventKind::kProcess:
    case EventKind::kExec:
    case EventKind::kExit:
    case EventKind::kNote:
    case EventKind::kOutcome: break;
  }
  return "processes";
}

std::string EventText(const Event& event) {
  std::string what = ToString(event);
  what.erase(0, what.find(' ') + 1);
  const std::string pid = fmt::format("pid {} ", event.pid);
  if (event.pid != 0 && what.starts_with(pid)) what.erase(0, pid.size());
  return what;
}

namespace {

bool OfLibrary(const Event& event, const std::string& library) {
  return library.empty() || event.subject.find(library) != std::string::npos ||
         DetailText(event).find(library) != std::string::npos;
}

bool OfProcess(const Evidence& evidence, const Event& event, const std::string& wanted) {
  if (wanted.empty()) return true;
  if (event.pid == 0) return false;
  if (wanted == std::to_string(event.pid)) return true;
  const Process* const process = ProcessOf(evidence, event.pid);
  return process != nullptr && process->role.find(wanted) != std::string::npos;
}

bool Passes(const Evidence& evidence, const Event& event, const TraceOptions& options) {
  const bool kind =
      options.kinds.empty() || std::find(options.kinds.begin(), options.kinds.end(),
                                         TraceKindOf(event.kind)) != options.kinds.end();
  return kind && OfLibrary(event, options.library) && OfProcess(evidence, event, options.process);
}

// ToString(event) names the pid; a reader of a timeline wants the role.
std::string TimelineLine(const Evidence& evidence, const Event& event, size_t width) {
  const std::string head =
      fmt::format("  {:>5}  {:>9.3f} ms  {:<14}  ", fmt::format("#{}", event.id),
                  static_cast<double>(event.time_ns) / 1e6, ProcessName(evidence, event.pid));
  return head + Wrapped(EventText(event), head.size(), width) + "\n";
}

std::string DeviceName(const SeenDevice& device) {
  const auto name = device.fields.find("name");
  const auto path = device.fields.find("library_path");
  return (name == device.fields.end() ? "" : name->second) +
         (path == device.fields.end() ? "" : " through " + path->second);
}

std::string DevicesText(const Evidence& evidence) {
  if (!evidence.device_count)
    return fmt::format("What it found is not known: {}.", SentenceOf(evidence.devices_unreadable));
  if (*evidence.device_count == 0) return "No device.";
  std::string text =
      fmt::format("{} device{}", *evidence.device_count, *evidence.device_count == 1 ? "" : "s");
  std::string names;
  if (evidence.devices)
    for (const SeenDevice& device : *evidence.devices)
      if (const std::string name = DeviceName(device); !name.empty())
        names += (names.empty() ? ": " : ", ") + name;
  return text + names + ".";
}

std::string Place(const Evidence& evidence, const FunnelRow& row) {
  if (row.pid == 0) return "no process tried it";
  const Process* const process = ProcessOf(evidence, row.pid);
  std::string text = "in " + ProcessName(evidence, row.pid);
  if (process != nullptr && ProcessOf(evidence, process->parent) != nullptr)
    text += fmt::format(" (child of {})", ProcessName(evidence, process->parent));
  return text;
}

}  // namespace

const std::vector<std::string>& TraceKinds() {
  static const std::vector<std::string> kinds = {"files", "loader", "calls", "log", "processes"};
  return kinds;
}

KeptRun Keep(const CaseReport& report, const RunReport& run) {
  return {report.c.id,           report.c.scenario,          report.c.claim,      run.spec.name,
          run.spec.scanner.name, ToString(run.verdict.kind), run.verdict.because, run.evidence};
}

std::string ProcessName(const Evidence& evidence, int pid) {
  if (pid == 0) return "";
  const Process* const process = ProcessOf(evidence, pid);
  if (process == nullptr || process->role.empty()) return fmt::format("pid {}", pid);
  return fmt::format("{} {}", process->role.substr(process->role.rfind(' ') + 1), pid);
}

std::string Wrapped(const std::string& text, size_t indent, size_t width) {
  std::string out;
  size_t column = indent;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    if (column > indent && column + 1 + (end - start) > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (start > 0) {
      out += ' ';
      ++column;
    }
    out += text.substr(start, end - start);
    column += end - start;
    start = end + 1;
  }
  return out;
}

std::string AnswerText(const Evidence& evidence) {
  std::string text = DevicesText(evidence);
  const std::string end = EndText(evidence), missing = MissingText(evidence);
  if (!missing.empty()) text += " " + missing + ".";
  if (const std::string late = LateText(evidence); !late.empty())
    text += " A call failed: " + late + ".";
  const bool never_began = evidence.bad_end && evidence.bad_end->before_main;
  if (!end.empty() && (never_began || !evidence.device_count)) text += " " + end + ".";
  if (end.empty()) text += LastLineText(evidence);
  const FunnelRow* const row = LostRow(evidence);
  if (never_began && (row == nullptr || !row->failed())) return text;
  if (row == nullptr && evidence.funnel.empty() && evidence.device_count == 0)
    return text + " No process asked for a library of a GPU.";
  if (row == nullptr || (!row->failed() && (evidence.device_count.value_or(0) > 0 ||
                                            !MayHave(evidence.setting, row->stack))))
    return text;
  text += fmt::format(" {} was lost at \"{}\"{} {}", BaseNameOf(row->library),
                      ToString(row->loss->at), row->pid == 0 ? ":" : "", Place(evidence, *row));
  if (const std::string last = LastFact(*row); !last.empty()) text += ", because " + last;
  if (row->failed() && row->loss->said == 0) text += ", and no log line says so";
  if (row->failed() && row->loss->said != 0)
    text += row->loss->said == evidence.outcome_event()
                ? ", and its end says so"
                : fmt::format(", and the log says so (#{})", row->loss->said);
  return text + ".";
}

std::string NotObservable(const Evidence& evidence) {
  std::string text;
  const auto add = [&](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
  if (!evidence.loader_observed)
    add("what it searched, loaded and called: no dynamic program was seen");
  if (WatchesFiles(evidence.level) && !evidence.files_observed &&
      !evidence.files_unobserved.empty())
    add(fmt::format("what the kernel was asked: {}", SentenceOf(evidence.files_unobserved)));
  for (const Process& process : evidence.processes)
    if (evidence.loader_observed && !process.loader_observed)
      add(fmt::format("what {} loaded: its loader was not watched",
                      ProcessName(evidence, process.pid)));
  std::map<std::string, std::string> unseen;  // processes, by library
  for (const UnseenMisses& misses : evidence.linkage.unseen_misses) {
    std::string& in = unseen[misses.library];
    in += (in.empty() ? "" : ", ") + ProcessName(evidence, misses.pid);
  }
  for (const auto& [library, in] : unseen)
    add(fmt::format("which symbols {} asked for in vain: it calls dlsym past its PLT ({})",
                    library.empty() ? "the program" : BaseNameOf(library), in));
  if (!evidence.journal_complete) add("some calls: the journal is not complete");
  if (!evidence.device_count) add("its devices: " + SentenceOf(evidence.devices_unreadable));
  for (const FunnelRow& row : evidence.funnel)
    for (const auto& [step, seen] : row.steps)
      if (seen.state == StepState::kNotObservable && evidence.loader_observed &&
          (!row.loss || step < row.loss->at)) {
        add(fmt::format(
            "whether {}{} was {}{}", step == Step::kEntryPoint ? "the entry point of " : "",
            BaseNameOf(row.library), step == Step::kEntryPoint ? "found" : ToString(step),
            row.pid == 0 ? "" : " in " + ProcessName(evidence, row.pid)));
        break;
      }
  return text;
}

std::string TraceText(const KeptRun& run, const TraceOptions& options) {
  const Evidence& evidence = run.evidence;
  const auto bold = [&](const std::string& text) {
    return options.colour ? "\x1b[1m" + text + "\x1b[0m" : text;
  };
  std::string text = fmt::format("{} [{}]\n", run.id, run.run);
  if (evidence.events.empty())
    return text + Wrapped(fmt::format("Nothing ran: {}", run.because), 0, options.width) + "\n";
  text += bold(Wrapped(AnswerText(evidence), 0, options.width)) + "\n";
  text += FunnelPaths(run, options);
  const std::string hidden = NotObservable(evidence);
  text += "\n  not observable: " + Wrapped(hidden.empty() ? "nothing" : hidden, 18, options.width) +
          "\n";
  const std::string silent = !evidence.silent_failure   ? "not known"
                             : *evidence.silent_failure ? "yes"
                                                        : "no";
  text += "  silent: " +
          Wrapped(fmt::format("{} ({})", silent, SentenceOf(evidence.silent_because)), 10,
                  options.width) +
          "\n";
  for (const std::string& sentence : LinkSentences(evidence))
    text += "  " + Wrapped(sentence, 4, options.width) + "\n";
  if (options.WantsTimeline()) {
    text += "\n";
    for (const Event& event : evidence.events)
      if (Passes(evidence, event, options)) text += TimelineLine(evidence, event, options.width);
    return text;
  }
  const FunnelRow* const lost = LostRow(evidence);
  std::string filter = "--timeline";
  if (lost != nullptr && lost->pid != 0)
    // A box numbers its processes alike each time; a machine does not.
    filter =
        "--process " + (options.program.empty() ? std::to_string(lost->pid)
                                                : lost->role.substr(lost->role.rfind(' ') + 1));
  return text + fmt::format("  next: {} {}{}\n",
                            options.again.empty() ? "gpustage trace " + run.id : options.again,
                            filter, options.program);
}

std::string TraceJson(const std::vector<KeptRun>& runs, const TraceOptions& options) {
  using nlohmann::ordered_json;
  ordered_json list = ordered_json::array();
  for (const KeptRun& run : runs) {
    const Evidence& evidence = run.evidence;
    ordered_json funnel = ordered_json::array(), timeline = ordered_json::array();
    for (const FunnelRow& row : evidence.funnel) {
      if (row.library.find(options.library) == std::string::npos) continue;
      ordered_json needs = ordered_json::array();
      for (const Need& need : row.needs)
        needs.push_back({{"name", need.name},
                         {"for", need.requester},
                         {"found", need.found},
                         {"rule", need.rule},
                         {"places", need.tried.size()},
                         {"event", need.event}});
      funnel.push_back(
          {{"library", row.library},
           {"pid", row.pid},
           {"process", row.role},
           {"reached", row.reached ? ordered_json(ToString(*row.reached)) : ordered_json(nullptr)},
           {"lost_at", row.loss ? ordered_json(ToString(row.loss->at)) : ordered_json(nullptr)},
           {"reason", ReasonText(row)},
           {"cause", ToString(row.cause())},
           {"remark", SentenceOf(row.remark)},
           {"needs", std::move(needs)},
           {"event", row.event},
           {"said", row.loss ? row.loss->said : 0}});
    }
    for (const Event& event : evidence.events)
      if (Passes(evidence, event, options))
        timeline.push_back({{"id", event.id},
                            {"time_ns", event.time_ns},
                            {"pid", event.pid},
                            {"tid", event.tid},
                            {"kind", ToString(event.kind)},
                            {"subject", event.subject},
                            {"detail", DetailText(event)},
                            {"value", event.value}});
    const bool ran = !evidence.events.empty();
    list.push_back(
        {{"id", run.id},
         {"run", run.run},
         {"answer", ran ? AnswerText(evidence) : run.because},
         {"silent_failure",
          evidence.silent_failure ? ordered_json(*evidence.silent_failure) : ordered_json(nullptr)},
         {"not_observable", ran ? NotObservable(evidence) : ""},
         {"links", ran ? LinkSentences(evidence) : std::vector<std::string>{}},
         {"funnel", std::move(funnel)},
         {"timeline", std::move(timeline)}});
  }
  const ordered_json whole = {{"version", kTraceVersion}, {"runs", std::move(list)}};
  return whole.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace gpustage
