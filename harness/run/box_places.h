// Where in a tree a box puts something of its own, before it is started.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/base/root.h"
#include "harness/run/box.h"
#include "harness/run/box_child.h"

namespace gpustage {

// The places inside where something of this machine is shown, made as far as they are missing.
Status PlanShown(const BoxSpec& spec, const Root& root, BoxChild& child);

// Where programs write, as far as it is empty, so that a tree's own files there are seen. What a
// run leaves there goes with its box.
void PlanSpaces(const BoxSpec& spec, const Root& root, BoxChild& child);

// That nothing is left on the file system of a tree: our limit, whoever met it. "" where there is
// room.
std::string FullTree(const std::string& root);

}  // namespace gpustage
