#include "harness/cli/declare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/base/text.h"

namespace gpustage {

DeclaredOption DeclaredOption::Kind(const char* kind) const {
  option_->type_name(kind);
  return *this;
}

DeclaredOption DeclaredOption::Required() const {
  option_->required();
  return *this;
}

DeclaredOption DeclaredOption::OneEach() const {
  option_->allow_extra_args(false);
  return *this;
}

DeclaredOption DeclaredOption::Between(int least, int most) const {
  option_->check(CLI::Validator(
      [least, most](std::string& word) {
        int number = 0;
        const char* const end = word.data() + word.size();
        const auto parsed = std::from_chars(word.data(), end, number);
        if (parsed.ec == std::errc() && parsed.ptr == end && number >= least && number <= most)
          return std::string();
        return fmt::format("expected a whole number from {} to {}, got {}", least, most,
                           Quote(word));
      },
      ""));
  return *this;
}

DeclaredOption DeclaredOption::Times(int least, int most) const {
  option_->expected(least, most);
  return *this;
}

DeclaredOption DeclaredOption::PartedBy(char comma) const {
  option_->delimiter(comma);
  return *this;
}

DeclaredOption DeclaredOption::OneOf(std::vector<std::string> words) const {
  option_->type_name(fmt::format("{}", fmt::join(words, "|")));
  option_->check(CLI::Validator(
      [words = std::move(words)](const std::string& word) -> std::string {
        if (std::find(words.begin(), words.end(), word) != words.end()) return "";
        const auto nearest = NearestWord(word, words);
        return fmt::format("expected {}, got {}{}", JoinOr(words), Quote(word),
                           nearest ? fmt::format("; did you mean {}?", Quote(*nearest)) : "");
      },
      ""));
  return *this;
}

DeclaredOption DeclaredOption::Changed(std::string (*change)(std::string&)) const {
  option_->transform(CLI::Validator(change, ""));
  return *this;
}

DeclaredOption DeclaredOption::Needs(DeclaredOption other) const {
  option_->needs(other.option_);
  return *this;
}

DeclaredOption DeclaredOption::Excludes(DeclaredOption other) const {
  option_->excludes(other.option_);
  return *this;
}

namespace {

template <typename Value>
DeclaredOption Add(CLI::App& app, const char* names, Value& value, const char* about) {
  return DeclaredOption(app.add_option(names, value, about));
}

}  // namespace

DeclaredOption AddOption(CLI::App& app, const char* names, std::string& value, const char* about) {
  return Add(app, names, value, about);
}

DeclaredOption AddOption(CLI::App& app, const char* names, std::optional<std::string>& value,
                         const char* about) {
  return Add(app, names, value, about);
}

DeclaredOption AddOption(CLI::App& app, const char* names, std::vector<std::string>& value,
                         const char* about) {
  return Add(app, names, value, about);
}

DeclaredOption AddOption(CLI::App& app, const char* names, int& value, const char* about) {
  return Add(app, names, value, about);
}

DeclaredOption AddOption(CLI::App& app, const char* names, std::optional<int>& value,
                         const char* about) {
  return Add(app, names, value, about);
}

DeclaredOption AddOption(CLI::App& app, const char* names,
                         void (*take)(const std::vector<std::string>&), const char* about) {
  return DeclaredOption(app.add_option_function<std::vector<std::string>>(names, take, about));
}

DeclaredOption AddFlag(CLI::App& app, const char* names, bool& value, const char* about) {
  return DeclaredOption(app.add_flag(names, value, about));
}

void AddFooter(CLI::App& app, const char* text) { app.footer(text); }

void Lacks(const std::string& word) { throw CLI::RequiredError(word); }
void HasTooMuch(const std::string& what) { throw CLI::ExtrasError({what}); }

}  // namespace gpustage
