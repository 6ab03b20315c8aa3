#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "harness/base/files.h"
#include "harness/capture/device_file.h"
#include "harness/cli/commands.h"
#include "harness/cli/declare.h"
#include "harness/cli/verbs.h"
#include "harness/run/host_run.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

struct RecordDeviceOptions {
  std::string library = "libcuda.so.1";
  std::string folder;
};

int RecordDevice(const RecordDeviceOptions& options) {
  const std::string said =
      ProbeDriver({{}, OurEnvironment()}, "cuda", options.library, FindRecorders());
  const std::vector<capture::DeviceFile> files = capture::DeviceFiles(said);
  if (files.empty()) {
    const size_t begin = said.find("cuInit ");
    const size_t line = begin == std::string::npos ? 0 : begin;
    const std::string first = said.substr(line, said.find('\n', line) - line);
    return PrintError({fmt::format("{} tells of no device: {}", options.library,
                                   said.empty() ? "it could not be asked" : first)},
                      kCannotHere);
  }
  for (const capture::DeviceFile& file : files) {
    if (options.folder.empty()) {
      fmt::print("{}", file.text);
      continue;
    }
    if (mkdir(options.folder.c_str(), 0755) != 0 && errno != EEXIST)
      return PrintError({fmt::format("cannot make {}", options.folder)}, kBadInput);
    const std::string path = fmt::format("{}/{}.yaml", options.folder, file.profile);
    if (const Status written = WriteFile(path, file.text); !written)
      return PrintError(written.error(), kBadInput);
    fmt::print("{}\n", path);
  }
  return kAsExpected;
}

}  // namespace

Action DeclareRecordDevice(CLI::App& app) {
  const auto options = std::make_shared<RecordDeviceOptions>();
  AddFooter(
      app,
      "Figures and the product's name alone: no UUID, no serial number, no place. Equal devices "
      "make "
      "one file, as those of fixtures/devices are.");
  AddOption(app, "-o,--output", options->folder, "write NAME.yaml of each device into this folder")
      .Kind("DIR");
  AddOption(app, "--library", options->library, "the driver's library that is asked").Kind("FILE");
  return [options](const Program&) { return RecordDevice(*options); };
}

}  // namespace gpustage
