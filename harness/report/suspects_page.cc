#include <fmt/format.h>

#include <algorithm>

#include "harness/report/suspects.h"

namespace gpustage {
namespace {

// A bar would end the cell.
std::string Cell(std::string text) {
  for (size_t bar = text.find('|'); bar != std::string::npos; bar = text.find('|', bar + 2))
    text.insert(bar, 1, '\\');
  return text;
}

std::string Code(const std::string& text) { return "`" + Cell(text) + "`"; }

void AddRow(const Suspect& suspect, std::string& text) {
  text += fmt::format("| {} | {} | {} | {} |\n", suspect.name, Cell(suspect.is), Cell(suspect.see),
                      Cell(suspect.mend));
}

}  // namespace

std::string SuspectsPage(const std::vector<Case>& cases) {
  std::string text =
      "# A scanner finds no GPU, and its log says nothing\n\n"
      "Written by `gpustage explain --page` from the-report.yaml; a test compares. For a log "
      "of your own:\n"
      "`gpustage explain LOGFILE`. Every line here is a run: `gpustage run "
      "scanner-not-loading/the-report --filter CAUSE`.\n\n"
      "## Causes that give the report's log\n\n"
      "The library loads by hand and counts one GPU; the log has lines on cuda_v13 and vulkan, "
      "initial_count=0 and library=cpu.\n";
  std::vector<std::string> looks;
  for (const Case& c : cases)
    if (c.suspect && c.suspect->fits() &&
        std::find(looks.begin(), looks.end(), c.suspect->look) == looks.end())
      looks.push_back(c.suspect->look);
  for (const std::string& look : looks) {
    text += fmt::format(
        "\n### Look: {}\n\n| cause | what it is | you see | what mends it |\n|---|---|---|---|\n",
        look);
    for (const Case& c : cases)
      if (c.suspect && c.suspect->fits() && c.suspect->look == look) AddRow(*c.suspect, text);
  }
  text +=
      "\n## Causes that give another log\n\n| cause | what it is | ruled out by | what mends it "
      "|\n|---|---|---|---|\n";
  for (const Case& c : cases)
    if (c.suspect && !c.suspect->fits()) {
      const Suspect& suspect = *c.suspect;
      const std::string line = suspect.missing.empty()
                                   ? "the report has no line " + Code(suspect.extra)
                                   : "the report has a line " + Code(suspect.missing);
      text += fmt::format("| {} | {} | {} | {} |\n", suspect.name, Cell(suspect.is), line,
                          Cell(suspect.mend));
    }
  return text;
}

}  // namespace gpustage
