// The report for programs: report.schema.json has its shape, and its version. What is read is what
// was written.
#pragma once

#include <string>

#include "harness/report/report.h"

namespace gpustage {

std::string JsonReport(const Report& report);

// Strict: a key more or less, or totals that are not those of the cases, is an error at its line.
// `file` is for the error.
Result<Report> ParseJsonReport(const std::string& text, const std::string& file);

}  // namespace gpustage
