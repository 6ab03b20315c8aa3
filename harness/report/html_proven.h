// The section of a page that says what was proven, and how text is put into a page.
#pragma once

#include <string>
#include <vector>

#include "harness/report/report.h"

namespace gpustage {

// What a page says, whoever wrote it: a scanner's words above all.
std::string Html(const std::string& text);
// "" where nothing was asked.
std::string ProvenHtml(const std::vector<ProvenAnswer>& proven);

}  // namespace gpustage
