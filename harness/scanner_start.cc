#include "harness/scanner_start.h"

#include <fmt/format.h>

#include <optional>

#include "harness/evidence/records/log_lines.h"
#include "harness/stage/identity.h"
#include "harness/stage/plan.h"

namespace gpustage {

Result<ScannerStart> StartOf(const Case& c, const RunSpec& spec) {
  const std::string user = spec.user.value_or(c.user);
  const std::optional<Identity> identity = FindUser(user);
  if (!identity)
    return Error{
        fmt::format(
            "no user {} in the tree; there are root, ollama, user, nobody and numbers to 65534",
            user),
        spec.pos};
  ScannerStart start;
  start.argv = spec.scanner.argv;
  start.argv.insert(start.argv.end(), spec.args.begin(), spec.args.end());
  start.environment = EnvironmentOf(c, spec);
  start.working_directory = c.working_directory;
  start.user = *identity;
  for (const std::string& group : spec.groups.value_or(c.groups))
    if (const auto gid = FindGroup(group)) start.user.groups.push_back(*gid);
  start.host_directories = spec.scanner.host_directories;
  start.loopback = spec.scanner.network == "loopback";
  start.time_limit = spec.scanner.time_limit;
  start.output_limit = spec.scanner.output_limit;
  start.memory_limit = spec.scanner.memory_limit;
  if (spec.scanner.done_when) start.done_when = LineFinder(*spec.scanner.done_when);
  start.settle = spec.scanner.settle;
  return start;
}

}  // namespace gpustage
