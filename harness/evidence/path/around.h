// What stands around a loss in which no library failed: nobody tried it, since somebody asked for
// something else, and in vain.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/evidence/path/funnel.h"

namespace gpustage {

// Of a scanner that ended badly: the path that was refused it and that its own words name. null:
// none.
const Event* RefusedAndTold(const Evidence& evidence);

// Facts below the loss of a library that no process tried, or that lies elsewhere than where it is
// looked for.
std::vector<Fact> AroundUntried(const AfterRun& after, const Evidence& evidence,
                                const FunnelRow& row);

// Programs beside folders of libraries that were asked for in vain, to be looked at: one that is a
// link is where its libraries are reckoned from.
std::vector<std::string> ProgramsBeside(const Evidence& evidence);

// Files that are there in containers alone: of Docker, Podman, Singularity and Flatpak.
const std::vector<std::string>& FilesOfContainers();

// That the program runs in a container, of a loss that whoever starts one mends in another way.
void AddContainer(const AfterRun& after, const Evidence& evidence, FunnelRow& row);

// What was asked for just before a path that was refused: one of them may be a link that leads
// there.
std::vector<std::string> AskedBefore(const Evidence& evidence, const Event& refused);

// The link by which the scanner came to a path that it was refused.
void AddLinkThere(const AfterRun& after, const Evidence& evidence, const Event& refused,
                  std::vector<Fact>& facts);

// A container toolkit looks for the compatibility libraries of an image here:
// NVIDIA/libnvidia-container, "compat".
inline constexpr char kToolkit[] = "/usr/local/cuda";

// That folder is a link, behind which lies a newer copy of the driver that nobody took.
void AddCompatLink(const AfterRun& after, FunnelRow& row);

// The variable by which somebody meant the folder of a library that lies where nobody looked.
void AddIgnored(const Evidence& evidence, FunnelRow& row);

// The variable that the log names for a device that its program left out.
void AddAdvice(const Evidence& evidence, FunnelRow& row);

}  // namespace gpustage
