// The folder of run --evidence-dir: one file a run, DIR/CASE.RUN.jsonl. A slash in the label of an
// axis is %2F there, and a name that no file system takes is cut and numbered.
#pragma once

#include <string>
#include <vector>

#include "harness/evidence/store/store.h"
#include "harness/report/case_report.h"

namespace gpustage {

// Its path in the folder.
std::string EvidenceFile(const std::string& id, const std::string& run);

// Makes it if need be, and tries whether it can be written to.
Status MakeEvidenceFolder(const std::string& folder);
// Record by record, as they were recorded: nothing of the size of a run is copied.
Status WriteEvidence(const std::string& folder, const CaseReport& report);

// A file *.jsonl, or a folder that has one in it.
bool IsEvidence(const std::string& path);
Result<std::vector<KeptRun>> ReadEvidence(const std::string& path);

}  // namespace gpustage
