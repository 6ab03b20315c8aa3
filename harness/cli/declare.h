// What a verb declares its options with. CLI11 is behind it, and in no verb's source: it took more
// time to compile than all that is ours there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gpustage {

class DeclaredOption {
 public:
  explicit DeclaredOption(CLI::Option* option) : option_(option) {}

  // The kind of its values, as help shows it and as a completion goes by.
  DeclaredOption Kind(const char* kind) const;
  DeclaredOption Required() const;
  DeclaredOption OneEach() const;  // given several times; what stands behind a value is no other
  DeclaredOption Between(int least, int most) const;           // a number
  DeclaredOption Times(int least, int most) const;             // so many values
  DeclaredOption PartedBy(char comma) const;                   // several in one word
  DeclaredOption OneOf(std::vector<std::string> words) const;  // another is told the nearest
  // `change` makes another value of one, in place; it says what is wrong with it, or "".
  DeclaredOption Changed(std::string (*change)(std::string&)) const;
  DeclaredOption Needs(DeclaredOption other) const;
  DeclaredOption Excludes(DeclaredOption other) const;

 private:
  CLI::Option* option_;
};

// "--name,-n" or, without a dash, what stands at that place.
DeclaredOption AddOption(CLI::App& app, const char* names, std::string& value, const char* about);
DeclaredOption AddOption(CLI::App& app, const char* names, std::optional<std::string>& value,
                         const char* about);
DeclaredOption AddOption(CLI::App& app, const char* names, std::vector<std::string>& value,
                         const char* about);
DeclaredOption AddOption(CLI::App& app, const char* names, int& value, const char* about);
DeclaredOption AddOption(CLI::App& app, const char* names, std::optional<int>& value,
                         const char* about);
// Takes the values at once, before other options are looked at.
DeclaredOption AddOption(CLI::App& app, const char* names,
                         void (*take)(const std::vector<std::string>&), const char* about);
DeclaredOption AddFlag(CLI::App& app, const char* names, bool& value, const char* about);
void AddFooter(CLI::App& app, const char* text);

// What was given is not a command line of this verb: never comes back.
[[noreturn]] void Lacks(const std::string& word);
[[noreturn]] void HasTooMuch(const std::string& what);

}  // namespace gpustage
