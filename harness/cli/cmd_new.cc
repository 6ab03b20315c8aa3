#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/verbs.h"
#include "harness/suite/case_names.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct NewOptions {
  std::string name;
  std::string from;  // a scenario to begin with; "": the smallest one
  std::string device = "h100-80gb";
  std::vector<std::string> layouts;
};

constexpr char kTemplate[] = R"(# What is true, in one sentence. Each key: harness/docs/scenario.md
claim: {claim}
machine: {{devices: [{device}]}}
layout: [{layout}]
# tree: [{{chmod: /usr/local/lib/ollama, mode: "0711"}}]  # what is otherwise than the layout has it
# runs: [{{scanner: ollama-model}}]  # one run of each scanner that fits, unless you name some
expect: [{{devices: 1}}]
)";

Status Known(const std::string& name, const std::string& directory, const char* what) {
  const std::vector<std::string> names = NamesIn(directory, ".yaml");
  if (std::find(names.begin(), names.end(), name) != names.end()) return Ok();
  return Error{fmt::format("no {} {}{}", what, Quote(name), DidYouMean(name, names))};
}

Result<std::string> TextOf(const NewOptions& options) {
  const Catalog catalog = FindCatalog({});
  if (!options.from.empty()) {
    TRY(const NamedFiles named, FilesNamed(catalog, options.from));
    if (named.files.size() != 1 || !named.cell.empty())
      return Error{fmt::format("--from takes one scenario, and {} is {}", options.from,
                               named.cell.empty() ? "a folder" : "a case of one")};
    return ReadFile(named.files.front());
  }
  std::vector<std::string> layouts = options.layouts;
  if (layouts.empty()) layouts = {"nvidia-driver-debian", "ollama-cuda-12"};
  TRY(Known(options.device, catalog.devices, "device"));
  for (const std::string& layout : layouts) TRY(Known(layout, catalog.layouts, "layout"));
  return fmt::format(kTemplate, fmt::arg("claim", "a GPU is found where all is in its place"),
                     fmt::arg("device", options.device),
                     fmt::arg("layout", fmt::join(layouts, ", ")));
}

int New(const NewOptions& options) {
  const std::string file = options.name.ends_with(".yaml") ? options.name : options.name + ".yaml";
  if (FileExists(file)) return PrintError({fmt::format("{} is there already", file)}, kBadInput);
  const Result<std::string> text = TextOf(options);
  if (!text) return PrintError(text.error(), kBadInput);
  if (const Status written = WriteFile(file, *text); !written)
    return PrintError(written.error(), kBadInput);
  fmt::print("wrote {}\nnext: {} run {}\n", file, CalledAs(), ShellWord(file));
  return kAsExpected;
}

}  // namespace

Action DeclareNew(CLI::App& app) {
  const auto options = std::make_shared<NewOptions>();
  AddOption(app, "name", options->name, "the file to write, with or without .yaml")
      .Kind("FILE")
      .Required();
  AddOption(app, "--from", options->from, "begin with this scenario of the collection")
      .Kind("SCENARIO");
  AddOption(app, "--device", options->device, "the GPU: a name of fixtures/devices").Kind("DEVICE");
  AddOption(app, "--layout", options->layouts, "where files lie: names of fixtures/layouts")
      .Kind("LAYOUT")
      .OneEach();
  return [options](const Program&) { return New(*options); };
}

}  // namespace gpustage
