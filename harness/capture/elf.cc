#include "harness/capture/elf.h"

#include <elf.h>
#include <unistd.h>

#include <cstring>

#include "harness/capture/stand_in.h"

namespace gpustage::capture {
namespace {

constexpr size_t kMostHeaders = 256, kMostElfEntries = 4096, kLongestText = 4096;

class Reader {
 public:
  Reader(int fd, uint64_t size) : fd_(fd), size_(size) {}

  template <typename T>
  bool At(uint64_t offset, T& value) const {
    if (offset > size_ || size_ - offset < sizeof(T)) return false;
    return pread(fd_, &value, sizeof(T), static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(sizeof(T));
  }
  std::string Text(uint64_t offset) const {
    std::string text;
    char part[64];
    while (text.size() < kLongestText && offset < size_) {
      const ssize_t got = pread(fd_, part, sizeof part, static_cast<off_t>(offset));
      if (got <= 0) break;
      const size_t length = strnlen(part, static_cast<size_t>(got));
      text.append(part, length);
      if (length < static_cast<size_t>(got)) break;
      offset += static_cast<uint64_t>(got);
    }
    return text;
  }

  std::vector<Elf64_Phdr> segments;
  std::optional<uint64_t> OffsetOf(uint64_t address) const {
    for (const Elf64_Phdr& segment : segments)
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz)
        return segment.p_offset + (address - segment.p_vaddr);
    return std::nullopt;
  }

 private:
  const int fd_;
  const uint64_t size_;
};

struct Dynamic {
  uint64_t strings = 0, needs = 0, needs_count = 0, defines = 0, defines_count = 0;
  uint64_t symbols = 0, hash = 0;  // DT_SYMTAB, DT_GNU_HASH
  std::optional<uint64_t> soname, rpath, runpath;
  std::vector<uint64_t> needed;
};

Dynamic ReadDynamic(const Reader& file, const Elf64_Phdr& segment) {
  Dynamic dynamic;
  Elf64_Dyn entry;
  for (size_t i = 0; i < kMostElfEntries; ++i) {
    if (!file.At(segment.p_offset + i * sizeof entry, entry) || entry.d_tag == DT_NULL) break;
    const uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_STRTAB: dynamic.strings = value; break;
      case DT_SYMTAB: dynamic.symbols = value; break;
      case DT_GNU_HASH: dynamic.hash = value; break;
      case DT_SONAME: dynamic.soname = value; break;
      case DT_RPATH: dynamic.rpath = value; break;
      case DT_RUNPATH: dynamic.runpath = value; break;
      case DT_NEEDED: dynamic.needed.push_back(value); break;
      case DT_VERNEED: dynamic.needs = value; break;
      case DT_VERNEEDNUM: dynamic.needs_count = value; break;
      case DT_VERDEF: dynamic.defines = value; break;
      case DT_VERDEFNUM: dynamic.defines_count = value; break;
      default: break;
    }
  }
  return dynamic;
}

void ReadVersions(const Reader& file, const Dynamic& dynamic, uint64_t strings, ElfFacts& facts) {
  if (auto at = file.OffsetOf(dynamic.needs); at && dynamic.needs != 0) {
    for (uint64_t i = 0; i < dynamic.needs_count && i < kMostElfEntries; ++i) {
      Elf64_Verneed need;
      if (!file.At(*at, need)) break;
      uint64_t aux = *at + need.vn_aux;
      for (int j = 0; j < need.vn_cnt && facts.wanted_versions.size() < kMostElfEntries; ++j) {
        Elf64_Vernaux version;
        if (!file.At(aux, version)) break;
        facts.wanted_versions.emplace_back(file.Text(strings + need.vn_file),
                                           file.Text(strings + version.vna_name));
        if (version.vna_next == 0) break;
        aux += version.vna_next;
      }
      if (need.vn_next == 0) break;
      *at += need.vn_next;
    }
  }
  if (auto at = file.OffsetOf(dynamic.defines); at && dynamic.defines != 0) {
    for (uint64_t i = 0; i < dynamic.defines_count && i < kMostElfEntries; ++i) {
      Elf64_Verdef define;
      Elf64_Verdaux name;
      if (!file.At(*at, define) || !file.At(*at + define.vd_aux, name)) break;
      if ((define.vd_flags & VER_FLG_BASE) == 0)
        facts.versions.push_back(file.Text(strings + name.vda_name));
      if (define.vd_next == 0) break;
      *at += define.vd_next;
    }
  }
}

// Whether a function is exported, by the table that the loader looks into ("gnu_hash" of the ABI).
bool Exports(const Reader& file, const Dynamic& dynamic, uint64_t strings,
             const std::string& name) {
  struct {
    uint32_t buckets, first, bloom_words, bloom_shift;
  } head;
  const auto at = file.OffsetOf(dynamic.hash), symbols = file.OffsetOf(dynamic.symbols);
  if (!at || !symbols || !file.At(*at, head) || head.buckets == 0) return false;
  uint32_t wanted = 5381, index = 0, hash = 0;
  for (const char c : name) wanted = wanted * 33 + static_cast<unsigned char>(c);
  const uint64_t buckets = *at + sizeof head + 8ull * head.bloom_words;
  const uint64_t chain = buckets + 4ull * head.buckets;
  if (!file.At(buckets + 4ull * (wanted % head.buckets), index) || index < head.first) return false;
  for (size_t i = 0; i < kMostElfEntries; ++i, ++index) {
    Elf64_Sym symbol;
    if (!file.At(chain + 4ull * (index - head.first), hash)) return false;
    if ((hash | 1) == (wanted | 1) && file.At(*symbols + sizeof symbol * index, symbol) &&
        symbol.st_shndx != SHN_UNDEF && file.Text(strings + symbol.st_name) == name)
      return true;
    if ((hash & 1) != 0) return false;
  }
  return false;
}

void ReadBuildId(const Reader& file, const Elf64_Phdr& segment, ElfFacts& facts) {
  uint64_t at = segment.p_offset;
  const uint64_t end = segment.p_offset + segment.p_filesz;
  Elf64_Nhdr note;
  for (int i = 0; i < 64 && at < end && file.At(at, note); ++i) {
    const uint64_t name = at + sizeof note, bytes = name + ((note.n_namesz + 3u) & ~3u);
    char owner[4] = {};
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && file.At(name, owner) &&
        memcmp(owner, "GNU", 4) == 0 && note.n_descsz <= 64) {
      for (uint32_t k = 0; k < note.n_descsz; ++k) {
        unsigned char byte = 0;
        if (!file.At(bytes + k, byte)) return;
        constexpr char kHex[] = "0123456789abcdef";
        facts.build_id += kHex[byte >> 4];
        facts.build_id += kHex[byte & 15];
      }
      return;
    }
    at = bytes + ((note.n_descsz + 3u) & ~3u);
  }
}

}  // namespace

ElfFacts ReadElf(int fd, uint64_t size, const std::string& name) {
  ElfFacts facts;
  Reader file(fd, size);
  unsigned char ident[EI_NIDENT];
  if (!file.At(0, ident) || memcmp(ident, ELFMAG, SELFMAG) != 0) return facts;
  facts.is_elf = true;
  facts.bits = ident[EI_CLASS] == ELFCLASS32 ? 32 : 64;
  facts.little_endian = ident[EI_DATA] != ELFDATA2MSB;
  uint16_t machine = 0;
  if (file.At(offsetof(Elf64_Ehdr, e_machine), machine)) facts.machine = machine;
  if (facts.bits != 64 || !facts.little_endian) return facts;
  Elf64_Ehdr header;
  if (!file.At(0, header) || header.e_phentsize != sizeof(Elf64_Phdr)) {
    facts.ends_early = true;
    return facts;
  }
  for (size_t i = 0; i < header.e_phnum && i < kMostHeaders; ++i) {
    Elf64_Phdr segment;
    if (!file.At(header.e_phoff + i * sizeof segment, segment)) {
      facts.ends_early = true;
      break;
    }
    if (segment.p_type == PT_LOAD &&
        (segment.p_offset > size || segment.p_filesz > size - segment.p_offset))
      facts.ends_early = true;
    file.segments.push_back(segment);
  }
  for (const Elf64_Phdr& segment : file.segments) {
    if (segment.p_type == PT_NOTE && facts.build_id.empty()) ReadBuildId(file, segment, facts);
    if (segment.p_type != PT_DYNAMIC) continue;
    const Dynamic dynamic = ReadDynamic(file, segment);
    const auto strings = file.OffsetOf(dynamic.strings);
    if (!strings) continue;
    if (dynamic.soname) facts.soname = file.Text(*strings + *dynamic.soname);
    if (dynamic.rpath) facts.rpath = file.Text(*strings + *dynamic.rpath);
    if (dynamic.runpath) facts.runpath = file.Text(*strings + *dynamic.runpath);
    for (const uint64_t needed : dynamic.needed)
      facts.needed.push_back(file.Text(*strings + needed));
    ReadVersions(file, dynamic, *strings, facts);
    facts.versions_known = true;
    if (dynamic.hash == 0) continue;
    for (const char* function : EntryPoints(facts.soname.empty() ? name : facts.soname))
      if (!Exports(file, dynamic, *strings, function)) facts.lacks.emplace_back(function);
  }
  return facts;
}

}  // namespace gpustage::capture
