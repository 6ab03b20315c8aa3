// Reads a machine. Reads only: nothing is written, nothing of it is changed, and every read is
// bounded. What cannot be read is a Gap.
#pragma once

#include "harness/capture/facts.h"

namespace gpustage::capture {

struct Wanted {
  pid_t pid = 0;                         // of whom; 0: of capture itself
  std::vector<std::string> directories;  // more places to look into
  std::vector<std::string> scanner;
};

// The process's environment, user and root; or this process's own.
void ReadProcess(pid_t pid, MachineFacts& facts);
// Distribution, kernel, modules, container markers, nodes below /dev.
void ReadSystem(MachineFacts& facts);
// ld.so.conf and its includes, and the names of GPU software in ld.so.cache.
void ReadLoader(MachineFacts& facts);
// The GPU libraries in the loader's places, in what the environment names, in where GPU software is
// installed and in `more`, each with its links and with the directories above it.
void ReadFiles(const std::vector<std::string>& more, MachineFacts& facts);

// The whole of a small file ("" when it cannot be read), at most `most` bytes of it.
std::string ReadWhole(const std::string& path, size_t most = 1 << 20);
bool IsGpuName(const std::string& name);

}  // namespace gpustage::capture
