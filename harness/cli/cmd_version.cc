#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/verbs.h"
#include "harness/cli/version.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

// What a report of a mistake in gpustage should begin with.
int Version() {
  fmt::print("gpustage {} ({}, {})\n", kVersion, kCommit, kDate);
  const Result<std::vector<LibrarySource>> parts = RealParts(FindCatalog({}));
  if (!parts) return PrintError(parts.error(), kBadInput);
  std::vector<std::string> here, missing;
  for (const LibrarySource& part : *parts)
    (part.missing.empty() ? here : missing).push_back(part.name);
  fmt::print("real parts  {}\n", here.empty() ? "none" : fmt::format("{}", fmt::join(here, ", ")));
  if (!missing.empty()) fmt::print("missing     {}\n", fmt::join(missing, ", "));
  return kAsExpected;
}

}  // namespace

Action DeclareVersion(CLI::App&) {
  return [](const Program&) { return Version(); };
}

}  // namespace gpustage
