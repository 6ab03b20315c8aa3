// The page of what people have reported: from what is seen to what it can be, its scenario and what
// mended it.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/scenario/catalog/catalog.h"

namespace gpustage {

// Markdown of the scenarios that name a thread: scenarios/README.md.
Result<std::string> CollectionPage(const Catalog& catalog);

}  // namespace gpustage
