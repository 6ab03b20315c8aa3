// The lines of a pasted text, without what journald, Docker, Kubernetes, compose, a forum or a
// terminal put before them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpustage {

struct PastedLine {
  int number = 0;    // in the text, from 1
  std::string text;  // without colours and what was put before it, without slog's time
  bool gap = false;  // "...": somebody left lines out here
  friend bool operator==(const PastedLine&, const PastedLine&) = default;
};

// Empty lines are left out. A line of Docker's json-file or of journald's JSON is what it holds.
std::vector<PastedLine> PlainLines(std::string_view text);

}  // namespace gpustage
