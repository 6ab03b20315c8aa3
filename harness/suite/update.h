// What scenario files would have to expect for their runs to pass, of what the runs showed: a
// change a claim, for somebody to look at.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/report/case_report.h"
#include "harness/suite/seen_claim.h"

namespace gpustage {

struct Proposal {
  // What is said of the runs with one of these labels; without `by`, of all.
  struct Variant {
    std::vector<std::string> labels;
    std::optional<std::vector<ClaimChange>> changes;  // none: it stays as it is
    YamlNode claims = {};                             // of runs of which nothing is expected yet
  };
  std::string file;
  SourcePos pos;                   // of the claim; of the file where there is none
  std::string expected;            // "devices: 1"; "": nothing yet
  std::string seen;                // by the first run that shows otherwise
  std::vector<std::string> cases;  // whose runs it is about
  int runs = 0;                    // that it makes pass
  std::string by_hand;             // why only somebody can say it; "": the rest says how
  std::string by;                  // "run" or an axis that tells the variants apart
  std::vector<Variant> variants = {};
  std::string run;      // of which nothing is expected; "": all runs of the file are it
  bool is_new = false;  // nothing is expected yet
};

// The file's text with it. The text may have had other proposals already that stand further down.
Result<std::string> WithProposal(const std::string& text, const Proposal& proposal);

class Showings {
 public:
  void Saw(const CaseReport& report);
  // By file, and the last of a file first: none moves what another is about.
  std::vector<Proposal> Proposals() const;

 private:
  struct Showing {
    std::string id, run;
    std::map<std::string, std::string> axes;
    bool holds = true;
    std::optional<std::vector<ClaimChange>> changes;
    YamlNode claims;
    std::string seen;
  };
  struct Claimed {
    SourcePos pos;
    std::string expected;
    bool is_new = false, alone = false;
    std::vector<Showing> showings;
  };
  static Proposal ProposalOf(const Claimed& claimed);

  std::map<std::string, Claimed> claims_;  // by place and key
};

}  // namespace gpustage
