#include "harness/logs/placeholders.h"

#include <re2/re2.h>

#include <algorithm>

#include "harness/base/files.h"
#include "harness/logs/facts_of_discovery.h"

namespace gpustage {
namespace {

// Where a shell finds it, when no line of the log names a path.
constexpr char kAskedRoot[] =
    R"sh("$(dirname "$(readlink -f "$(command -v ollama)")")/../lib/ollama")sh";

std::string Unescaped(std::string path) {
  for (size_t at = path.find("\\\\"); at != std::string::npos; at = path.find("\\\\", at + 1))
    path.erase(at, 1);
  return path;
}

// The directory of a backend that some line names: ".../lib/ollama/cuda_v12" and below.
void FindPlaces(const LogReading& log, std::string& root, std::string& dir) {
  static const RE2 below(R"(((?:/[^\s"\[\]:,=]*|[A-Za-z]:\\[^"\[\]:,=]*)[/\\]lib[/\\]+ollama))"
                         R"((?:[/\\]+((?:cuda|rocm|vulkan)[\w.]*))?)");
  static const RE2 program(R"(cmd="?((?:/[^\s"]*)?)/bin/ollama runner)");
  const std::string wanted = WantedLibrary(log);
  std::string first;
  for (const LineFact& fact : log.facts) {
    re2::StringPiece text(fact.line.text);
    std::string found_root, name;
    while (RE2::FindAndConsume(&text, below, &found_root, &name)) {
      if (root.empty()) root = found_root;
      if (name.empty()) continue;
      const std::string path = found_root + "/" + name;
      if (name == wanted || (fact.rule->kind == LineKind::kLoss && dir.empty())) dir = path;
      if (first.empty() || (name.starts_with("cuda") && !BaseNameOf(first).starts_with("cuda")))
        first = path;
    }
    std::string prefix;
    if (root.empty() && RE2::PartialMatch(fact.line.text, program, &prefix))
      root = prefix + "/lib/ollama";
  }
  if (dir.empty()) dir = first;
}

}  // namespace

std::map<std::string, std::string> PlacesOf(const LogReading& log) {
  std::map<std::string, std::string> places;
  std::string root, dir;
  FindPlaces(log, root, dir);
  root = Unescaped(root);
  dir = Unescaped(dir);
  const std::string wanted = WantedLibrary(log);
  if (dir.empty() && !root.empty() && !wanted.empty()) dir = root + "/" + wanted;
  places["root"] = !root.empty()               ? root
                   : log.platform == "Windows" ? R"(%LOCALAPPDATA%\Programs\Ollama\lib\ollama)"
                                               : kAskedRoot;
  places["as"] = log.platform == "container" ? "docker exec CONTAINER " : "sudo -u ollama ";
  places["platform"] = log.platform;
  places["program"] = log.program;
  places["version"] = log.version.empty() ? "this release" : log.version;
  places["major"] = "12";
  if (dir.empty()) return places;
  const std::string name = BaseNameOf(dir);
  places["dir"] = dir;
  places["name"] = name;
  if (name.find("13") != std::string::npos) places["major"] = "13";
  const char* backend = name.starts_with("rocm")     ? "libggml-hip.so"
                        : name.starts_with("vulkan") ? "libggml-vulkan.so"
                                                     : "libggml-cuda.so";
  places["backend"] = dir + "/" + backend;
  return places;
}

std::map<std::string, std::string> WithAll(std::map<std::string, std::string> values,
                                           const std::vector<const LineFact*>& says,
                                           const LogCause& cause) {
  for (const char* name : {"library", "symbol"}) {
    std::vector<std::string> all;
    for (const LineFact* fact : says) {
      const auto& causes = fact->rule->causes;
      const auto field = fact->fields.find(name);
      if (std::find(causes.begin(), causes.end(), cause.id) != causes.end() &&
          field != fact->fields.end() &&
          std::find(all.begin(), all.end(), field->second) == all.end())
        all.push_back(field->second);
    }
    if (all.size() < 2) continue;
    std::string& text = values[name];
    text.clear();
    for (size_t i = 0; i < all.size(); ++i)
      text += (i == 0 ? "" : i + 1 == all.size() ? " and " : ", ") + all[i];
  }
  return values;
}

namespace {

// Without the parts in [[double brackets]] of which a {name} is not known; others lose the
// brackets.
std::string WithKnownParts(const std::string& text,
                           const std::map<std::string, std::string>& values) {
  std::string kept;
  size_t at = 0;
  for (size_t open; (open = text.find("[[", at)) != std::string::npos;) {
    const size_t close = text.find("]]", open);
    if (close == std::string::npos) break;
    const std::string part = text.substr(open + 2, close - open - 2);
    const size_t name = part.find('{');
    kept += text.substr(at, open - at);
    if (name == std::string::npos ||
        values.count(part.substr(name + 1, part.find('}') - name - 1)) != 0)
      kept += part;
    at = close + 2;
  }
  return kept + text.substr(at);
}

}  // namespace

std::string Filled(const std::string& whole, const std::map<std::string, std::string>& values) {
  const std::string text = WithKnownParts(whole, values);
  std::string filled;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find('{', at), close = text.find('}', open);
    if (open == std::string::npos || close == std::string::npos) return filled + text.substr(at);
    const std::string name = text.substr(open + 1, close - open - 1);
    const bool is_name =
        !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
    filled += text.substr(at, open - at);
    if (!is_name)
      filled += text.substr(open, close + 1 - open);
    else if (const auto value = values.find(name); value != values.end())
      filled += value->second;
    else
      filled += "the " + name;
    at = close + 1;
  }
  return filled;
}

std::string CommandOf(const Look& look, const std::map<std::string, std::string>& places) {
  if (const auto platform = places.find("platform");
      platform != places.end() && platform->second == "Windows")
    return Filled(look.windows, places);
  const auto program = places.find("program");
  if (program != places.end() && program->second == "llama.cpp" && !look.llama.empty())
    return Filled(look.llama, places);
  if (program != places.end() && program->second != "ollama" && !look.other.empty())
    return Filled(look.other, places);
  const bool known = places.count("dir") != 0 || look.any_command.empty();
  return Filled(known ? look.command : look.any_command, places);
}

std::string LookFor(const Knowledge& knowledge, const LogCause& cause,
                    const std::map<std::string, std::string>& places) {
  const auto look = knowledge.looks.find(cause.look);
  return look == knowledge.looks.end() ? "" : CommandOf(look->second, places);
}

}  // namespace gpustage
