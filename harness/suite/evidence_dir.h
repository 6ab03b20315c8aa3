// The folder of run --evidence-dir: one file a run, DIR/CASE.RUN.jsonl.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/store/store.h"
#include "harness/report/case_report.h"

namespace gpustage {

// Makes it if need be, and tries whether it can be written to.
Status MakeEvidenceFolder(const std::string& folder);
Status WriteEvidence(const std::string& folder, const std::vector<CaseReport>& reports);

// A file *.jsonl, or a folder that has one in it.
bool IsEvidence(const std::string& path);
Result<std::vector<KeptRun>> ReadEvidence(const std::string& path);

}  // namespace gpustage
