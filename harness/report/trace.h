// What `gpustage trace` prints: the answer, the path of each candidate library, and on demand the
// timeline.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/store/kept_run.h"
#include "harness/report/case_report.h"

namespace gpustage {

// A change that `why` has proven to bring the device back.
struct ProvenTry {
  std::string subject;  // a path, a variable or a function
  std::string words;
};

struct TraceOptions {
  bool timeline = false;
  std::vector<std::string> kinds;  // "files", "loader", "calls", "log", "processes"; empty: all
  std::string library;             // a part of its path
  std::string process;             // a pid, or a part of a role
  std::vector<ProvenTry> proven;   // of this run; empty where nobody asked why
  bool colour = false;
  size_t width = 100;
  std::string program;  // " -- PROGRAM ARGS" of trace --host, as a shell takes it; "" in a box
  std::string again;  // the command line that shows this run again, for the next step; "" for trace
                      // and its id

  bool WantsTimeline() const {
    return timeline || !kinds.empty() || !library.empty() || !process.empty();
  }
};

// Every word of TraceOptions::kinds.
const std::vector<std::string>& TraceKinds();

KeptRun Keep(const CaseReport& report, const RunReport& run);

std::string TraceText(const KeptRun& run, const TraceOptions& options);
// {"version": 1, "runs": [{"id", …, "answer", "funnel": […], "timeline": […]}]}: events that the
// filters leave.
std::string TraceJson(const std::vector<KeptRun>& runs, const TraceOptions& options);

// An event without its number and its process: "cuInit(flags=0) = 100".
std::string EventText(const Event& event);
// The word of TraceKinds that an event is of.
std::string TraceKindOf(EventKind kind);

// "runner 7"
std::string ProcessName(const Evidence& evidence, int pid);
// "No device. libggml-cuda.so was lost at "loaded" in runner 7 (child of serve 2), and no log line
// says so."
std::string AnswerText(const Evidence& evidence);
// Where something could not be seen; "" when nothing was hidden.
std::string NotObservable(const Evidence& evidence);

// The funnel's part of it.
std::string FunnelPaths(const KeptRun& run, const TraceOptions& options);
// What libraries lack of each other, who stands before libc, what was used from outside the tree.
std::vector<std::string> LinkSentences(const Evidence& evidence);
// In lines of at most `width`, all but the first behind `indent` spaces.
std::string Wrapped(const std::string& text, size_t indent, size_t width);

}  // namespace gpustage
