// Nothing private leaves the machine: by an allowlist of words, not by a list of secrets. What is
// not known to be a word of GPU software becomes a placeholder, the same one for the same text, so
// that equality survives: "/home/ann/sdk/libcuda.so.1" is "/home/p1/p2/libcuda.so.1".
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace gpustage::capture {

class Placeholders {
 public:
  // One name of a path, a SONAME, a version node: kept when it is a word of the list.
  std::string Name(std::string_view name);
  // Names between slashes; "$ORIGIN", "." and ".." stay.
  std::string Path(std::string_view path);
  // Paths between colons (search paths of variables, RPATH, RUNPATH). An empty one stays.
  std::string Paths(std::string_view paths);
  // A mask of devices: numbers and the words that drivers know stay. A UUID becomes that of the
  // scenario's device of the same place, when capture saw it; otherwise one of nobody's.
  std::string Mask(std::string_view mask);
  void KnowDevice(const std::string& uuid, const std::string& of_scenario);
  // A value of a variable whose values are numbers and switches; anything else is a placeholder.
  std::string Switch(std::string_view value);
  // Of an error text: its words of the C library ("Permission denied") or of the list, the rest
  // placeholders.
  std::string Words(std::string_view text);

 private:
  std::string For(std::string_view text);
  std::map<std::string, std::string, std::less<>> known_;
  std::map<std::string, std::string, std::less<>> devices_;
};

// How a variable's value is written: none are read but those of this list.
enum class VariableKind { kPaths, kPath, kMask, kSwitch };
const std::map<std::string_view, VariableKind>& KnownVariables();

}  // namespace gpustage::capture
