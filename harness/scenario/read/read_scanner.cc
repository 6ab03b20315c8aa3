// fixtures/scanners/NAME.yaml, or a file of the user's.
#include <fmt/format.h>
#include <re2/re2.h>

#include "harness/base/files.h"
#include "harness/scenario/catalog/allowed.h"
#include "harness/scenario/catalog/fixtures.h"
#include "harness/scenario/read/readers.h"
#include "harness/scenario/yaml/fields.h"

namespace gpustage {
namespace {

const std::vector<std::string> kDeviceFields = {"name",   "library", "library_path",
                                                "pci_id", "uuid",    "memory_total"};

Result<std::string> ReadStream(const YamlNode& node) {
  return ReadChoice<std::string>(node, "stream",
                                 {{"stdout", "stdout"}, {"stderr", "stderr"}, {"any", "any"}});
}

Result<DeviceReader> ReadDevices(const YamlNode& node) {
  TRY(CheckKeys(node, "how devices are read", {"read", "stream", "match"}));
  TRY(const YamlNode* read, Require(node, "devices", "read"));
  using Kind = DeviceReader::Kind;
  DeviceReader reader;
  TRY(reader.kind, ReadChoice<Kind>(*read, "reader",
                                    {{"json", Kind::kJson},
                                     {"lines", Kind::kLines},
                                     {"count", Kind::kCount},
                                     {"none", Kind::kNone}}));
  if (reader.kind == Kind::kJson) reader.stream = "stdout";
  if (const YamlNode* stream = node.Find("stream")) {
    TRY(reader.stream, ReadStream(*stream));
  }
  const YamlNode* match = node.Find("match");
  const bool matches = reader.kind == Kind::kLines || reader.kind == Kind::kCount;
  if (!matches && match != nullptr)
    return ErrorAt(*match, fmt::format("read: {} takes no \"match\"", read->text));
  if (!matches) return reader;
  if (match == nullptr) return ErrorAt(node, fmt::format("read: {} needs \"match\"", read->text));
  if (reader.kind == Kind::kLines) {
    TRY(reader.match, ReadRegex(*match, "match", kDeviceFields));
  } else {
    TRY(reader.match, ReadRegex(*match, "match", {"count"}));
    if (RE2(reader.match, RE2::Quiet).NamedCapturingGroups().empty())
      return ErrorAt(*match, "read: count needs a group (?P<count>…) in \"match\"");
  }
  return reader;
}

Status ReadLog(const YamlNode& node, ScannerSpec& scanner) {
  TRY(CheckKeys(node, "a log", {"stream", "format"}));
  if (const YamlNode* stream = node.Find("stream")) {
    TRY(scanner.log_stream, ReadStream(*stream));
  }
  if (const YamlNode* format = node.Find("format")) {
    TRY(scanner.log_format, ReadChoice<LogFormat>(*format, "format",
                                                  {{"plain", LogFormat::kPlain},
                                                   {"slog", LogFormat::kSlog},
                                                   {"json", LogFormat::kJson},
                                                   {"ggml", LogFormat::kGgml}}));
  }
  return Ok();
}

Status ReadDone(const YamlNode& node, ScannerSpec& scanner) {
  if (node.IsText() && node.text == "exit") return Ok();
  const YamlNode* line = node.Find("line");
  const YamlNode* settle = node.Find("settle");
  if (line == nullptr || node.entries.size() != (settle == nullptr ? 1 : 2))
    return ErrorAt(node, fmt::format("expected exit or {{line: RE2}}, got {}", Describe(node)));
  TRY(scanner.done_when, ReadRegex(*line, "line"));
  if (settle != nullptr) {
    TRY(scanner.settle, ReadSeconds(*settle));
  }
  return Ok();
}

// The machine's own Python is a link to the file of its version, whose modules lie in ../lib.
void ShowModules(const std::string& python, ScannerSpec& scanner) {
  const std::string modules =
      fmt::format("{}/lib/{}", ParentOf(ParentOf(python)), BaseNameOf(python));
  if (!IsDirectory(modules))
    scanner.missing =
        fmt::format("{} is on this machine without its modules in {}", python, modules);
  scanner.host_directories.push_back(modules);
}

Status ReadProgram(const YamlNode& node, Fixtures& fixtures, ScannerSpec& scanner) {
  const std::vector<std::string> kinds = {"path", "python", "build", "fake", "real", "given"};
  TRY(CheckKeys(node, "a program", kinds));
  TRY(const YamlEntry* choice, RequireOneOf(node, "a program", kinds));
  TRY(ProgramSource source, fixtures.FindProgram(*choice));
  scanner.program = std::move(source.host_path);
  scanner.missing = std::move(source.missing);
  if (choice->key == "given") scanner.given = choice->value.text;
  if (choice->key == "python" && scanner.missing.empty()) ShowModules(scanner.program, scanner);
  return Ok();
}

// {/usr/local/bin/PROGRAM: {build: PROGRAM}}
Status ReadBrings(const YamlNode& node, Fixtures& fixtures, ScannerSpec& scanner) {
  if (!node.IsMap())
    return ErrorAt(node,
                   fmt::format("expected a map of places and programs, got {}", Describe(node)));
  for (const YamlEntry& entry : node.entries) {
    TRY(CheckKeys(entry.value, "a program", {"path", "build", "fake"}));
    TRY(const YamlEntry* choice, RequireOneOf(entry.value, "a program", {"path", "build", "fake"}));
    TRY(ProgramSource source, fixtures.FindProgram(*choice));
    if (scanner.missing.empty()) scanner.missing = source.missing;
    scanner.brings.push_back({entry.key, std::move(source.host_path)});
  }
  return Ok();
}

// Real parts that are folders of Python modules: shown read-only, and on PYTHONPATH.
Status ReadPythonPackages(const YamlNode& node, Fixtures& fixtures, ScannerSpec& scanner) {
  TRY(CheckList(node, "python_packages"));
  std::string path;
  for (const YamlNode& item : node.items) {
    TRY(const LibrarySource part, fixtures.FindReal(item));
    if (!part.missing.empty()) {
      scanner.missing = part.missing;
      return Ok();
    }
    scanner.host_directories.push_back(part.host_path);
    path += (path.empty() ? "" : ":") + part.host_path;
  }
  scanner.env.emplace_back("PYTHONPATH", path);
  return Ok();
}

// {FAKE: file of the release, from the folder of its program}, {FAKE: {fake: ANOTHER}} where the
// release wants another of ours, {/FOLDER: folder of the release} for all files in it.
Status ReadRelease(const YamlNode& node, Fixtures& fixtures, ScannerSpec& scanner) {
  if (scanner.given.empty())
    return ErrorAt(node, "only a program that is given brings a release with it");
  if (!node.IsMap())
    return ErrorAt(node, fmt::format("expected a map of fakes and files, got {}", Describe(node)));
  for (const YamlEntry& entry : node.entries) {
    if (entry.value.IsMap()) {
      TRY(CheckKeys(entry.value, "what stands for a fake", {"fake"}));
      TRY(const YamlEntry* choice, RequireOneOf(entry.value, "what stands for a fake", {"fake"}));
      TRY(scanner.stand_ins[entry.key], fixtures.FindLibrary(*choice));
      continue;
    }
    std::string& place =
        (entry.key.starts_with('/') ? scanner.release_folders : scanner.release)[entry.key];
    TRY(place, ReadNonEmpty(entry.value, "a file of the release"));
  }
  return Ok();
}

// {from: "0.30"}, {below: "0.30"}
Status ReadVersions(const YamlNode& node, ScannerSpec& scanner) {
  if (scanner.given.empty()) return ErrorAt(node, "only a program that is given has versions");
  TRY(CheckKeys(node, "versions", {"from", "below"}));
  if (node.entries.empty()) return ErrorAt(node, "expected from or below");
  for (const auto& [key, bound] :
       {std::pair{"from", &scanner.versions.from}, std::pair{"below", &scanner.versions.below}})
    if (const YamlNode* version = node.Find(key)) {
      TRY(*bound, ReadNonEmpty(*version, "a version"));
      if (!RE2::FullMatch(*bound, R"(\d{1,6}(\.\d{1,6})*)"))
        return ErrorAt(*version,
                       fmt::format("expected a version such as 0.30, got {}", Describe(*version)));
    }
  scanner.missing = NotGiven(scanner.given, ToString(scanner.versions));
  return Ok();
}

// Where it stands, what it is started with and what it needs of the host.
Status ReadStart(const YamlNode& node, ScannerSpec& scanner) {
  if (const YamlNode* at = node.Find("at")) {
    TRY(scanner.at, ReadTreePath(*at, "the place of a program"));
  }
  TRY(const YamlNode* argv, Require(node, "a scanner", "argv"));
  TRY(scanner.argv, ReadArguments(*argv, "argv"));
  if (scanner.argv.empty()) return ErrorAt(*argv, "argv needs at least the name of the program");
  if (const YamlNode* env = node.Find("env")) {
    TRY(const std::vector<EnvVar> variables, ReadEnv(*env));
    for (const EnvVar& variable : variables) {
      if (!variable.value)
        return Error{"a scanner starts from nothing, so there is nothing to unset", variable.pos};
      scanner.env.emplace_back(variable.name, *variable.value);
    }
  }
  if (const YamlNode* fits = node.Find("fits")) {
    TRY(scanner.fits, ReadName(*fits, "what a layout provides"));
  }
  if (const YamlNode* by_default = node.Find("by_default")) {
    TRY(scanner.by_default, ReadBool(*by_default, "by_default"));
  }
  if (const YamlNode* directories = node.Find("host_directories")) {
    TRY(const std::vector<std::string> shown, ReadTexts(*directories, "host_directories"));
    scanner.host_directories.insert(scanner.host_directories.end(), shown.begin(), shown.end());
    for (const YamlNode& item : directories->items) TRY(CheckShown(item, item.text));
    for (const std::string& directory : shown)
      if (scanner.missing.empty() && !IsDirectory(directory))
        scanner.missing =
            fmt::format("there is no {} on this machine, which {} shows to its program", directory,
                        node.pos.file);
  }
  if (const YamlNode* needs = node.Find("needs")) {
    TRY(scanner.needs, ReadTexts(*needs, "needs"));
    for (const YamlNode& item : needs->items)
      if (item.text.find('/') != std::string::npos) TRY(CheckAllowed(item, item.text));
  }
  if (const YamlNode* network = node.Find("network")) {
    TRY(scanner.network,
        ReadChoice<std::string>(*network, "network", {{"none", "none"}, {"loopback", "loopback"}}));
  }
  return Ok();
}

// When it is done, and how it is understood.
Status ReadEnd(const YamlNode& node, ScannerSpec& scanner) {
  if (const YamlNode* done = node.Find("done")) TRY(ReadDone(*done, scanner));
  if (const YamlNode* devices = node.Find("devices")) {
    TRY(scanner.devices, ReadDevices(*devices));
  }
  if (const YamlNode* log = node.Find("log")) TRY(ReadLog(*log, scanner));
  if (const YamlNode* limit = node.Find("time_limit")) {
    TRY(scanner.time_limit, ReadSeconds(*limit));
  }
  if (const YamlNode* limit = node.Find("output_limit")) {
    TRY(const int64_t mebibytes, ReadInteger(*limit, "output_limit in MiB", 1, 4096));
    scanner.output_limit = mebibytes << 20;
  }
  if (const YamlNode* limit = node.Find("memory_limit")) {
    TRY(const int64_t mebibytes, ReadInteger(*limit, "memory_limit in MiB", 16, 1 << 20));
    scanner.memory_limit = mebibytes << 20;
  }
  return Ok();
}

}  // namespace

Result<ScannerSpec> ReadScannerFile(const std::string& file, Fixtures& fixtures) {
  TRY(const YamlNode node, ReadYamlFile(file));
  TRY(CheckKeys(node, "a scanner",
                {"scanner",
                 "about",
                 "program",
                 "at",
                 "argv",
                 "env",
                 "fits",
                 "by_default",
                 "host_directories",
                 "python_packages",
                 "needs",
                 "brings",
                 "versions",
                 "release",
                 "done",
                 "network",
                 "devices",
                 "log",
                 "time_limit",
                 "output_limit",
                 "memory_limit"}));
  ScannerSpec scanner;
  TRY(scanner.name, ReadFixtureName(node, "scanner"));
  TRY(const YamlNode* about, Require(node, "a scanner", "about"));
  TRY(scanner.about, ReadNonEmpty(*about, "what success means"));
  TRY(const YamlNode* program, Require(node, "a scanner", "program"));
  TRY(ReadProgram(*program, fixtures, scanner));
  if (const YamlNode* versions = node.Find("versions")) TRY(ReadVersions(*versions, scanner));
  TRY(ReadStart(node, scanner));
  if (const YamlNode* packages = node.Find("python_packages"))
    TRY(ReadPythonPackages(*packages, fixtures, scanner));
  if (const YamlNode* brings = node.Find("brings")) TRY(ReadBrings(*brings, fixtures, scanner));
  if (const YamlNode* release = node.Find("release")) TRY(ReadRelease(*release, fixtures, scanner));
  TRY(ReadEnd(node, scanner));
  return scanner;
}

}  // namespace gpustage
