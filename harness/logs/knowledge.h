// What is known of the lines that programs write, and of the causes behind them: fixtures/logs/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/logs/asked_for.h"
#include "harness/logs/of_program.h"
#include "harness/scenario/model/scanner.h"

namespace gpustage {

// What a line is for a reader. kLoss names causes or tells that something failed; kDrop is of one
// device, and a later line on that device takes it back; kHint points at causes and rules out none;
// kUse is a failure after discovery, when a model is loaded or a kernel is started.
enum class LineKind {
  kStart,
  kSettings,
  kLook,
  kTried,
  kDevice,
  kNone,
  kDone,
  kLoss,
  kDrop,
  kHint,
  kUse,
  kNote,
  kNoise
};

struct LineRule {
  std::string id;
  std::string program;  // "" belongs to whichever program writes it
  std::shared_ptr<const re2::RE2> line;
  LineKind kind = LineKind::kNote;
  VersionRange versions;
  std::string level;   // at which the program writes it; "" at all
  std::string step;    // of the chain: "listed", "loaded", "initialised", …
  std::string vendor;  // "nvidia", "amd", "intel", "" says nothing of it
  std::vector<std::string> causes;
  std::vector<std::string> needs;  // lines that stand before it where nothing was left out
  bool fallback = false;           // holds only where no other rule of a loss does
  bool shared = false;             // other programs print it, too
  std::string quote;               // what a reader looks for: its own words, without a pattern
  std::string says;                // a sentence with {groups}
  std::string source;
  SourcePos pos;
};

// A line that a log with this cause has.
struct WrittenLine {
  std::vector<std::string> lines;  // one of these
  std::string level;
  VersionRange versions;
};

// What causes of one kind have in common; a cause adds its own to it.
struct Way {
  std::string program;
  VersionRange versions;
  std::vector<WrittenLine> writes;
  std::vector<std::string> never;
};

struct Look {
  std::string command;      // with {root}, {dir}, {backend}
  std::string any_command;  // where the log does not say which directory it is
  std::string windows;      // "": none is known there
  std::string other;        // where the log is not Ollama's; "" the same
  std::string llama;        // where it is llama.cpp's; "" as of any other
};

struct LogCause {
  std::string id;
  std::string is, see, mend;  // with {groups} of the line that names it
  std::string look;           // the one observation that tells it from the others
  std::string program, vendor;
  VersionRange versions;
  std::vector<WrittenLine> writes;
  std::vector<std::string> never;  // a log with one of these lines does not have this cause
  bool linux_alone = false;        // it is of nodes, of namespaces or of ld.so
  bool candidate = true;           // is thought of where no line names it
  std::string staged;              // the case that stages it
  SourcePos pos;
};

class AllPatterns;  // all of them at once, in read_log.cc
struct Knowledge {
  std::vector<LineRule> rules;
  mutable std::shared_ptr<const AllPatterns> patterns;  // made when the first log is read
  std::vector<LogCause> causes;
  std::map<std::string, Look> looks;
  std::vector<SilentLoss> silent;
  std::vector<Deeper> deeper;
  std::vector<Mark> marks;
  std::vector<AskedFor> asks;  // the first that fits

  const LogCause* Find(const std::string& cause) const;
};

// All NAME.yaml of the folder; causes.yaml has the causes. Errors name file, line and column.
Result<Knowledge> ReadKnowledge(const std::string& folder);

}  // namespace gpustage
