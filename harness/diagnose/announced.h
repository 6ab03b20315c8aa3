// A cause that somebody announced ("OLLAMA_NUM_GPU=999 must be set"), held against the machine: the
// scanner runs with it, and where something else mends the machine, without it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/diagnose/why.h"
#include "harness/scenario/catalog/catalog.h"
#include "harness/scenario/read/readers.h"

namespace gpustage {

// What is to be changed if the cause is one.
struct Announcement {
  Fix change;
  std::string words;
};

// `{tree: […], env: {…}, user: …, groups: […], machine: {…}, scanner: …, layout: […]}`, as a fix in
// a scenario.
Result<Announcement> ReadChange(const std::string& yaml, const Catalog& catalog);
// "NAME=VALUE must be set", "NAME must not be set", "/path -> target", "/path must go", "chmod 0755
// /path", "run as root".
Result<Announcement> ReadAnnouncement(const std::string& text);

struct Held {
  Announcement announced;
  Goal goal;  // counts are 1 where it is met
  std::optional<int64_t> before;
  bool is_so_already = false;
  std::vector<std::optional<int64_t>> with_it;
  bool brings_back = false;  // in all of them
  std::optional<Mending> mending;
  std::vector<std::optional<int64_t>> without_it;  // in the machine that `mending` mends
  bool is_needed = true;                           // false: it works without
  int starts = 0;
};

Held Hold(const Announcement& announced, const FlatCase& flat, const WhyReport& report,
          CaseRunner& runner, const WhyOptions& options);

std::string HeldText(const Held& held);
std::string HeldJson(const Held& held);

}  // namespace gpustage
