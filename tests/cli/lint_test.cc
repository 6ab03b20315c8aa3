// gpustage lint over the collection: it finds nothing there, and nearly all mistakes that named
// mechanical operators make of its files. GPUSTAGE_SEED chooses others.
#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <sstream>

#include "harness/base/files.h"
#include "harness/run/workspace.h"
#include "tests/support/matchers.h"
#include "tests/support/source_dir.h"

namespace gpustage {
namespace {

using Random = std::mt19937;
using Lines = std::vector<std::string>;

// What makes a mistake of the lines of a scenario; false where they have no place for it.
struct Operator {
  const char* name;
  std::function<bool(Lines&, Random&)> apply;
};

size_t Below(size_t limit, Random& random) { return random() % limit; }

// One of the lines that match.
std::optional<size_t> OneOf(const Lines& lines, const char* pattern, Random& random) {
  std::vector<size_t> places;
  for (size_t i = 0; i < lines.size(); ++i)
    if (RE2::PartialMatch(lines[i], pattern)) places.push_back(i);
  if (places.empty()) return std::nullopt;
  return places[Below(places.size(), random)];
}

Operator Replaces(const char* name, const char* pattern, const char* with) {
  return {name, [=](Lines& lines, Random& random) {
            const auto at = OneOf(lines, pattern, random);
            return at && RE2::Replace(&lines[*at], pattern, with);
          }};
}

// The line again: an item of a list that stands in a line of its own.
Operator Doubles(const char* name, const char* pattern) {
  return {name, [=](Lines& lines, Random& random) {
            const auto at = OneOf(lines, pattern, random);
            if (!at) return false;
            const std::string line = lines[*at];
            const auto depth = [](const std::string& text) {
              return std::count(text.begin(), text.end(), '{') -
                     std::count(text.begin(), text.end(), '}');
            };
            if (depth(line) != 0) return false;
            lines.insert(lines.begin() + static_cast<long>(*at), line);
            return true;
          }};
}

// Two neighbouring letters of what the group matches change places.
Operator Misspells(const char* name, const char* pattern) {
  return {name, [=](Lines& lines, Random& random) {
            const auto at = OneOf(lines, pattern, random);
            if (!at) return false;
            re2::StringPiece word;
            RE2::PartialMatch(lines[*at], pattern, &word);
            const size_t start = static_cast<size_t>(word.data() - lines[*at].data());
            for (int tries = 0; tries < 20; ++tries) {
              const size_t i = start + Below(word.size() - 1, random);
              std::string& line = lines[*at];
              if (line[i] == line[i + 1] || !std::isalpha(line[i]) || !std::isalpha(line[i + 1]))
                continue;
              std::swap(line[i], line[i + 1]);
              return true;
            }
            return false;
          }};
}

Operator Appends(const char* name, const char* what, const char* unless) {
  return {name, [=](Lines& lines, Random& random) {
            if (OneOf(lines, unless, random)) return false;
            lines.push_back(what);
            return true;
          }};
}

const std::vector<Operator>& Operators() {
  static const std::vector<Operator> all = {
      Misspells("a key", "^([a-z_]{4,}):"),
      Misspells("a key of an expectation",
                "(?:[{,] |^ +- |^    )(devices|lost|reached|loads|calls|log): "),
      Misspells("a step", "at: (loaded|listed|matched|opened|initialised|counted|reported)\\b"),
      Misspells("a cause", "cause: ([a-z-]{6,})"),
      Misspells("a library that is lost", "lost: \\{library: (libggml-cuda)\\.so"),
      Misspells("a library that is loaded",
                "loads: \\{library: (libcuda|libcudart|libcublas)\\.so"),
      Misspells("a variable",
                "^(?:env: \\{|  )(CUDA_VISIBLE_DEVICES|LD_LIBRARY_PATH|OLLAMA_DEBUG):"),
      Misspells("the variable of an axis",
                "set: env\\.(CUDA_VISIBLE_DEVICES|LD_LIBRARY_PATH|OLLAMA_DEBUG)"),
      Misspells("a path that is changed", "(?:chmod|remove): /usr/(local/lib/ollama)"),
      Misspells("a layout", "^layout: \\[([a-z-]{6,})"),
      Misspells("a device", "devices: \\[([a-z]{3,}-)"),
      Misspells("a scanner", "scanner: (ollama-model|ggml|dlopen)\\b"),
      Misspells("a function", "function: (cu[A-Z][A-Za-z]+)"),
      Replaces("a count that cannot fail", "\\bdevices: \\d+", "devices: {at_least: 0}"),
      Replaces("calls that may be none", "count: \\d+", "count: {at_least: 0}"),
      Replaces("a pattern of every line", "has: \\[[^\\]]+\\]", "has: [{re: \".*\"}]"),
      Replaces("a claim to be written", "^claim: .*", "claim: TODO say what is so"),
      Replaces("a claim of one word", "^claim: .*", "claim: works"),
      Replaces("no expectation", "^expect:.*", "expected:"),
      Replaces("two numbers of devices", "^  - \\{devices: 1", "  - {devices: 2}\n  - {devices: 1"),
      Replaces("the same layout twice", "^layout: \\[([a-z0-9-]+)", "layout: [\\1, \\1"),
      Replaces("an axis of equal values", "to: \\[(\"?[\\w.]+\"?), ",
               "to: [\\1, {as: again, value: \\1}, "),
      Replaces("a fault of no device", "function: (cu[A-Z]\\w+)", "function: \\1, device: 31"),
      Replaces("a fault that is none", "(function: \\w+, )return: \\w+", "\\1return: 0"),
      Doubles("an expectation twice", "^  - \\{.*\\}$"),
      Doubles("an operation twice", "^  - \\{(library|symlink|file|chmod).*\\}$"),
      Doubles("a run twice", "^  - \\{name: .*scanner: .*\\}$"),
      Appends("an empty list", "env: {}", "^env:"),
      Appends("tags that are none", "tags: []", "^tags:"),
      Appends("an axis of one value", "matrix: {one: {set: env.GPUSTAGE_ONE, to: [a]}}",
              "^matrix:"),
      Appends("an axis that changes nothing",
              "matrix: {idle: {set: user, to: [nobody, {as: same, value: nobody}]}}",
              "^matrix:|^user:"),
      Appends("an operation that the next undoes",
              "tree: [{file: /opt/x, content: a}, {remove: /opt/x}]", "^tree:"),
      Appends("a known failure of no report", "xfail: {reason: it fails}", "^xfail:"),
  };
  return all;
}

std::vector<std::string> Collection() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(InSources("/scenarios")))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

int Gpustage(const std::string& words) {
  const int status = std::system((std::string(GPUSTAGE_PROGRAM) + " " + words + " 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Lint, FindsNothingInTheCollection) { EXPECT_EQ(Gpustage("lint"), 0); }

TEST(Lint, FindsOfTwoHundredMechanicalMistakesNinetyFiveInAHundred) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const char* const seed = std::getenv("GPUSTAGE_SEED");
  Random random(seed == nullptr ? 1u : static_cast<unsigned>(std::atoi(seed)));
  const std::vector<std::string> files = Collection();
  constexpr int kMistakes = 200;
  std::vector<std::string> missed;
  for (int made = 0, tries = 0; made < kMistakes; ++tries) {
    ASSERT_LT(tries, 100'000) << "an operator has no place in any file";
    const Operator& mistake = Operators()[static_cast<size_t>(made) % Operators().size()];
    const std::string& file = files[Below(files.size(), random)];
    std::istringstream in(*ReadFile(file));
    Lines lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    // One with a file beside it does not stand alone.
    if (OneOf(lines, "\\./", random) || !mistake.apply(lines, random)) continue;
    ++made;
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    const std::string changed = scratch.path() + "/changed.yaml";
    ASSERT_THAT(WriteFile(changed, text), IsOk());
    const std::string quiet = " " + changed + " >/dev/null";
    if (Gpustage("lint" + quiet) == 0 && Gpustage("check" + quiet) == 0)
      missed.push_back(std::string(mistake.name) + " in " + file);
  }
  for (const std::string& mistake : missed) std::printf("missed: %s\n", mistake.c_str());
  EXPECT_LE(missed.size(), kMistakes / 20u);
}

}  // namespace
}  // namespace gpustage
