// What the loaded libraries of a process need of each other and lack, and who stands before libc:
// derived after the run, from the files of the tree as they were loaded.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/path/reason.h"
#include "harness/run/after_run.h"

namespace gpustage {

struct Evidence;

// An edge from who needs to who is to provide, of which something is missing.
struct Gap {
  int pid = 0;
  std::string requester;  // "" is the program
  std::string provider;   // the library that was loaded for it; "": nobody has the symbols
  std::vector<std::string> versions;  // that it needs and the provider does not define
  std::vector<std::string> symbols;   // the same, as symbol@version; found nowhere else either
  bool unversioned = false;  // the provider has the right name and knows of no versions at all, so
                             // nothing can be checked
  std::string newest = {};   // that the provider defines, of the name of the first of `versions`
  friend bool operator==(const Gap&, const Gap&) = default;
};

// A function of libc that a process takes from somebody else.
struct Interposer {
  int pid = 0;
  std::string function;
  std::string library;
  int event =
      0;  // that shows it; 0: it follows from the order of loading and from what the files export
  friend bool operator==(const Interposer&, const Interposer&) = default;
};

// Who calls dlsym past its PLT: what it asks for and finds is seen, what it does not find is not.
struct UnseenMisses {
  int pid = 0;
  std::string library;  // "" is the program
  friend bool operator==(const UnseenMisses&, const UnseenMisses&) = default;
};

// Where a loaded library, and no other, has ld.so look.
struct OwnPath {
  int pid = 0;
  std::string library;  // "" is the program
  std::string folder;   // of its RUNPATH; $ORIGIN is its own
  friend bool operator==(const OwnPath&, const OwnPath&) = default;
};

struct Linkage {
  std::vector<Gap> gaps;
  std::vector<OwnPath> own_paths;
  std::vector<Interposer> interposers;
  std::vector<UnseenMisses> unseen_misses;
  friend bool operator==(const Linkage&, const Linkage&) = default;
};

// What is missing, in up to three parts.
std::vector<Reason> ReasonsOf(const Gap& gap);

// What each process mapped, to be read after the run.
std::vector<MappedBy> MappedFiles(const Evidence& evidence);

// `after` has what was read of those files.
Linkage LinkageOf(const Evidence& evidence, const AfterRun& after);

}  // namespace gpustage
