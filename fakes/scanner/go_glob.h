// Go's path/filepath.Glob, as far as Ollama needs it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpustage::ollama {

// Whether the name matches a pattern of * ? [a-z] and \x; nothing for a pattern that is none
// ("[1").
std::optional<bool> GoMatch(std::string_view pattern, std::string_view name);

// The paths that match, sorted; errors of the file system are none. Nothing for a pattern that is
// none.
std::optional<std::vector<std::string>> GoGlob(const std::string& pattern);

}  // namespace gpustage::ollama
