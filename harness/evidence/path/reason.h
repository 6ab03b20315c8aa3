// Why a library was lost, what is odd about it, or why something is not known: as data.
// harness/words makes the sentence, and nobody reads that again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/evidence/loader/need.h"

namespace gpustage {

struct Reason {
  enum class Kind {
#define REASON(kind, word) kind,
#include "harness/evidence/path/reason_kinds.inc"
#undef REASON
  };
  Kind kind = Kind::kNone;
  std::string subject = {};  // what it is about
  std::string other = {};
  std::string requester = {};  // who asks for it
  std::string rule = {};       // by which it was found
  std::string version = {};    // of a symbol
  std::string who = {};        // a process's role
  std::string text = {};       // as a program, a file or a log has it
  int pid = 0;                 // of who
  int64_t number = 0;
  int error = 0;  // errno
  int signal = 0;
  int uid = 0;    // whom it befell
  int event = 0;  // that shows it, where it is not the row's
  std::vector<std::string> names = {};
  std::vector<PlacesOfRule> places = {};
  std::vector<Reason> below = {};  // what it says of another library, file or process
  bool empty() const { return kind == Kind::kNone; }
  friend bool operator==(const Reason&, const Reason&) = default;
};

}  // namespace gpustage
