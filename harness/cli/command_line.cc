#include "harness/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/verb_page.h"

namespace gpustage {
namespace {

constexpr std::string_view kAfter = "--";

std::vector<std::string> NamesOfOptions(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// Nothing where no word is near: the next line says what shows them all.
std::string Perhaps(const std::string& word, const std::vector<std::string>& words) {
  return NearestWord(word, words) ? DidYouMean(word, words) : "";
}

// What CLI11 says of words that it has no use for names none that would do.
std::string Sentence(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> rest = app.remaining();
  // "--filter: 1 required TEXT missing"
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    constexpr std::string_view kRequired = " required ", kMissing = " missing";
    const std::string_view what = error.what();
    const size_t end = what.find(": "), kind = what.find(kRequired);
    if (kind != what.npos && end < kind && what.ends_with(kMissing))
      return fmt::format("{} needs {} behind it", what.substr(0, end),
                         what.substr(kind + kRequired.size(),
                                     what.size() - kind - kRequired.size() - kMissing.size()));
  }
  if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError) || rest.empty())
    return error.what();
  const auto option = std::find_if(rest.begin(), rest.end(), [](const std::string& word) {
    return word.starts_with("-") && word.size() > 1;
  });
  if (option == rest.end()) return fmt::format("{} is one word too many", Quote(rest.front()));
  const std::string name = option->substr(0, option->find('='));
  return fmt::format("no option {}{}", Quote(name), Perhaps(name, NamesOfOptions(app)));
}

// A scenario where a verb should stand is most probably to be run.
std::string PerhapsRun(const std::string& word) {
  const bool is_scenario =
      word.find('/') != std::string::npos || word.ends_with(".yaml") || word.ends_with(".yml");
  return is_scenario ? fmt::format("\n{} run {} runs it", CalledAs(), ShellWord(word)) : "";
}

int NoVerb(const std::string& word) {
  const char* const kind = word.starts_with("-") ? "option" : "command";
  return PrintError({fmt::format("no {} {}{}{}\n{} help lists the commands", kind, Quote(word),
                                 Perhaps(word, NamesOfVerbs()), PerhapsRun(word), CalledAs())},
                    kBadInput);
}

int RunVerb(const Verb& verb, std::vector<std::string> words) {
  Program program;
  if (verb.takes_program) {
    const auto after = std::find(words.begin(), words.end(), kAfter);
    if (after != words.end()) program.assign(after + 1, words.end());
    words.erase(after, words.end());
  }
  CLI::App app(std::string(verb.summary), fmt::format("gpustage {}", verb.name));
  const Action run = verb.declare(app);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(words);
    return run(program);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", HelpText(verb, WidthOfOutput()));
    return kAsExpected;
  } catch (const CLI::ParseError& error) {
    return PrintError({fmt::format("{}: {}\n{} help {} shows what it takes", verb.name,
                                   Sentence(app, error), CalledAs(), verb.name)},
                      kBadInput);
  }
}

}  // namespace

std::string ListOfVerbs() {
  size_t longest = 0;
  for (const Verb& verb : Verbs()) longest = std::max(longest, verb.name.size());
  std::string text =
      "gpustage: why does a program not see the GPU? A fake GPU machine says it.\n\n";
  for (const Verb& verb : Verbs())
    if (!verb.hidden) text += fmt::format("  {:<{}}  {}\n", verb.name, longest, verb.summary);
  return text +
         fmt::format("\n{0} help COMMAND shows what one takes. To begin: {0} run first-steps\n",
                     CalledAs());
}

int RunCommandLine(std::vector<std::string> words) {
  if (words.empty()) {
    fmt::print(stderr, "{}", ListOfVerbs());
    return kBadInput;
  }
  std::string name = std::move(words.front());
  words.erase(words.begin());
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const Verb* const verb = FindVerb(name);
  return verb == nullptr ? NoVerb(name) : RunVerb(*verb, std::move(words));
}

}  // namespace gpustage
