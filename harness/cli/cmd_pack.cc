#include <fmt/format.h>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/options.h"
#include "harness/cli/verbs.h"
#include "harness/cli/version.h"
#include "harness/suite/pack.h"

namespace gpustage {
namespace {

struct PackOptions {
  CaseFilter selection;
  std::string output;
};

int WritePack(const PackOptions& options) {
  Result<Pack> pack = PackOf(options.selection);
  if (!pack) return PrintError(pack.error(), kBadInput);
  pack->files[pack->folder + "/README"] = {
      fmt::format("A scenario of gpustage {}. Beside this folder:\n\n    gpustage {}\n", kVersion,
                  pack->command),
      false};
  const Result<std::string> tar = TarOf(pack->files);
  if (!tar) return PrintError(tar.error(), kBadInput);
  const std::string file = options.output.empty() ? pack->folder + ".tar" : options.output;
  if (const Status written = WriteFile(file, *tar); !written)
    return PrintError(written.error(), kBadInput);
  fmt::print("wrote {}: {} files, {} kB\nthere: tar -xf {} && {} {}\n", file, pack->files.size(),
             tar->size() / 1000, ShellWord(BaseNameOf(file)), "gpustage", pack->command);
  return kAsExpected;
}

}  // namespace

Action DeclarePack(CLI::App& app) {
  const auto options = std::make_shared<PackOptions>();
  AddFooter(
      app,
      "The scenario with libraries, scanners, layouts and devices of your own, for an issue or a "
      "colleague; the same bytes whenever it is written. Look into it before you give it away: "
      "files of this machine are in it as they are.");
  AddOption(app, "case", options->selection.paths, "a scenario or a case of one")
      .Kind("SCENARIO")
      .Required()
      .Times(1, 1);
  AddFilters(app, options->selection);
  AddOption(app, "--output,-o", options->output, "the file; NAME.tar without it").Kind("FILE");
  return [options](const Program&) { return WritePack(*options); };
}

}  // namespace gpustage
