// Pasted texts as lines, and what readers of lines share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/import/facts.h"
#include "harness/logs/lines.h"

namespace gpustage::pasted {

struct Text {
  std::string file;  // as it was given; "-" is standard input
  std::string whole;
  std::vector<PastedLine> lines;
};

// The command behind a shell's prompt, or of a line that is one of the commands people paste
// before its output; "".
std::string CommandOf(const std::string& line);
std::vector<std::string> Words(std::string_view text);
// The last argument of the command that is a path from the root; "".
std::string PathOfCommand(const std::string& command);
// "libcuda.so.1" of "/usr/lib/libcuda.so.1".
std::string BaseOf(const std::string& path);
std::string FolderOf(const std::string& path);

// Takes what it knows of a text. Each reader looks at every line: what several texts in one file
// say is told by their content alone.
struct Reader {
  Facts& facts;
  const Text& text;

  Origin At(const char* kind, int line) const;
};

void ReadListings(Reader reader);   // ls -l, ls -lR, find -ls, and what ls could not
void ReadCalls(Reader reader);      // strace, LD_DEBUG=libs
void ReadLibraries(Reader reader);  // ldconfig -p, ldd, readelf -d
void ReadSmi(Reader reader);        // nvidia-smi, -L, -q, -q -x, /proc/driver/nvidia/version
void ReadVulkan(Reader reader);     // vulkaninfo, as text and --json
void ReadOthers(Reader reader);     // rocminfo, rocm-smi, collect_env, lspci
void ReadSettings(Reader reader);   // env, systemctl show and cat, docker inspect, Dockerfile

}  // namespace gpustage::pasted
