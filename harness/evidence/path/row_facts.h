// What the events of one process say of one candidate library, before anybody draws a conclusion.
#pragma once

#include <string>

#include "harness/evidence/evidence.h"

namespace gpustage {

// Events; 0: there is none.
struct RowFacts {
  EventId opened = 0;   // the loader was asked for it by its path
  EventId loaded = 0;   // it was mapped
  EventId entry = 0;    // its entry point was looked up and found
  EventId closed = 0;   // it was let go while the program went on
  bool ended = false;   // the process ended in order: the loader let go of the program itself
  std::string same_as;  // it is the same file as this one, which was there already

  EventId initialised = 0;  // a call that starts CUDA, and worked
  EventId refused = 0;      // one that did not
  EventId counted = 0;      // a call about a device, that worked
  EventId count_error = 0;  // the count that failed, after devices were asked for
  EventId died = 0;         // a call that never returned, or ggml_abort
  EventId null_entry = 0;   // ggml_backend_init, which gave nothing
  EventId missed = 0;       // a function of the family that was looked up in it and is not there
  EventId none = 0;         // a count that gave 0
  EventId blind_count = 0;  // one that worked, and how many it gave is not known
  bool by_name = false;     // it was asked for by its bare name
  bool went_on = false;     // the process did something after the load
  EventId late = 0;         // the last call that failed after a device was counted
  int inits = 0;            // how often ggml_backend_init of this file was taken
  EventId last_call = 0;

  bool Touched() const { return opened != 0 || loaded != 0 || entry != 0; }
};

// Whether `path` is `normal`, a path without "..", when it is read without "..".
bool IsSamePath(const std::string& path, const std::string& normal);

// `library` is a path without "..".
RowFacts FactsOf(const Evidence& evidence, const std::string& library, int pid);

}  // namespace gpustage
