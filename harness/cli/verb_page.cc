#include "harness/cli/verb_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <regex>

#include "harness/cli/commands.h"
#include "harness/cli/version.h"
#include "harness/report/trace.h"

namespace gpustage {
namespace {

constexpr size_t kIndent = 2, kAboutColumn = 26;

std::string EntriesText(const char* heading, const std::vector<PageEntry>& entries, size_t width) {
  std::string text = entries.empty() ? "" : fmt::format("\n{}\n", heading);
  for (const PageEntry& entry : entries) {
    const std::string title = std::string(kIndent, ' ') + entry.Title();
    const bool beside = title.size() + 2 <= kAboutColumn;
    text += beside ? fmt::format("{:<{}}", title, kAboutColumn)
                   : title + "\n" + std::string(kAboutColumn, ' ');
    text += Wrapped(entry.about, kAboutColumn, width) + "\n";
  }
  return text;
}

// roff takes a dot or a quote at the beginning of a line, and each dash, for its own.
std::string Roff(const std::string& text) {
  std::string safe;
  for (const char c : std::regex_replace(text, std::regex("…"), "..."))
    safe += c == '-' ? "\\-" : c == '\\' ? "\\e" : std::string(1, c);
  return safe.starts_with('.') || safe.starts_with('\'') ? "\\&" + safe : safe;
}

}  // namespace

std::string PageEntry::Title() const {
  return fmt::format("{}{}{}", fmt::join(names, ", "), value.empty() ? "" : " ", value);
}

VerbPage PageOf(const Verb& verb) {
  CLI::App app(std::string(verb.summary));
  const Action unused = verb.declare(app);
  VerbPage page = {std::string(verb.name), std::string(verb.summary), {}, {}, app.get_footer()};
  std::string arguments;
  for (const CLI::Option* option : app.get_options()) {
    const bool has_value = option->get_items_expected_max() > 0;
    PageEntry entry = {{}, has_value ? option->get_type_name() : "", option->get_description()};
    entry.value = entry.value.substr(0, entry.value.find(':'));  // what is checked is in `about`
    if (option->get_positional()) {
      entry.names = {option->get_name(true)};
      const bool many = option->get_items_expected_max() > 1;
      const std::string word = entry.names.front() + (many ? "…" : "");
      arguments += option->get_required() ? " " + word : " [" + word + "]";
      page.arguments.push_back(std::move(entry));
      continue;
    }
    for (const std::string& name : option->get_lnames()) entry.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) entry.names.push_back("-" + name);
    page.options.push_back(std::move(entry));
  }
  page.usage += " [OPTIONS]" + arguments + (verb.takes_program ? " [-- PROGRAM ARGS…]" : "");
  return page;
}

std::string HelpText(const Verb& verb, size_t width) {
  const VerbPage page = PageOf(verb);
  std::string text =
      fmt::format("{} {}\n\n  {}\n", CalledAs(), page.usage, Wrapped(page.summary, 2, width));
  text += EntriesText("Arguments", page.arguments, width);
  text += EntriesText("Options", page.options, width);
  return page.remark.empty() ? text : text + "\n" + Wrapped(page.remark, 0, width) + "\n";
}

std::string ManualPage() {
  std::string text = fmt::format(
      ".TH GPUSTAGE 1 \"{}\" \"gpustage {}\"\n.SH NAME\ngpustage \\- why does a program not see "
      "the "
      "GPU?\n.SH SYNOPSIS\n.B gpustage\n.I COMMAND\n[OPTIONS]\n.SH COMMANDS\n",
      kDate, kVersion);
  for (const Verb& verb : Verbs()) {
    if (verb.hidden) continue;
    const VerbPage page = PageOf(verb);
    text += fmt::format(".SS gpustage {}\n{}.\n", Roff(page.usage), Roff(page.summary));
    for (const auto* entries : {&page.arguments, &page.options})
      for (const PageEntry& entry : *entries)
        text += fmt::format(".TP\n.B {}\n{}\n", Roff(entry.Title()), Roff(entry.about));
    if (!page.remark.empty()) text += fmt::format(".PP\n{}\n", Roff(page.remark));
  }
  return text + fmt::format(".SH EXIT STATUS\n{}\n", Roff(kExitStatuses));
}

std::string MarkdownPage() {
  std::string text =
      "# Commands\n\nWritten by `gpustage help --format markdown` from the table of verbs; a test "
      "compares.\n\n| command | what it does |\n|---|---|\n";
  for (const Verb& verb : Verbs())
    if (!verb.hidden)
      text += fmt::format("| [`{0}`](#{0}) | {1} |\n", verb.name, std::string(verb.summary));
  text += fmt::format("\nExit status: {}\n", kExitStatuses);
  for (const Verb& verb : Verbs()) {
    if (verb.hidden) continue;
    const VerbPage page = PageOf(verb);
    text += fmt::format("\n## {}\n\n`gpustage {}`: {}.\n", verb.name, page.usage, page.summary);
    if (!page.remark.empty()) text += fmt::format("\n{}\n", page.remark);
    text += "\n| takes | what it is |\n|---|---|\n";
    for (const auto* entries : {&page.arguments, &page.options})
      for (const PageEntry& entry : *entries) {
        std::string title = entry.Title();
        for (size_t at = 0; (at = title.find('|', at)) != std::string::npos; at += 2)
          title.insert(at, "\\");
        text += fmt::format("| `{}` | {} |\n", title, entry.about);
      }
  }
  return text;
}

}  // namespace gpustage
