// The journal file of a run: made empty before it, read after it. fakes/world/format.h has its
// shape.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/base/root.h"

namespace gpustage {

// An empty journal at its place in the tree, writable for every user.
Status MakeJournal(const Root& root);
// Header and records up to the last one taken.
Result<std::string> ReadJournal(const Root& root);

// The audit recorder, stamped, at its place in the tree; `library` is the built one.
Status PlaceAudit(const Root& root, const std::string& library, uint32_t mark);
// The same below a directory that is no root: what it is stamped with, and what is returned, are
// paths of this machine.
Result<std::string> PlaceAuditOnHost(const Root& root, const std::string& library, uint32_t mark);
inline constexpr char kAuditPath[] = "/.gpustage/audit.so";

}  // namespace gpustage
