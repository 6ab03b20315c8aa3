#include "harness/cli/why_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/diagnose/proofs.h"
#include "harness/diagnose/why.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

constexpr int kMostForOneRun = 60;

Result<WhyReport> Ask(const Case& c, size_t run, CaseRunner& runner, const WhyOptions& options) {
  TRY(const ProposalContext knowledge, ProposalContext::Read(FindCatalog({})));
  TRY(const FlatCase flat, Flatten(c, run, knowledge.packages.images(), runner));
  TRY(WhyReport report, Why(flat, knowledge, runner, options));
  KeepProofs(c, run, report);
  return report;
}

std::string WordsOf(const WhyReport& report) {
  if (report.healthy) return "nothing is lost";
  if (report.answers.empty())
    return fmt::format("nothing that was tried in {} starts brings it back", report.starts);
  const Mending& best = report.answers.front();
  std::string words;
  for (const Intervention& change : best.changes)
    words += (words.empty() ? "" : ", and ") + ToString(change);
  return fmt::format("{} (proven: {} of {} starts with it, {} of {} without it)", words,
                     best.came_back, best.rounds, best.lost_again, best.rounds);
}

}  // namespace

std::string WhyLines::Sentence(const ReportedRun& run) {
  if (left_ <= 0) return "not asked: the budget of --why is spent";
  for (size_t place = 0; place < cases_.size(); ++place) {
    if (cases_.Id(place) != run.id) continue;
    const Result<Case> c = cases_.Read(place);
    if (!c) return c.error().message;
    for (size_t i = 0; i < c->runs.size(); ++i) {
      if (c->runs[i].name != run.run) continue;
      WhyOptions options;
      options.jobs = jobs_;
      options.budget = std::min(left_, kMostForOneRun);
      options.most_answers = 1;
      options.weigh = false;
      SayWhatIsExpected(*c, c->runs[i], options);
      const Result<WhyReport> report = Ask(*c, i, runner_, options);
      if (!report) return report.error().message;
      left_ -= report->starts;
      if (!report->answers.empty()) proven_.push_back({run.Name(), WordsOf(*report)});
      return WordsOf(*report);
    }
  }
  return "its case is not among those of this start";
}

std::string WhyLines::For(const ReportedRun& run) {
  if (!run.Ran() || run.verdict == VerdictKind::kXpass) return "";
  return fmt::format("  {:<9} {}\n", "why", Sentence(run));
}

}  // namespace gpustage
