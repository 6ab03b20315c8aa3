// Which fake stands for a library, and which words of an answer may be written.
#pragma once

#include <map>
#include <string>

#include "harness/capture/facts.h"

namespace gpustage::capture {

struct Fake {
  std::string name, soname;  // of ours, as it stands
};
// {}: none stands for it.
Fake FakeOf(const FileFacts& file);

// What clients ask a library of this SONAME or name for; none: {}.
std::vector<const char*> EntryPoints(const std::string& name);

// The profile of fixtures/devices with this target of AMD's, or one that takes any.
const char* ProfileOfTarget(const std::string& gfx);

bool IsNumber(const std::string& text);
// "580.159.04", three numbers at most; "" when it is none.
std::string DriverVersion(const std::string& text);
// "NVIDIA GeForce RTX 4090 Laptop GPU": makers' words and short codes; "?" for any other word.
std::string ProductName(const std::string& name);

// Of ids below the first user's nothing is told of a person; the others are numbered as they come.
class Ids {
 public:
  unsigned Of(unsigned id) {
    if (id < 1000 || id == 65534) return id;
    return known_.emplace(id, 1000 + static_cast<unsigned>(known_.size())).first->second;
  }

 private:
  std::map<unsigned, unsigned> known_;
};

}  // namespace gpustage::capture
