#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/cli/command_line.h"
#include "harness/cli/commands.h"
#include "harness/cli/completion.h"
#include "harness/cli/declare.h"
#include "harness/cli/help_topic.h"
#include "harness/cli/options.h"
#include "harness/cli/verb_page.h"

namespace gpustage {
namespace {

struct HelpOptions {
  std::string verb;
  std::string format = "text";
};

int Help(const HelpOptions& options) {
  if (options.format == "man") {
    fmt::print("{}", ManualPage());
  } else if (options.format == "markdown") {
    fmt::print("{}", MarkdownPage());
  } else if (options.format != "text") {
    fmt::print("{}", CompletionScript(options.format));
  } else if (options.verb.empty()) {
    fmt::print("{}", ListOfVerbs());
  } else if (const Verb* const verb = FindVerb(options.verb)) {
    fmt::print("{}", HelpText(*verb, WidthOfOutput()));
  } else if (const auto topic = TopicText(options.verb, WidthOfOutput())) {
    fmt::print("{}", *topic);
  } else {
    std::vector<std::string> words = NamesOfVerbs();
    const std::vector<std::string> topics = TopicWords();
    if (const auto near = NearestWord(options.verb, topics); near) words.push_back(*near);
    return PrintError({fmt::format("no command and no word of a scenario {}{}", Quote(options.verb),
                                   DidYouMean(options.verb, words))},
                      kBadInput);
  }
  return kAsExpected;
}

}  // namespace

Action DeclareHelp(CLI::App& app) {
  const auto options = std::make_shared<HelpOptions>();
  AddOption(app, "command", options->verb,
            "one of the commands; a key, step, cause or way to be broken; all commands when "
            "there is none")
      .Kind("COMMAND");
  AddOption(app, "--format", options->format,
            "all of it as a manual page, as Markdown, or as a shell's completion")
      .OneOf({"text", "man", "markdown", "bash", "zsh"});
  return [options](const Program&) { return Help(*options); };
}

}  // namespace gpustage
