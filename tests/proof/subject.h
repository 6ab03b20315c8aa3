// The programs of tests/subjects/scan*, each by itself.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "harness/run/run.h"
#include "tests/support/source_dir.h"

namespace gpustage {

inline const Recorders kRecorders = {GPUSTAGE_RECORDERS "/audit.so", GPUSTAGE_RECORDERS "/ask"};

struct Subject {
  std::string name;
  std::string program;  // on this machine; "" when it could not be built here
  std::vector<std::string> argv;
  std::vector<std::string> host_directories = {};
  bool dynamic = true;   // a loader starts it
  bool threads = false;  // its threads race, so only what a process did as a whole can be compared
};

inline std::string Built(const std::string& name) {
  return std::string(GPUSTAGE_SUBJECTS "/") + name;
}

// The paths are those of fixtures/scanners/python-ctypes.yaml. -S and -E: nothing of this machine's
// own configuration.
inline Subject PythonSubject() {
  return {"python",
          "/usr/bin/python3.11",
          {"/usr/bin/python3.11", "-S", "-E", "/opt/scan.py"},
          {"/usr/lib/python3.11"}};
}
inline Subject CppSubject() { return {"cpp", Built("scan"), {"/usr/bin/scan"}}; }
inline Subject BoundAtStartSubject() {
  return {"cpp_now", Built("scan_now"), {"/usr/bin/scan_now"}};
}
inline Subject PastPltSubject() {
  return {"cpp_past_plt", Built("scan_past_plt"), {"/usr/bin/scan_past_plt"}};
}
inline Subject GoSubject() {
  return {"go", Built("scan_go"), {"/usr/bin/scan_go"}, {}, true, true};
}
inline Subject StaticSubject() {
  return {"static", Built("scan_static"), {"/usr/bin/scan_static"}, {}, false};
}
inline std::vector<Subject> DynamicSubjects() {
  return {CppSubject(), BoundAtStartSubject(), PythonSubject(), GoSubject()};
}

inline std::string SubjectName(const testing::TestParamInfo<Subject>& info) {
  return info.param.name;
}
inline void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }

}  // namespace gpustage
