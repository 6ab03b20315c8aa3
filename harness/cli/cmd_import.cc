#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/verbs.h"
#include "harness/import/assemble.h"
#include "harness/import/recognise.h"
#include "harness/logs/issue.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct ImportOptions {
  std::vector<std::string> files;  // "-" is standard input
  std::string output;
};

Result<std::vector<DeviceName>> KnownDevices() {
  const Catalog catalog = FindCatalog({});
  std::vector<DeviceName> known;
  for (size_t begin = 0; begin <= catalog.devices.size();) {
    const size_t end = std::min(catalog.devices.find(':', begin), catalog.devices.size());
    const std::string folder = catalog.devices.substr(begin, end - begin);
    begin = end + 1;
    for (const std::string& profile : NamesIn(folder, ".yaml")) {
      TRY(const YamlNode file, ReadYamlFile(fmt::format("{}/{}.yaml", folder, profile)));
      const YamlNode* const name = file.Find("name");
      known.push_back({profile, name != nullptr ? name->text : ""});
    }
  }
  return known;
}

Result<std::string> Imported(const ImportOptions& options) {
  std::vector<pasted::GivenText> texts;
  for (const std::string& file : options.files) {
    TRY(std::string text, ReadFile(file == "-" ? "/dev/stdin" : file));
    texts.push_back({file == "-" ? "standard input" : BaseNameOf(file), MarkdownOf(text)});
  }
  TRY(const Knowledge knowledge, ReadKnowledge(LogsFolder()));
  TRY(const pasted::Facts facts, pasted::Recognise(knowledge, texts));
  TRY(const std::vector<DeviceName> known, KnownDevices());
  pasted::Machine machine = pasted::Assemble(facts, known);
  for (const pasted::GivenText& text : texts) machine.files.push_back(text.file);
  return ScenarioOf(std::move(machine));
}

int Import(const ImportOptions& options) {
  const Result<std::string> scenario = Imported(options);
  if (!scenario) return PrintError(scenario.error(), kBadInput);
  if (options.output.empty()) {
    fmt::print("{}", *scenario);
    return kAsExpected;
  }
  if (const Status written = WriteFile(options.output, *scenario); !written)
    return PrintError(written.error(), kBadInput);
  return kAsExpected;
}

}  // namespace

Action DeclareImport(CLI::App& app) {
  const auto options = std::make_shared<ImportOptions>();
  AddFooter(
      app,
      "Texts as people paste them, several in one file or one each: ls -l, ls -lR, find -ls, "
      "ldconfig "
      "-p, ldd, readelf -d, objdump -p, lspci, nvidia-smi (-L, -q, -q -x), env, systemctl show and "
      "cat, docker "
      "inspect, "
      "a Dockerfile, strace, LD_DEBUG=libs, vulkaninfo, rocminfo, rocm-smi, PyTorch's collect_env, "
      "logs of Ollama and llama.cpp. Each is known by its content.");
  AddOption(app, "text", options->files, "files, or - for standard input").Kind("FILE").Required();
  AddOption(app, "-o,--output", options->output, "write the scenario there").Kind("FILE");
  return [options](const Program&) { return Import(*options); };
}

}  // namespace gpustage
