// What a verb takes, read back from the options that it declares: the source of help, of the manual
// page, of docs/commands.md and of the completions.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/verbs.h"

namespace gpustage {

struct PageEntry {
  std::vector<std::string> names;  // {"--jobs", "-j"}, or {"path"}
  std::string value;               // "N", "auto|always|never"; "" for a flag
  std::string about;

  std::string Title() const;  // "--jobs, -j N"
};

struct VerbPage {
  std::string usage;  // "run [OPTIONS] [path…]"
  std::string summary;
  std::vector<PageEntry> arguments;
  std::vector<PageEntry> options;
  std::string remark;  // one paragraph; may be ""
};

VerbPage PageOf(const Verb& verb);

// Each in one text: what `gpustage help --format` prints.
std::string HelpText(const Verb& verb, size_t width);
std::string ManualPage();
std::string MarkdownPage();

}  // namespace gpustage
