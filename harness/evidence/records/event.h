// One thing that happened in a run: a line of its timeline.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpustage {

using EventId = int;  // counted from 1 in order of time; 0: none

enum class EventKind {
  kProcess,  // subject: executable; detail: command line; value: parent pid
  kSearch,   // subject: the name or candidate path that the loader looked for; rule; by: for whom
  kLoad,     // subject: path of the object that was mapped; detail: its build-id in hex, "" when it
             // has none
  kUnload,   // subject: path of the object
  kSymbol,   // subject: a symbol that dlsym found; detail: path of its provider
  kSymbolMissing,  // subject: a symbol that dlsym did not find; detail: where it looked; by: the
                   // path of the library that it looked in, "" for a scope
  kBinding,  // subject: a function of libc that another object stands before; detail: path of that
             // object
  kCall,     // subject: function of a fake; detail: arguments; value: result; fault, gives
  kNote,     // subject: what a program of ours had to say
  kLog,      // subject: the line; detail: "stdout" or "stderr"
  kOutcome,  // subject: how the scanner ended; always the last
  // As the kernel was asked: any process, static ones too. value: errno, or kNoAnswer; detail: the
  // call; links: that were followed; by: what they ended at, "" when none was.
  kOpen,    // subject: the path, absolute
  kLook,    // subject: the path that stat, access or readlink named
  kList,    // subject: the directory whose entries were read, under the name by which it was opened
  kExec,    // subject: the program; detail: its words
  kOutput,  // subject: a line that a process printed where it does not come to us; detail: its
            // stream; by: a file that it went to, "" another process; value: 1 where what follows
            // was cut
  kExit,    // subject: how the process ended
};

// A name was asked for, and what the kernel said cannot be known.
inline constexpr int64_t kNoAnswer = -1;

// Why the loader looked where it did. Its flag is one for LD_LIBRARY_PATH and RPATH.
enum class SearchRule { kNone, kAsAsked, kPathOrRpath, kRunpath, kCache, kDefault };

std::string ToString(EventKind kind);  // "search"
std::optional<EventKind> ParseEventKind(const std::string& word);

struct Event {
  EventId id = 0;
  int64_t time_ns = 0;  // since the start of the run
  int pid =
      0;  // as inside the box; 0 when the kind does not say (a log line's writer is not known)
  int tid = 0;
  EventKind kind = EventKind::kNote;
  std::string subject;
  std::string detail;
  int64_t value = 0;
  int device = -1;         // kCall: ordinal that it asks about
  bool assumed = false;    // kCall: nobody has recorded or published what was answered
  uint64_t object = 0;     // kSearch: who asked; kLoad, kUnload, kSymbol, kSymbolMissing, kBinding:
                           // which object; the loader's own id in its process
  bool discarded = false;  // kOutput: it reached nobody
  bool first_name = false;  // kSearch: the name as it was asked for, not a candidate made from it
  SearchRule rule = SearchRule::kNone;
  // kSearch: the rule that led to this path, with its entry, "LD_LIBRARY_PATH[2]"; kLoad: that by
  // which it was found. "": a name or a path as it was asked for. Not kept: it follows from the
  // rest.
  std::string found_by = {};
  std::string by = {};
  bool writes = false;                  // kOpen: it was opened to write, too
  std::vector<std::string> links = {};  // kOpen, kLook
  std::string fault = {};               // kCall: what the scenario did to it: "hang", "return 35"
  std::optional<int64_t> gives = {};    // kCall: the number that a count wrote
  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace gpustage
