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
  kOrder,  // of what is searched
  kUserTier,
  kAnything,        // whatever was read
  kScannerVersion,  // of the scanner
  kDriverTier,
  kFaultTier,
  kLate,  // what no run points to: only when nothing else brings it back
};

// A change of a path or a variable; value: "" where its kind needs none.
Intervention Change(Intervention::Kind kind, int tier, std::string subject, std::string value = "");

// `most`: more devices were seen than these, which are wanted; none: they were not too many.
std::vector<Intervention> Propose(const FlatCase& flat, const SeenByRun& looked,
                                  const ProposalContext& knowledge, std::optional<int64_t> most);

// What is left: any other owner, user, order, runtime, driver.
std::vector<Intervention> ProposeLate(const FlatCase& flat, const SeenByRun& looked,
                                      const ProposalContext& knowledge);

// Of what is proposed, all that makes the machine one as packages leave it, each once.
std::vector<Intervention> TowardsHealthy(const std::vector<Intervention>& all, FlatCase flat);

// Parts of it, by what they change.
void ProposeModes(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all);
void ProposeSearch(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                   std::vector<Intervention>& all);
void ProposeLinks(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all);
void ProposeOrder(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all);
// Each entry of a list but its first, put first.
void ProposeOrders(const EnvVar& variable, int tier, std::vector<Intervention>& all);
void ProposeLacks(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                  std::vector<Intervention>& all);
void ProposeInstalls(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                     std::vector<Intervention>& all);
void ProposeRemovals(const FlatCase& flat, const SeenByRun& looked, bool too_many,
                     std::vector<Intervention>& all);
void ProposeEnvironment(const FlatCase& flat, const SeenByRun& looked,
                        std::vector<Intervention>& all);
// As which target a GPU is taken, what hides one, and what the kernel shows.
void ProposeOverrides(const FlatCase& flat, const SeenByRun& looked,
                      const ProposalContext& knowledge, std::vector<Intervention>& all);
void ProposeMasks(const FlatCase& flat, const SeenByRun& looked, std::optional<int64_t> most,
                  std::vector<Intervention>& all);
void ProposeKernel(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all);
// What a build lacks, or asks for too much.
void ProposeStacks(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all);
void ProposeBackends(const FlatCase& flat, const SeenByRun& looked, const Packages& packages,
                     std::vector<Intervention>& all);
// What was looked for by its path and stands elsewhere: programs, or what is none.
void ProposeFound(const FlatCase& flat, const SeenByRun& looked, bool programs, int tier,
                  std::vector<Intervention>& all);
// What the program asked for by its text, by paths, and did not list.
void ProposeProgram(const FlatCase& flat, const SeenByRun& looked, std::vector<Intervention>& all);
void ProposeMachine(const FlatCase& flat, const SeenByRun& looked, const ProposalContext& knowledge,
                    std::vector<Intervention>& all);

}  // namespace gpustage
