#include "fakes/scanner/go_glob.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

namespace gpustage::ollama {
namespace {

bool HasMeta(std::string_view path) {
  return path.find_first_of("*?[\\") != std::string_view::npos;
}

// One character of a class, an escaped one too. False: there is none.
bool TakeCharacter(std::string_view& pattern, char& taken) {
  if (pattern.empty() || pattern[0] == '-' || pattern[0] == ']') return false;
  if (pattern[0] == '\\') pattern.remove_prefix(1);
  if (pattern.empty()) return false;
  taken = pattern[0];
  pattern.remove_prefix(1);
  return !pattern.empty();  // the class has no end otherwise
}

// The pattern stands behind the [ and is moved behind the ]. Nothing: it has no end.
std::optional<bool> TakeClass(std::string_view& pattern, char c) {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool in = false;
  for (int ranges = 0;; ++ranges) {
    if (pattern.starts_with(']') && ranges > 0) break;
    char low, high;
    if (!TakeCharacter(pattern, low)) return std::nullopt;
    high = low;
    if (pattern.starts_with('-')) {
      pattern.remove_prefix(1);
      if (!TakeCharacter(pattern, high)) return std::nullopt;
    }
    in = in || (low <= c && c <= high);
  }
  pattern.remove_prefix(1);
  return in != negated;
}

// What stands before the next star that is one.
std::string_view TakePiece(std::string_view& pattern) {
  bool in_class = false;
  size_t end = 0;
  for (; end < pattern.size() && (in_class || pattern[end] != '*'); ++end) {
    if (pattern[end] == '\\' && end + 1 < pattern.size())
      ++end;
    else if (pattern[end] == '[')
      in_class = true;
    else if (pattern[end] == ']')
      in_class = false;
  }
  const std::string_view piece = pattern.substr(0, end);
  pattern.remove_prefix(end);
  return piece;
}

// Whether the name begins so; what it fits is taken off. Nothing: the piece is none.
std::optional<bool> FitPiece(std::string_view piece, std::string_view& name) {
  bool fits = true;
  while (!piece.empty()) {
    fits = fits && !name.empty();
    const char c = fits ? name[0] : '\0';
    if (fits) name.remove_prefix(1);
    const char first = piece[0];
    piece.remove_prefix(1);
    if (first == '[') {
      const std::optional<bool> in = TakeClass(piece, c);
      if (!in) return std::nullopt;
      fits = fits && *in;
    } else if (first == '?') {
      fits = fits && c != '/';
    } else {
      char literal = first;
      if (first == '\\') {
        if (piece.empty()) return std::nullopt;
        literal = piece[0];
        piece.remove_prefix(1);
      }
      fits = fits && c == literal;
    }
  }
  return fits;
}

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  struct stat status;
  if (stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream.get()))
    if (const std::string name = entry->d_name; name != "." && name != "..") names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string CleanDirectory(std::string directory) {
  if (directory.empty()) return ".";
  if (directory.size() > 1) directory.pop_back();  // the slash
  return directory;
}

}  // namespace

// Go looks at a pattern in pieces, and at the syntax of none behind the first that does not fit.
std::optional<bool> GoMatch(std::string_view pattern, std::string_view name) {
  while (!pattern.empty()) {
    const bool star = pattern.starts_with('*');
    pattern.remove_prefix(std::min(pattern.find_first_not_of('*'), pattern.size()));
    const std::string_view piece = TakePiece(pattern);
    if (star && piece.empty()) return name.find('/') == std::string_view::npos;
    for (size_t skipped = 0;; ++skipped) {
      std::string_view rest = name.substr(skipped);
      const std::optional<bool> fits = FitPiece(piece, rest);
      if (!fits) return std::nullopt;
      if (*fits && (rest.empty() || !pattern.empty())) {
        name = rest;
        break;
      }
      if (!star || skipped == name.size() || name[skipped] == '/') return false;
    }
  }
  return name.empty();
}

std::optional<std::vector<std::string>> GoGlob(const std::string& pattern) {
  if (!GoMatch(pattern, "")) return std::nullopt;
  struct stat status;
  if (!HasMeta(pattern)) {
    if (lstat(pattern.c_str(), &status) != 0) return std::vector<std::string>{};
    return std::vector<std::string>{pattern};
  }
  const size_t slash = pattern.rfind('/');
  const std::string file = slash == std::string::npos ? pattern : pattern.substr(slash + 1);
  const std::string directory =
      CleanDirectory(slash == std::string::npos ? "" : pattern.substr(0, slash + 1));
  std::vector<std::string> directories = {directory};
  if (HasMeta(directory)) {
    const auto found = GoGlob(directory);
    if (!found) return std::nullopt;
    directories = *found;
  }
  std::vector<std::string> paths;
  for (const std::string& in : directories)
    for (const std::string& name : NamesIn(in))
      if (GoMatch(file, name).value_or(false))
        paths.push_back(in == "/" ? in + name : in + '/' + name);
  return paths;
}

}  // namespace gpustage::ollama
