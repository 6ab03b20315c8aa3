// What the tools of the loader print: ldconfig -p, ldd, readelf -d.
#include <re2/re2.h>

#include "harness/import/text.h"

namespace gpustage::pasted {
namespace {

struct LibraryReader {
  Reader reader;
  std::string asked;  // the file that ldd or readelf was asked of

  void Dynamic(const char* kind, const std::string& tag, const std::string& value, int line) {
    std::vector<Told<pasted::Dynamic>>& all = reader.facts.dynamics;
    const Origin from = reader.At(kind, line);
    if (all.empty() || all.back().value.path != asked) all.push_back({{asked, {}}, from});
    capture::ElfFacts& elf = all.back().value.elf;
    elf.is_elf = true;
    if (tag == "NEEDED")
      elf.needed.push_back(value), reader.facts.needs.push_back({{asked, value, "?"}, from});
    if (tag == "SONAME") elf.soname = value;
    if (tag == "RUNPATH") elf.runpath = value;
    if (tag == "RPATH") elf.rpath = value;
  }

  void Read(const PastedLine& line) {
    static const RE2 cache(R"(^(lib\S+) \(libc6,x86-64[^)]*\) => (/\S+)$)");
    static const RE2 found(R"(^(lib\S+\.so\S*) => (/\S+) \(0x[0-9a-f]+\)$)");
    static const RE2 missing(R"(^(lib\S+\.so\S*) => not found$)");
    static const RE2 dynamic(
        R"re(^0x[0-9a-f]+ \((NEEDED|SONAME|RUNPATH|RPATH)\) +[\w ]+: \[([^\]]*)\])re");
    static const RE2 of_objdump(R"(^(NEEDED|SONAME|RUNPATH|RPATH) +([^\s()\[]\S*)$)");
    static const RE2 header(R"(^(?:File: )?(/?\S*\.so\S*|/\S+?):?(?: +file format elf\S+)?$)");
    std::string first, second;
    if (const std::string command = CommandOf(line.text); !command.empty()) {
      static const RE2 asks(R"(\b(?:ldd|readelf|objdump)\b)");
      if (!RE2::PartialMatch(command, asks)) return;
      asked.clear();
      for (const std::string& word : Words(command.substr(0, command.find('|'))))
        if (word.find(".so") != std::string::npos || word.starts_with('/')) asked = word;
    } else if (RE2::FullMatch(line.text, cache, &first, &second)) {
      reader.facts.cache.push_back({{first, second}, reader.At("ldconfig -p", line.number)});
    } else if (RE2::FullMatch(line.text, found, &first, &second)) {
      reader.facts.needs.push_back({{asked, first, second}, reader.At("ldd", line.number)});
    } else if (RE2::FullMatch(line.text, missing, &first)) {
      reader.facts.needs.push_back({{asked, first, ""}, reader.At("ldd", line.number)});
    } else if (RE2::PartialMatch(line.text, dynamic, &first, &second)) {
      Dynamic("readelf -d", first, second, line.number);
    } else if (RE2::FullMatch(line.text, of_objdump, &first, &second)) {
      Dynamic("objdump -p", first, second, line.number);
    } else if (line.text.ends_with(':') || line.text.starts_with("File: ") ||
               line.text.find(" file format elf") != std::string::npos) {
      if (RE2::FullMatch(line.text, header, &first)) asked = first;
      while (asked.ends_with(':')) asked.pop_back();
    }
  }
};

}  // namespace

void ReadLibraries(Reader reader) {
  LibraryReader libraries{reader, ""};
  for (const PastedLine& line : reader.text.lines) libraries.Read(line);
}

}  // namespace gpustage::pasted
