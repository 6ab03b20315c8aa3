// Which fake stands for a library, and which words of an answer may be written.
#pragma once

#include <string>

#include "harness/capture/facts.h"

namespace gpustage::capture {

struct Fake {
  std::string name, soname;  // of ours, as it stands
};
// {}: none stands for it.
Fake FakeOf(const FileFacts& file);

bool IsNumber(const std::string& text);
// "580.159.04", three numbers at most; "" when it is none.
std::string DriverVersion(const std::string& text);
// "NVIDIA GeForce RTX 4090 Laptop GPU": makers' words and short codes; "?" for any other word.
std::string ProductName(const std::string& name);

}  // namespace gpustage::capture
