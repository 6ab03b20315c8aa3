// fixtures/recordings/real-gpu/driver-answers.yaml: what a real driver answered under which
// conditions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/fakes/stage.h"

namespace gpustage::fakes_test {

struct Condition {
  std::vector<Variable> environment;
  std::string user;                         // "": root
  std::vector<std::string> not_the_device;  // paths in /dev
  std::vector<std::string> unreadable;
  std::string libcuda;       // in words; "": the driver's
  std::string libnvidia_ml;  // likewise
  std::string note;
};

struct DriverAnswer {
  std::string machine;  // "h200-x2" or "h100-x1"
  Condition when;
  // As tests/subjects/driver_answer.c prints them, by the name of the field; "order" is "1,0,".
  std::map<std::string, std::string> fields;
};

std::vector<DriverAnswer> ReadDriverAnswers();

// "h200-x2" -> that machine, as a scenario would describe it.
world::World MachineNamed(const std::string& name);

}  // namespace gpustage::fakes_test
