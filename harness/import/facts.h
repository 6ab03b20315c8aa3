// What pasted texts say of a machine: typed facts, each with the text and the line that said it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/capture/facts.h"
#include "harness/logs/weigh.h"

namespace gpustage::pasted {

struct Origin {
  std::string text;  // "ls -l", "nvidia-smi", "ldconfig -p", …
  std::string file;
  int line = 0;
};
std::string ToString(const Origin& origin);  // "ls -l, bug.txt:12"

template <typename T>
struct Told {
  T value;
  Origin from;
};

// Of a listing: mode and owner are known. Of a path that something opened or found: they are not.
struct File {
  capture::FileFacts facts;
  bool listed = false;
  std::string owner, group;  // as listed
};

struct Absence {
  std::string path;     // may end in * as a shell's pattern does
  bool denied = false;  // it is there, and may not be opened
  bool gone = true;     // it is not there; neither: it answers with something else
};

// A library that another one or a program wants.
struct Need {
  std::string of;      // who wants it; "" not said
  std::string soname;  // "libcublas.so.12"
  std::string path;    // "" not found
};

// The dynamic section of a file, as readelf -d prints it.
struct Dynamic {
  std::string path;
  capture::ElfFacts elf;
};

struct Device {
  std::string name;     // "Tesla P100-PCIE-16GB"; may be cut ("Tesla P100-PCIE...")
  std::string compute;  // "8.6", "gfx1100"
  std::string uuid;     // never written
  int64_t memory = 0;   // bytes; 0 not said
  std::string vendor;   // "nvidia", "amd", "intel", "virtio", "software"
  std::string api;      // who lists it: "nvidia-smi", "log", "vulkaninfo", "rocminfo", …
  std::string compute_mode;
  std::string driver, pci_id;  // of Vulkan: "radv", "1002:744c"
};

// What a driver or a program answered: "cuInit" 999, "nvml" 18 (library and driver differ).
struct AnswerCode {
  std::string function;
  int code = 0;
};

// How many devices somebody counted: nvidia-smi, a log, torch.
struct Count {
  std::string by;  // "nvidia-smi", "ollama", "llama.cpp", "torch", "vulkan", "hip"
  int devices = 0;
};

// What a unit or a container keeps from its program.
enum class Kept { kNodes, kOpening, kDriver, kAll };
struct Restriction {
  Kept kept = Kept::kNodes;
  std::string says;  // "PrivateDevices=yes: it sees no node of a GPU"
};

struct Log {
  std::string text;  // as read
  std::string program, version;
  LogOutcome outcome = LogOutcome::kNothing;
  std::vector<std::string> causes;  // that its lines name
  std::vector<std::string> asks;    // the commands that tell more
};

struct Facts {
  std::vector<Told<File>> files;
  std::vector<Told<Absence>> absent;
  std::vector<Told<Need>> needs;
  std::vector<Told<Dynamic>> dynamics;
  std::vector<Told<std::pair<std::string, std::string>>> cache;      // SONAME, path
  std::vector<Told<std::pair<std::string, std::string>>> variables;  // in the order of the texts
  std::vector<Told<Device>> devices;
  std::vector<Told<std::string>> library_version, kernel_version, cuda_version;  // of the driver
  std::vector<Told<std::string>> user;                                           // of the service
  std::vector<Told<AnswerCode>> answers;
  std::vector<Told<Count>> counts;
  std::vector<Told<Restriction>> restrictions;
  std::vector<Told<std::pair<std::string, std::vector<std::string>>>> groups;  // of a user, by name
  std::vector<Told<std::string>> unread;  // a file of variables that a unit names
  std::vector<Told<std::string>> builds;  // "PyTorch was built without CUDA": nothing is looked for
  std::vector<Told<Log>> logs;
  std::vector<std::string> texts;  // the kinds that were found, in order, each once
};

}  // namespace gpustage::pasted
