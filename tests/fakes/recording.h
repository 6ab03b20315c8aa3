// The recordings of real machines in fixtures/recordings/real-gpu: what the fakes must answer, and
// the machines to ask about.
#pragma once

#include <string>
#include <vector>

#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {

inline constexpr char kH100[] = "h100-80gb-hbm3.probe.txt";
inline constexpr char kTwoH200[] = "two-h200.probe.txt";

// The lines from one that begins with `from` up to one that begins with `to`; "": the end of the
// file.
std::vector<std::string> RecordedLines(const std::string& file, const std::string& from,
                                       const std::string& to);

// The machine that was asked, as a scenario would describe it.
world::World RecordedMachine(const std::string& file);

}  // namespace gpustage::fakes_test
