// What ld.so reads of a library's file: what it needs and what it has, in which versions. Total:
// any bytes give something.
#pragma once

#include <elf.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpustage {

struct WantedVersion {
  std::string file;  // who is to have it: "libcudart.so.12"
  std::string version;
  bool weak = false;
  friend bool operator==(const WantedVersion&, const WantedVersion&) = default;
};

struct WantedSymbol {
  std::string name;
  std::string version;  // "": whichever there is
  std::string file;     // who is to have that version; "" when there is no version
  friend bool operator==(const WantedSymbol&, const WantedSymbol&) = default;
};
std::string ToString(const WantedSymbol& symbol);  // "cudaMalloc@libcudart.so.12"

// The folders of a RUNPATH of the file `of`, 64 at most; $ORIGIN is where that lies.
std::vector<std::string> FoldersOfRunpath(const std::string& runpath, const std::string& of);

class ElfFile {
 public:
  // Takes `fd`'s content as it is now. None: nothing can be read of it as ld.so would.
  static std::optional<ElfFile> Read(int fd);

  std::string soname;
  std::string interpreter;       // PT_INTERP: who starts it; "" for a library
  std::string rpath, runpath;    // as they stand there, $ORIGIN not replaced
  bool no_default_dirs = false;  // DF_1_NODEFLIB
  std::vector<std::string> needed;
  std::vector<WantedVersion> wanted_versions;
  std::vector<std::string> versions;  // that it defines; none and no table: it knows of no versions
  bool has_version_table = false;     // of the symbols
  std::vector<WantedSymbol>
      wanted;  // strong, in the order in which they are bound: what must be there for RTLD_NOW
  bool asks_past_plt = false;  // dlsym or dlvsym is a filled-in address to it (-fno-plt, Rust), of
                               // which ld.so tells no auditor
  uint64_t tls_bytes =
      0;  // of its thread-local block, when code in it wants that at a fixed offset
  bool ends_early = false;  // a segment lies beyond the file's end

  // As ld.so matches names and versions.
  bool Has(const WantedSymbol& symbol) const;

 private:
  struct Unmap {
    size_t size;
    void operator()(const char* bytes) const;
  };
  template <typename T>
  const T* At(uint64_t offset, uint64_t count = 1) const;
  template <typename T>
  const T* AtAddress(uint64_t address, uint64_t count = 1) const;
  std::string_view Text(uint64_t offset) const;
  bool ReadSegments();
  void ReadDynamic();
  void ReadVersionNeeds(uint64_t address, uint64_t count);
  void ReadVersions(uint64_t address, uint64_t count);
  void ReadRelocations(uint64_t address, uint64_t bytes);
  bool Matches(uint32_t index, const WantedSymbol& symbol) const;

  std::unique_ptr<const char, Unmap> bytes_;
  std::vector<Elf64_Phdr> segments_;
  uint64_t strings_ = 0, symbols_ = 0, symbol_versions_ = 0, gnu_hash_ = 0,
           hash_ = 0;                       // addresses in the file's own space
  std::vector<std::string> version_names_;  // by index, of those that it defines
  std::vector<WantedSymbol> needed_names_;  // by index, of those that it needs: version and file
};

}  // namespace gpustage
