// tree: of a scenario and of a layout: a list of maps whose first key names the operation.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "harness/base/limits.h"
#include "harness/scenario/catalog/capabilities.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

constexpr int kHourInMilliseconds = 3600000;
constexpr size_t kMostArchs = 32;  // fakes/world/format.h

// "0711", or 0711 as it stands. Plain 711 is seven hundred and eleven to other readers of YAML.
Result<FileMode> ReadMode(const YamlNode& node) {
  FileMode mode = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, mode, 8);
  const bool octal = node.IsText() && parsed.ec == std::errc() && parsed.ptr == end;
  const bool sized = node.text.size() == 3 || node.text.size() == 4;
  if (!octal || !sized)
    return ErrorAt(node,
                   fmt::format("expected a mode of 3 or 4 octal digits such as \"0755\", got {}",
                               Describe(node)));
  if (node.plain && node.text.front() != '0')
    return ErrorAt(node,
                   fmt::format("mode {} without quotes is a decimal number to others; write {}",
                               node.text, Quote(fmt::format("{:0>4}", node.text))));
  return mode;
}

Result<std::optional<FileMode>> ReadOptionalMode(const YamlNode& op) {
  const YamlNode* node = op.Find("mode");
  if (node == nullptr) return std::optional<FileMode>();
  TRY(const FileMode mode, ReadMode(*node));
  return std::optional<FileMode>(mode);
}

using Op = decltype(TreeOp::what);

Result<Op> ReadDir(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "a directory", {"dir", "mode"}));
  TRY(const auto mode, ReadOptionalMode(op));
  return Op(MakeDirOp{std::move(path), mode});
}

Result<Op> ReadFileOp(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "a file", {"file", "content", "size", "mode"}));
  const YamlNode* content = op.Find("content");
  const YamlNode* size = op.Find("size");
  if (content == nullptr && size == nullptr)
    return ErrorAt(op, "a file needs \"content\" or \"size\"; content: \"\" is the empty file");
  WriteFileOp file{std::move(path), "", std::nullopt};
  if (content != nullptr) {
    TRY(file.content, ReadText(*content, "the content of a file"));
  }
  if (size != nullptr) {
    TRY(const uint64_t bytes, ReadBytes(*size, "a size"));
    if (bytes > limits::kFileBytes) return ErrorAt(*size, "a file has at most 64 MiB");
    if (bytes < file.content.size())
      return ErrorAt(*size, fmt::format("the content alone has {} bytes", file.content.size()));
    file.content.resize(bytes, '\0');
  }
  TRY(file.mode, ReadOptionalMode(op));
  return Op(std::move(file));
}

Result<Op> ReadSymlink(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "a symlink", {"symlink", "to"}));
  TRY(const YamlNode* to, Require(op, "a symlink", "to"));
  TRY(std::string text, ReadCString(*to, "the text of a link", 4095));
  return Op(SymlinkOp{std::move(path), std::move(text)});
}

Result<Op> ReadHardLink(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "a hard link", {"hard_link", "to"}));
  TRY(const YamlNode* to, Require(op, "a hard link", "to"));
  TRY(std::string target, ReadTreePath(*to, "the file to link"));
  return Op(HardLinkOp{std::move(path), std::move(target)});
}

Result<Op> ReadCopy(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "a copy", {"copy", "from"}));
  TRY(const YamlNode* from, Require(op, "a copy", "from"));
  TRY(std::string source, ReadTreePath(*from, "the file to copy"));
  return Op(CopyOp{std::move(path), std::move(source)});
}

Result<Op> ReadChmod(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "chmod", {"chmod", "mode"}));
  TRY(const YamlNode* node, Require(op, "chmod", "mode"));
  TRY(const FileMode mode, ReadMode(*node));
  return Op(ChmodOp{std::move(path), mode});
}

Result<Op> ReadChown(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "chown", {"chown", "user", "group"}));
  ChownOp chown{std::move(path), std::nullopt, std::nullopt};
  if (op.Find("user") == nullptr && op.Find("group") == nullptr)
    return ErrorAt(op, "chown needs \"user\" or \"group\"");
  if (const YamlNode* user = op.Find("user")) {
    TRY(chown.user, ReadUser(*user));
  }
  if (const YamlNode* group = op.Find("group")) {
    TRY(chown.group, ReadGroup(*group));
  }
  return Op(std::move(chown));
}

Result<Op> ReadRemove(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "remove", {"remove"}));
  if (path == "/") return ErrorAt(op.entries.front().value, "the root itself cannot be removed");
  return Op(RemoveOp{std::move(path)});
}

// The compute capabilities that a backend was built for.
Result<std::vector<ComputeCapability>> ReadArchs(const YamlNode& node, const YamlEntry& source) {
  if (source.key != "fake" || !source.value.text.starts_with("ggml-cuda-"))
    return ErrorAt(node,
                   "only a fake ggml-cuda-… knows for which compute capabilities it was built");
  TRY(CheckList(node, "archs"));
  std::vector<ComputeCapability> archs;
  for (const YamlNode& item : node.items) {
    TRY(const ComputeCapability arch, ReadComputeCapability(item));
    archs.push_back(arch);
  }
  if (archs.empty()) return ErrorAt(node, "a backend is built for one compute capability at least");
  if (archs.size() > kMostArchs)
    return ErrorAt(node, fmt::format("at most {} compute capabilities fit", kMostArchs));
  return archs;
}

Result<Op> ReadLibrary(const YamlNode& op, std::string path, Fixtures& fixtures) {
  TRY(CheckKeys(op, "a library",
                {"library", "fake", "real", "file", "broken", "machine", "archs", "mode"}));
  TRY(const YamlEntry* source, RequireOneOf(op, "a library", {"fake", "real", "file"}));
  PlaceLibraryOp place;
  place.path = std::move(path);
  TRY(place.source, fixtures.FindLibrary(*source));
  if (const YamlNode* broken = op.Find("broken")) {
    TRY(place.broken, ReadBreakage(*broken));
  }
  if (const YamlNode* machine = op.Find("machine")) {
    if (source->key != "fake")
      return ErrorAt(*machine, "only a fake answers from a machine; this library is not one");
    TRY(place.machine, ReadMachineChange(*machine, fixtures));
  }
  if (const YamlNode* archs = op.Find("archs")) {
    TRY(place.archs, ReadArchs(*archs, *source));
  }
  TRY(place.mode, ReadOptionalMode(op));
  return Op(std::move(place));
}

Result<Op> ReadLdconfig(const YamlNode& op, std::string path, Fixtures&) {
  TRY(CheckKeys(op, "ldconfig", {"ldconfig"}));
  if (path != kLoaderCache)
    return ErrorAt(op.entries.front().value,
                   fmt::format("the loader reads {} alone", kLoaderCache));
  return Op(LdconfigOp{std::move(path)});
}

// Files of the kernel's that programs read for what it knows of the machine (proc(5)).
const std::vector<std::string> kProcFiles = {
    "/proc/cmdline", "/proc/cpuinfo",    "/proc/devices", "/proc/filesystems", "/proc/interrupts",
    "/proc/iomem",   "/proc/ioports",    "/proc/loadavg", "/proc/meminfo",     "/proc/misc",
    "/proc/modules", "/proc/partitions", "/proc/stat",    "/proc/swaps",       "/proc/uptime",
    "/proc/version", "/proc/vmstat"};

// Nothing can be made in /proc: files of the kernel's are covered, and /proc/driver as a whole.
Status CheckProc(const YamlNode& node, const std::string& path) {
  const bool is_file = std::find(kProcFiles.begin(), kProcFiles.end(), path) != kProcFiles.end();
  if (!path.starts_with("/proc/") || path.starts_with("/proc/driver/") ||
      path.starts_with("/proc/sys/") || is_file)
    return Ok();
  const auto nearest = NearestWord(path, kProcFiles);
  return ErrorAt(
      node,
      fmt::format("{} cannot be staged: below /proc it is what lies in /proc/driver, "
                  "and the kernel's own files such as /proc/version{}",
                  Quote(path), nearest ? fmt::format("; did you mean {}?", Quote(*nearest)) : ""));
}

struct Operation {
  std::string_view name;
  Result<Op> (*read)(const YamlNode& op, std::string path, Fixtures& fixtures);
};
constexpr Operation kOperations[] = {{"dir", ReadDir},         {"file", ReadFileOp},
                                     {"symlink", ReadSymlink}, {"hard_link", ReadHardLink},
                                     {"copy", ReadCopy},       {"chmod", ReadChmod},
                                     {"chown", ReadChown},     {"remove", ReadRemove},
                                     {"library", ReadLibrary}, {"ldconfig", ReadLdconfig}};

Result<TreeOp> ReadOp(const YamlNode& node, Fixtures& fixtures) {
  if (!node.IsMap() || node.entries.empty())
    return ErrorAt(
        node, fmt::format("expected an operation such as {{dir: /opt}}, got {}", Describe(node)));
  const YamlEntry& first = node.entries.front();
  std::vector<std::string> names;
  for (const Operation& operation : kOperations) {
    names.emplace_back(operation.name);
    if (operation.name != first.key) continue;
    TRY(std::string path, ReadTreePath(first.value, "a path"));
    TRY(CheckProc(first.value, path));
    TRY(Op what, operation.read(node, std::move(path), fixtures));
    return TreeOp{std::move(what), first.value.pos};
  }
  // What a shell calls them.
  static const std::map<std::string, const char*> others = {
      {"link", "symlink"},  {"ln", "symlink"},    {"write", "file"},  {"touch", "file"},
      {"mkdir", "dir"},     {"directory", "dir"}, {"rm", "remove"},   {"delete", "remove"},
      {"unlink", "remove"}, {"cp", "copy"},       {"lib", "library"}, {"hardlink", "hard_link"}};
  const auto other = others.find(first.key);
  return ErrorAt(first, fmt::format("unknown operation {}{}", Quote(first.key),
                                    other != others.end()
                                        ? fmt::format("; did you mean {}?", Quote(other->second))
                                        : DidYouMean(first.key, names)));
}

}  // namespace

Result<std::string> ReadTreePath(const YamlNode& node, std::string_view what) {
  TRY(std::string path, ReadCString(node, what, 4095));
  if (path.front() != '/')
    return ErrorAt(node, fmt::format("{} must be absolute, got {}", what, Quote(path)));
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = std::string_view(path).substr(begin, end - begin);
    if (part == "..")
      return ErrorAt(node, fmt::format("{} may not hold \"..\": it could leave the root", what));
    if (part == "." || (part.empty() && path != "/"))
      return ErrorAt(
          node,
          fmt::format("{} {} has a part too much; write it without \".\", \"//\" and a last \"/\"",
                      what, Quote(path)));
    begin = end + 1;
  }
  return path;
}

Result<std::vector<TimedOp>> ReadMeanwhile(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckList(node, "meanwhile"));
  std::vector<TimedOp> ops;
  for (const YamlNode& item : node.items) {
    TRY(const YamlNode* after, Require(item, "what is done while a run goes on", "after_ms"));
    TRY(const int milliseconds, ReadInt(*after, "milliseconds", 0, kHourInMilliseconds));
    YamlNode op = item;
    std::erase_if(op.entries, [](const YamlEntry& entry) { return entry.key == "after_ms"; });
    TRY(TreeOp done, ReadOp(op, fixtures));
    ops.push_back({std::chrono::milliseconds(milliseconds), std::move(done)});
  }
  std::stable_sort(ops.begin(), ops.end(),
                   [](const TimedOp& a, const TimedOp& b) { return a.after < b.after; });
  return ops;
}

Result<std::vector<TreeOp>> ReadTree(const YamlNode& node, Fixtures& fixtures) {
  TRY(CheckList(node, "a tree"));
  if (node.items.size() > limits::kTreeEntries)
    return ErrorAt(node.items[limits::kTreeEntries],
                   fmt::format("a tree has at most {} operations", limits::kTreeEntries));
  std::vector<TreeOp> ops;
  for (const YamlNode& item : node.items) {
    TRY(TreeOp op, ReadOp(item, fixtures));
    ops.push_back(std::move(op));
  }
  return ops;
}

}  // namespace gpustage
