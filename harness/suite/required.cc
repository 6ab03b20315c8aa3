#include "harness/suite/required.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.h"

namespace gpustage {
namespace {

bool Places(const std::vector<TreeOp>& ops, const LibrarySource& part) {
  return std::any_of(ops.begin(), ops.end(), [&](const TreeOp& op) {
    const auto* placed = std::get_if<PlaceLibraryOp>(&op.what);
    return placed != nullptr && placed->source.kind == part.kind &&
           placed->source.name == part.name;
  });
}

// A scanner knows its parts by their files only, and one that is missing by why.
bool Uses(const ScannerSpec& scanner, const LibrarySource& part) {
  const auto is_it = [&](const std::string& host_path) {
    return !host_path.empty() && host_path == part.host_path;
  };
  return is_it(scanner.program) || (!part.missing.empty() && scanner.missing == part.missing) ||
         std::any_of(scanner.brings.begin(), scanner.brings.end(),
                     [&](const BroughtFile& file) { return is_it(file.host_path); }) ||
         std::any_of(scanner.needs.begin(), scanner.needs.end(), is_it);
}

}  // namespace

bool Requirements::One::IsScanner(const RunSpec& run) const {
  return Means(name, run.scanner.name, run.scanner.version);
}

bool Requirements::One::IsPartOf(const Case& c, const RunSpec& run) const {
  return std::any_of(parts.begin(), parts.end(), [&](const LibrarySource& part) {
    return Places(c.tree, part) || Places(run.change, part) || Uses(run.scanner, part);
  });
}

Result<Requirements> Requirements::Of(const std::vector<std::string>& names,
                                      const CaseSelection& selected) {
  Requirements required;
  if (names.empty()) return required;
  TRY(const std::vector<LibrarySource> parts, RealParts(selected.catalog()));
  std::vector<std::string> known = selected.Scanners();
  const size_t scanners = known.size();
  for (const LibrarySource& part : parts) known.push_back(part.name);
  for (const std::string& name : names) {
    One one{name, {}, false, ""};
    std::copy_if(parts.begin(), parts.end(), std::back_inserter(one.parts),
                 [&](const LibrarySource& part) { return part.name == name; });
    const bool is_scanner =
        std::find(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(scanners),
                  name.substr(0, name.find('@'))) !=
        known.begin() + static_cast<std::ptrdiff_t>(scanners);
    if (!is_scanner && one.parts.empty())
      return Error{
          fmt::format("--require: no scanner or part {}{}", Quote(name), DidYouMean(name, known))};
    required.all_.push_back(std::move(one));
  }
  return required;
}

void Requirements::Add(const Case& c) {
  for (One& one : all_)
    one.used = one.used || std::any_of(c.runs.begin(), c.runs.end(), [&](const RunSpec& run) {
                 return one.IsScanner(run) || one.IsPartOf(c, run);
               });
}

Status Requirements::CheckUsed() const {
  for (const One& one : all_)
    if (!one.used)
      return Error{fmt::format("{0} is required: no case of this selection uses {0}", one.name)};
  return Ok();
}

void Requirements::Saw(const FinishedCase& finished) {
  for (One& one : all_)
    for (const RunReport& run : finished.report.runs) {
      if (!one.missing.empty() || run.verdict.kind != VerdictKind::kSkip) continue;
      // A case is skipped for the first part that it lacks, which may be another one.
      const bool lacks_part =
          one.IsPartOf(finished.report.c, run.spec) &&
          std::any_of(one.parts.begin(), one.parts.end(), [&](const LibrarySource& part) {
            return !part.missing.empty() && part.missing == run.verdict.because;
          });
      if (one.IsScanner(run.spec) || lacks_part) one.missing = run.verdict.because;
    }
}

std::string Requirements::Missing() const {
  for (const One& one : all_)
    if (!one.missing.empty()) return fmt::format("{} is required: {}", one.name, one.missing);
  return "";
}

}  // namespace gpustage
