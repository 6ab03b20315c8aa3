// The changes that may bring a device back, those first to which the run itself points.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/diagnose/intervention.h"
#include "harness/diagnose/looked.h"
#include "harness/diagnose/packages.h"

namespace gpustage {

// What is known of healthy machines.
struct ProposalContext {
  Packages packages;
  std::map<std::string, GpuDevice> devices;  // as recorded, by their names
  std::vector<ScannerSpec> scanners;         // that are here, in all versions

  static Result<ProposalContext> Read(const Catalog& catalog);
};

// The order in which kinds are tried; answers of one size are ranked by it, too.
enum Tier : int {
  kRefused = 1,     // the kernel said no
  kLacked,          // a library was looked for and not found
  kElsewhere,       // it was not, and stands where nobody looked
  kMask,            // a variable that hides or preloads
  kDiffers,         // a file that was read is not the one that its package installs
  kNotInstalled,    // a file that a package installs was looked for, or its directory listed
  kOtherDirectory,  // a directory of that kind stands elsewhere
  kFolder,          // a whole directory of a package
  kVariable,
  kShadow,  // it stands before another of its name
  kTwice,   // a candidate more
  kSearchPath,
  kUserTier,
  kAnything,  // whatever was read
  kVersion,   // of the scanner
  kDriverTier,
  kFaultTier,
};

// `too_many`: more devices were seen than there are.
std::vector<Intervention> Propose(const FlatCase& flat, const SeenByRun& looked,
                                  const ProposalContext& knowledge, bool too_many);

// Parts of it, by what they change.
void ProposeModes(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all);
void ProposeSearch(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                   std::vector<Intervention>& all);
void ProposeLacks(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                  std::vector<Intervention>& all);
void ProposeInstalls(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                     std::vector<Intervention>& all);
void ProposeRemovals(const FlatCase& flat, const SeenByRun& looked, bool too_many,
                     std::vector<Intervention>& all);
void ProposeEnvironment(const FlatCase& flat, const SeenByRun& looked,
                        std::vector<Intervention>& all);
void ProposeMachine(const FlatCase& flat, const SeenByRun& looked, const ProposalContext& knowledge,
                    std::vector<Intervention>& all);

}  // namespace gpustage
