#include "harness/import/text.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <sstream>

namespace gpustage::pasted {

std::string ToString(const Origin& origin) {
  return fmt::format("{}, {}:{}", origin.text, origin.file, origin.line);
}

std::string CommandOf(const std::string& line) {
  static const RE2 prompt(
      R"(^(?:\([\w.-]+\) ?)?)"
      R"((?:[\w.-]+@[^$#>]*|\[[^\]]*\] ?|[~/][^$#\s]* ?|fish ?)?[$#>] +(\S.*)$)");
  static const RE2 bare(R"(^(?:sudo )?((?:ls|ldd|readelf|ldconfig|find|env|printenv|strace|)"
                        R"(nvidia-smi|systemctl|docker)\b(?: +-{0,2}[\w/.*=|~-]+)*)$)");
  std::string command;
  if (RE2::FullMatch(line, prompt, &command) || RE2::FullMatch(line, bare, &command))
    return command;
  return "";
}

std::vector<std::string> Words(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::vector<std::string> found;
  for (std::string word; words >> word;) found.push_back(word);
  return found;
}

std::string PathOfCommand(const std::string& command) {
  std::string path;
  for (const std::string& word : Words(command.substr(0, command.find_first_of("|;&"))))
    if (word.starts_with('/')) path = word;
  return path;
}

std::string BaseOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

Origin Reader::At(const char* kind, int line) const {
  if (std::find(facts.texts.begin(), facts.texts.end(), kind) == facts.texts.end())
    facts.texts.emplace_back(kind);
  return {kind, text.file, line};
}

}  // namespace gpustage::pasted
