// Facts of pasted texts put together to one machine: what they say, what they leave open, and where
// they contradict each other.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/capture/sections.h"
#include "harness/import/facts.h"
#include "harness/scenario/catalog/device_words.h"

namespace gpustage::pasted {

// A device of the machine: a profile of fixtures/devices, or the nearest one with what is known.
struct StagedDevice {
  std::string profile;
  std::string name, compute, gfx;  // "" as the profile has it
  int64_t memory = 0;
  std::string uuid;  // as pasted: a mask may name it
  std::string from;
};

// Two texts say two things of one.
struct Contradiction {
  std::string what, variable;  // variable: whose value it is; "" of something else
  std::string one, one_from, other, other_from;
};

// What the texts report: who counted, and how many.
enum class Asked { kDriver, kManagement, kRuntime, kBackend, kOllama, kHip, kVulkan };
struct Symptom {
  Asked asked = Asked::kDriver;
  int devices = 0;
  std::string says;  // "Ollama counts 0 devices"
  std::string from;
  bool reported = false;  // somebody said it; else it is what the files come to
};

struct Machine {
  capture::MachineFacts facts;
  capture::Origins origins;
  std::vector<StagedDevice> devices;
  bool devices_known = false;
  std::string lister;  // the kind of text that lists them
  std::string driver, kernel_driver, cuda;
  std::vector<std::string> layouts;
  std::vector<std::string> more;    // lines of the tree after its files
  std::vector<std::string> faults;  // "{function: cuInit, return: 999}"
  std::string user, user_from;
  bool unlistable = false;           // a directory of backends is closed to the service
  std::string backend;               // the path of the ggml backend of a listing
  std::vector<std::string> missing;  // SONAMEs that a loader found nowhere
  std::vector<Contradiction> contradictions;
  Symptom symptom;
  std::string not_staged;             // why a run of ours cannot show what they report
  std::vector<std::string> why;       // facts that lose the device, each a sentence
  std::vector<std::string> log_asks;  // commands that tell what a log does not
  std::vector<std::string> files;     // that were read
  std::vector<std::string> texts;     // the kinds that were found in them
};

Machine Assemble(const Facts& facts, const std::vector<DeviceName>& known);
std::string ScenarioOf(Machine machine);

// Parts of Assemble.
void AddDevices(const Facts& facts, const std::vector<DeviceName>& known, Machine& machine);
void AddFiles(const Facts& facts, Machine& machine);
void AddSettings(const Facts& facts, Machine& machine);
void AddSymptom(const Facts& facts, Machine& machine);
void StageVulkan(const Facts& facts, Machine& machine);  // where Vulkan is what is asked
std::vector<Contradiction> Contradictions(const Facts& facts);

// "570.195" is "570.195.03" as nvidia-smi cuts it.
bool SameVersion(const std::string& a, const std::string& b);
void Ask(Machine& machine, const std::string& what, const std::string& why,
         const std::string& command);

}  // namespace gpustage::pasted
