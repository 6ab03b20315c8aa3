// Asks the GPU libraries of the machine, each in a child of its own with a time limit, and starts
// the program that was given.
#pragma once

#include "harness/capture/facts.h"

namespace gpustage::capture {

// Of the environment and files that `facts` are of. Where no loader is, a gap says so.
void AskLibraries(MachineFacts& facts);
// What a program of this system prints, such as systemctl; "" where there is none, or it fails or
// does not end within time.
std::string OutputOf(const std::vector<std::string>& argv);
// facts.scanner: its output (cut at 64 KiB) and status.
void RunScanner(MachineFacts& facts);

}  // namespace gpustage::capture
