#include "harness/evidence/path/questions.h"

#include <algorithm>
#include <set>

#include "harness/evidence/loader/linkage.h"
#include "harness/evidence/loader/outside.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/records/decode.h"

namespace gpustage {
namespace {

// The libraries of the tree, and those that were loaded: by what they end at they are told apart.
std::vector<std::string> LibrariesToCompare(const Evidence& evidence) {
  std::set<std::string> paths(evidence.setting.libraries.begin(), evidence.setting.libraries.end());
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows)
      if (row.pid != 0 && row.reached >= Step::kLoaded) paths.insert(row.library);
  return {paths.begin(), paths.end()};
}

// What is the same file as one that was loaded is no other copy of it, by whatever links.
void DropTheSame(const AfterRun& after, Evidence& evidence) {
  const auto end_of = [&](const std::string& path) {
    const auto known = after.ends.find(path);
    return known == after.ends.end() ? path : known->second;
  };
  std::set<std::string> loaded;
  for (const auto* rows : {&evidence.funnel, &evidence.inner})
    for (const FunnelRow& row : *rows)
      if (row.pid != 0 && row.reached >= Step::kLoaded) loaded.insert(end_of(row.library));
  std::erase_if(evidence.setting.libraries,
                [&](const std::string& path) { return loaded.contains(end_of(path)); });
}

}  // namespace

Questions QuestionsOf(const Evidence& evidence) {
  Questions questions;
  FindUsedFiles(evidence, questions);
  if (!WatchesLoader(evidence.level))
    return questions;  // nothing is known that was to be explained
  questions.mapped = MappedFiles(evidence);
  questions.dlopens = OpenQuestions(evidence);
  questions.looks = PathsToLook(evidence);
  questions.sought = SoughtInVain(evidence);
  questions.ends = LibrariesToCompare(evidence);
  return questions;
}

void Conclude(const AfterRun& after, Evidence& evidence) {
  evidence.outside = FindOutside(evidence, after);
  if (!WatchesLoader(evidence.level)) return;
  evidence.linkage = LinkageOf(evidence, after);
  DropTheSame(after, evidence);
  ExplainLosses(after, evidence);
}

Evidence EvidenceOf(const RecordedRun& run) {
  Evidence evidence = Decode(run);
  Conclude(run.after, evidence);
  return evidence;
}

}  // namespace gpustage
