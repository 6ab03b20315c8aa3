#include "harness/base/elf_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "harness/base/files.h"

namespace gpustage {
namespace {

constexpr uint64_t kMaxEntries = 1 << 20;  // of any table that says itself how long it is
constexpr size_t kMaxVersions = 1 << 16;
constexpr uint16_t kHidden = 0x8000;

uint32_t GnuHash(std::string_view name) {
  uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
  return hash;
}
uint32_t SysvHash(std::string_view name) {
  uint32_t hash = 0;
  for (const char c : name) {
    hash = (hash << 4) + static_cast<unsigned char>(c);
    hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
  }
  return hash;
}

template <typename T>
void PutAt(std::vector<T>& list, size_t index, T value) {
  if (index >= kMaxEntries) return;
  if (list.size() <= index) list.resize(index + 1);
  list[index] = std::move(value);
}

}  // namespace

std::string ToString(const WantedSymbol& symbol) {
  return symbol.version.empty() ? symbol.name : symbol.name + "@" + symbol.version;
}

void ElfFile::Unmap::operator()(const char* bytes) const { munmap(const_cast<char*>(bytes), size); }

template <typename T>
const T* ElfFile::At(uint64_t offset, uint64_t count) const {
  const uint64_t size = bytes_.get_deleter().size;
  if (offset > size || count > (size - offset) / sizeof(T)) return nullptr;
  const char* const place = bytes_.get() + offset;
  return reinterpret_cast<uintptr_t>(place) % alignof(T) == 0 ? reinterpret_cast<const T*>(place)
                                                              : nullptr;
}

template <typename T>
const T* ElfFile::AtAddress(uint64_t address, uint64_t count) const {
  for (const Elf64_Phdr& segment : segments_)
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return At<T>(segment.p_offset + (address - segment.p_vaddr), count);
  return nullptr;
}

std::string_view ElfFile::Text(uint64_t offset) const {
  const char* const start = strings_ == 0 ? nullptr : AtAddress<char>(strings_ + offset);
  if (start == nullptr) return "";
  const size_t left = bytes_.get_deleter().size - static_cast<size_t>(start - bytes_.get());
  return {start, strnlen(start, left)};
}

std::optional<ElfFile> ElfFile::Read(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) ||
      found.st_size < static_cast<off_t>(sizeof(Elf64_Ehdr)))
    return std::nullopt;
  const auto size = static_cast<size_t>(found.st_size);
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapped == MAP_FAILED) return std::nullopt;
  ElfFile file;
  file.bytes_ = {static_cast<const char*>(mapped), Unmap{size}};
  if (!file.ReadSegments()) return std::nullopt;
  file.ReadDynamic();
  return file;
}

bool ElfFile::ReadSegments() {
  const Elf64_Ehdr* const header = At<Elf64_Ehdr>(0);
  if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != EM_X86_64)
    return false;
  const Elf64_Phdr* const segments = At<Elf64_Phdr>(header->e_phoff, header->e_phnum);
  if (segments == nullptr) return false;
  segments_.assign(segments, segments + header->e_phnum);
  for (const Elf64_Phdr& segment : segments_) {
    const char* const text =
        segment.p_type == PT_INTERP ? At<char>(segment.p_offset, segment.p_filesz) : nullptr;
    if (text != nullptr && interpreter.empty())
      interpreter = {text, strnlen(text, segment.p_filesz)};
  }
  for (const Elf64_Phdr& segment : segments_)
    ends_early = ends_early || (segment.p_type == PT_LOAD &&
                                segment.p_offset + segment.p_filesz > bytes_.get_deleter().size);
  return true;
}

void ElfFile::ReadDynamic() {
  std::vector<Elf64_Dyn> entries;
  for (const Elf64_Phdr& segment : segments_)
    for (uint64_t at = segment.p_offset;
         segment.p_type == PT_DYNAMIC && entries.size() < kMaxEntries; at += sizeof(Elf64_Dyn)) {
      const Elf64_Dyn* const entry = At<Elf64_Dyn>(at);
      if (entry == nullptr || entry->d_tag == DT_NULL) break;
      entries.push_back(*entry);
    }
  const auto value = [&](int64_t tag) {
    for (const Elf64_Dyn& entry : entries)
      if (entry.d_tag == tag) return entry.d_un.d_val;
    return Elf64_Xword{0};
  };
  strings_ = value(DT_STRTAB);
  symbols_ = value(DT_SYMTAB);
  symbol_versions_ = value(DT_VERSYM);
  has_version_table = symbol_versions_ != 0;
  gnu_hash_ = value(DT_GNU_HASH);
  hash_ = value(DT_HASH);
  for (const auto& [tag, text] :
       {std::pair{DT_SONAME, &soname}, {DT_RPATH, &rpath}, {DT_RUNPATH, &runpath}})
    if (const uint64_t name = value(tag); name != 0) *text = Text(name);
  no_default_dirs = (value(DT_FLAGS_1) & DF_1_NODEFLIB) != 0;
  for (const Elf64_Dyn& entry : entries)
    if (entry.d_tag == DT_NEEDED) needed.emplace_back(Text(entry.d_un.d_val));
  ReadVersionNeeds(value(DT_VERNEED), value(DT_VERNEEDNUM));
  ReadVersions(value(DT_VERDEF), value(DT_VERDEFNUM));
  ReadRelocations(value(DT_RELA), value(DT_RELASZ));
  ReadRelocations(value(DT_JMPREL), value(DT_PLTRELSZ));
  if ((value(DT_FLAGS) & DF_STATIC_TLS) == 0) return;
  for (const Elf64_Phdr& segment : segments_)
    if (segment.p_type == PT_TLS) tls_bytes = segment.p_memsz;
}

void ElfFile::ReadVersionNeeds(uint64_t address, uint64_t count) {
  for (; address != 0 && count > 0 && wanted_versions.size() < kMaxVersions; --count) {
    const Elf64_Verneed* const need = AtAddress<Elf64_Verneed>(address);
    if (need == nullptr) return;
    uint64_t at = address + need->vn_aux;
    for (int i = 0; i < need->vn_cnt && wanted_versions.size() < kMaxVersions; ++i) {
      const Elf64_Vernaux* const one = AtAddress<Elf64_Vernaux>(at);
      if (one == nullptr) return;
      const std::string file(Text(need->vn_file)), version(Text(one->vna_name));
      wanted_versions.push_back({file, version, (one->vna_flags & VER_FLG_WEAK) != 0});
      PutAt(needed_names_, one->vna_other & ~kHidden, WantedSymbol{"", version, file});
      if (one->vna_next == 0) break;
      at += one->vna_next;
    }
    if (need->vn_next == 0) return;
    address += need->vn_next;
  }
}

void ElfFile::ReadVersions(uint64_t address, uint64_t count) {
  for (; address != 0 && count > 0 && versions.size() < kMaxVersions; --count) {
    const Elf64_Verdef* const node = AtAddress<Elf64_Verdef>(address);
    const Elf64_Verdaux* const name =
        node == nullptr ? nullptr : AtAddress<Elf64_Verdaux>(address + node->vd_aux);
    if (name == nullptr) return;
    versions.emplace_back(Text(name->vda_name));
    // The base version, the file's own name, is none that a symbol is matched by.
    if ((node->vd_flags & VER_FLG_BASE) == 0)
      PutAt(version_names_, node->vd_ndx & ~kHidden, versions.back());
    if (node->vd_next == 0) return;
    address += node->vd_next;
  }
}

void ElfFile::ReadRelocations(uint64_t address, uint64_t bytes) {
  const uint64_t count = bytes / sizeof(Elf64_Rela);
  const Elf64_Rela* const relocations =
      address == 0 ? nullptr : AtAddress<Elf64_Rela>(address, count);
  if (relocations == nullptr) return;
  std::set<uint32_t> seen;
  for (uint64_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint32_t>(ELF64_R_SYM(relocations[i].r_info));
    if (index == 0 || !seen.insert(index).second) continue;
    const Elf64_Sym* const symbol = AtAddress<Elf64_Sym>(symbols_ + index * sizeof(Elf64_Sym));
    if (symbol == nullptr || symbol->st_shndx != SHN_UNDEF) continue;
    const std::string_view name = Text(symbol->st_name);
    if (ELF64_R_TYPE(relocations[i].r_info) != R_X86_64_JUMP_SLOT &&
        (name == "dlsym" || name == "dlvsym"))
      asks_past_plt = true;
    if (ELF64_ST_BIND(symbol->st_info) == STB_WEAK) continue;
    WantedSymbol want{std::string(name), "", ""};
    const uint16_t* const version =
        has_version_table ? AtAddress<uint16_t>(symbol_versions_ + index * sizeof(uint16_t))
                          : nullptr;
    if (const size_t node = version == nullptr ? 0 : *version & ~kHidden;
        node > 1 && node < needed_names_.size()) {
      want.version = needed_names_[node].version;
      want.file = needed_names_[node].file;
    }
    wanted.push_back(std::move(want));
  }
}

bool ElfFile::Matches(uint32_t index, const WantedSymbol& symbol) const {
  const Elf64_Sym* const found =
      AtAddress<Elf64_Sym>(symbols_ + uint64_t{index} * sizeof(Elf64_Sym));
  if (found == nullptr || found->st_shndx == SHN_UNDEF ||
      (found->st_value == 0 && found->st_shndx != SHN_ABS &&
       ELF64_ST_TYPE(found->st_info) != STT_TLS) ||
      Text(found->st_name) != symbol.name)
    return false;
  const uint16_t* const version =
      has_version_table ? AtAddress<uint16_t>(symbol_versions_ + uint64_t{index} * sizeof(uint16_t))
                        : nullptr;
  if (version == nullptr) return true;
  const size_t node = *version & ~kHidden;
  const bool hidden = (*version & kHidden) != 0;
  const std::string name = node < version_names_.size() ? version_names_[node] : "";
  if (symbol.version.empty()) return !hidden || node <= 2;
  return name == symbol.version || (name.empty() && !hidden);
}

bool ElfFile::Has(const WantedSymbol& symbol) const {
  if (gnu_hash_ != 0) {
    const uint32_t* const head =
        AtAddress<uint32_t>(gnu_hash_, 4);  // buckets, first symbol, words of the filter, shift
    if (head == nullptr || head[0] == 0) return false;
    const uint64_t buckets = gnu_hash_ + 16 + uint64_t{head[2]} * 8,
                   chains = buckets + uint64_t{head[0]} * 4;
    const uint32_t hash = GnuHash(symbol.name);
    const uint32_t* const bucket = AtAddress<uint32_t>(buckets + uint64_t{hash % head[0]} * 4);
    if (bucket == nullptr || *bucket < head[1]) return false;
    for (uint32_t index = *bucket;; ++index) {
      const uint32_t* const link = AtAddress<uint32_t>(chains + uint64_t{index - head[1]} * 4);
      if (link == nullptr) return false;
      if ((*link | 1) == (hash | 1) && Matches(index, symbol)) return true;
      if ((*link & 1) != 0) return false;
    }
  }
  const uint32_t* const head =
      hash_ == 0 ? nullptr : AtAddress<uint32_t>(hash_, 2);  // buckets, chains
  if (head == nullptr || head[0] == 0) return false;
  const uint32_t* const links = AtAddress<uint32_t>(hash_ + 8, uint64_t{head[0]} + head[1]);
  if (links == nullptr) return false;
  uint32_t steps = 0;
  for (uint32_t index = links[SysvHash(symbol.name) % head[0]];
       index != 0 && index < head[1] && steps < head[1]; index = links[head[0] + index], ++steps)
    if (Matches(index, symbol)) return true;
  return false;
}

std::vector<std::string> FoldersOfRunpath(const std::string& runpath, const std::string& of) {
  constexpr size_t kMost = 64;
  const std::string own = ParentOf(of);
  std::vector<std::string> folders;
  for (size_t start = 0; start < runpath.size() && folders.size() < kMost;) {
    const size_t end = std::min(runpath.find(':', start), runpath.size());
    std::string folder = runpath.substr(start, end - start);
    start = end + 1;
    if (folder.empty()) continue;
    for (const std::string_view word : {"$ORIGIN", "${ORIGIN}"})
      if (folder.starts_with(word)) folder.replace(0, word.size(), own == "/" ? "" : own);
    folders.push_back(LexicallyNormal(folder));
  }
  return folders;
}

}  // namespace gpustage
