// What was asked and read once a run had ended: raw records, as those of the run itself. Whoever
// decodes a run that was kept has these, and no tree any more.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/base/elf_file.h"
#include "harness/base/out_of_line.h"
#include "harness/run/look.h"

namespace gpustage {

// What the system says of a path to whoever opens it and loads it: see recorders/ask.c.
struct DlopenAnswer {
  std::string path;
  int list_error = 0;      // errno of listing its directory
  int open_error = 0;      // errno of opening it
  int signal = 0;          // a dlopen of it killed its process
  std::string load_error;  // what dlerror said; "" when it loaded
  int exit_code = 0;  // with which the loader itself ended that process, and dlopen said nothing
  // 'f' file, 'd' directory, 'l' a link that ends at nothing, '?' nothing has the name, '!' whoever
  // asks is killed.
  char kind = '?';
  int64_t size = 0;
  uint64_t inode = 0;
  std::string head = {};  // its first bytes
  friend bool operator==(const DlopenAnswer&, const DlopenAnswer&) = default;
};

// To each process's question apart: two processes with two environments are two answers.
struct Answered {
  std::vector<std::string> environment;  // of the question
  std::vector<DlopenAnswer> answers;
  friend bool operator==(const Answered&, const Answered&) = default;
};

// Functions of libc of which it matters who gives them to a program.
inline constexpr const char* kInterposable[] = {"dlopen", "dlsym",  "open",
                                                "read",   "malloc", "execve"};

// What ld.so reads of a file that was mapped.
struct MappedFile {
  std::string path;
  std::string soname;
  std::vector<std::string> needed;
  std::string runpath;
  std::vector<WantedVersion> wanted_versions;
  std::vector<std::string> versions;  // that it defines
  std::vector<std::string> provides;  // of kInterposable
  bool asks_past_plt = false;         // ElfFile's
  friend bool operator==(const MappedFile&, const MappedFile&) = default;
};

// Whether a library that the loader has under this path, and that has this SONAME, is meant by the
// name that somebody needs.
inline bool IsCalled(const std::string& path, const std::string& soname, const std::string& name) {
  return path.substr(path.rfind('/') + 1) == name || path == name || soname == name;
}

// Symbols that a mapped file wants and that no file which its process mapped has. Where a library
// that it needs was not mapped at all, that is what is missing, and they are not counted.
struct LackedSymbols {
  int pid = 0;
  std::string object;  // as the loader calls it: "" is the program
  std::vector<WantedSymbol> symbols;
  friend bool operator==(const LackedSymbols&, const LackedSymbols&) = default;
};

struct AfterRun {
  OUT_OF_LINE_MEMBERS(AfterRun);
  int uid = 0;  // who was refused, where somebody was
  std::vector<Answered> answered;
  std::vector<Looked> looked;
  std::map<std::string, std::string> ends;  // of paths: what they end at, whatever links lead there
  std::vector<MappedFile> mapped;
  std::vector<LackedSymbols> lacked;
  std::string preload;                        // what /etc/ld.so.preload says
  std::vector<std::string> host_directories;  // of this machine, shown at their own paths
  std::vector<std::string> own_kernel_files;  // below /proc: the tree has one of its own
  // Files that are a GPU library of this machine which is there because a program is linked to it,
  // and nobody asked for.
  std::vector<std::string> of_machine;
  friend bool operator==(const AfterRun&, const AfterRun&) = default;
};

// What the evidence leaves open, to be asked of the tree.

// Paths to be loaded, in the environment of the process that tried. Those that begin with kLookOnly
// (run.h) are where a dependency was looked for, and where another copy of one may lie.
struct Question {
  std::vector<std::string> paths;
  std::vector<std::string> environment;  // empty: nobody tried, so that of the run
};
// What a process mapped, in order.
struct MappedBy {
  int pid = 0;
  std::string program;               // the file whose name the loader does not say
  std::vector<std::string> objects;  // "" is the program
};
// A library that a process looked for in vain: whether a RUNPATH of what it mapped leads to it.
struct Sought {
  int pid = 0;
  std::string name;
};
struct Questions {
  std::vector<Question> dlopens;
  std::vector<std::string> looks;
  std::vector<std::string> ends;
  std::vector<MappedBy> mapped;
  std::vector<Sought> sought;
  std::vector<std::string> kernel_files;  // that were asked for below /proc, of no process
  std::vector<std::string> used;          // all other files that were opened, run or mapped
};

}  // namespace gpustage
