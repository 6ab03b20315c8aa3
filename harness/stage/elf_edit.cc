#include "harness/stage/elf_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace gpustage {
namespace {

constexpr uint64_t kMostMemory = uint64_t{2} << 30;  // an edit stands behind all of it in the file
constexpr uint64_t kPage = 4096;
// Entries that Finish() may add to the dynamic section.
constexpr size_t kSpareEntries = 8;

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

uint32_t HashOf(std::string_view name) {  // the ABI's, of version names
  uint32_t hash = 0;
  for (const char c : name) {
    hash = (hash << 4) + static_cast<unsigned char>(c);
    hash ^= hash >> 24 & 0xf0;
  }
  return hash & 0x0fffffff;
}

// False: the value would lie beyond the image's end.
template <typename T>
bool ReadAt(const std::string& image, uint64_t offset, T& value) {
  if (offset > image.size() || image.size() - offset < sizeof value) return false;
  std::memcpy(&value, image.data() + offset, sizeof value);
  return true;
}
template <typename T>
void WriteAt(std::string& image, uint64_t offset, const T& value) {
  GPUSTAGE_CHECK(offset + sizeof value <= image.size());
  std::memcpy(image.data() + offset, &value, sizeof value);
}

Error NoLibrary(std::string_view why) {
  return {fmt::format("it is no library that can be edited: {}", why)};
}

// The number that a table's size stands under, and that of its entries.
int64_t SizeTagOf(int64_t tag) {
  return tag == DT_RELA     ? DT_RELASZ
         : tag == DT_JMPREL ? DT_PLTRELSZ
         : tag == DT_STRTAB ? DT_STRSZ
                            : 0;
}

}  // namespace

Result<ElfEdit> ElfEdit::Open(std::string image) {
  ElfEdit edit(std::move(image));
  TRY(edit.Read());
  return edit;
}

Status ElfEdit::Read() {
  Elf64_Ehdr header;
  if (!ReadAt(image_, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return NoLibrary("it is no ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
      header.e_type != ET_DYN)
    return NoLibrary("it is no shared library for x86-64");
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!ReadAt(image_, header.e_phoff + i * sizeof segment, segment))
      return NoLibrary("it ends within its program headers");
    if (segment.p_type == PT_LOAD &&
        (segment.p_vaddr > kMostMemory || segment.p_memsz > kMostMemory))
      return NoLibrary("it takes more memory than an edit allows");
    headers_.push_back(segment);
    if (segment.p_type != PT_DYNAMIC) continue;
    for (uint64_t at = segment.p_offset;; at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      if (!ReadAt(image_, at, entry)) return NoLibrary("it ends within its dynamic section");
      if (entry.d_tag == DT_NULL) break;
      dynamic_.push_back(entry);
    }
  }
  const Elf64_Dyn *strings = Find(DT_STRTAB), *length = Find(DT_STRSZ), *symbols = Find(DT_SYMTAB);
  if (strings == nullptr || length == nullptr || symbols == nullptr)
    return NoLibrary("it has no dynamic symbols");
  TRY(const std::vector<char> text, ReadTable<char>(DT_STRTAB, length->d_un.d_val));
  strings_.assign(text.begin(), text.end());
  uint64_t bytes = 0;
  for (int i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    if (ReadAt(image_, header.e_shoff + i * sizeof section, section) &&
        section.sh_type == SHT_DYNSYM)
      bytes = section.sh_size;
  }
  if (bytes == 0) return NoLibrary("it has no section headers");
  TRY(symbols_, ReadTable<Elf64_Sym>(DT_SYMTAB, bytes));
  if (Find(DT_VERSYM) != nullptr) {
    TRY(versions_, ReadTable<uint16_t>(DT_VERSYM, symbols_.size() * sizeof(uint16_t)));
  }
  if (const Elf64_Dyn* size = Find(DT_RELASZ)) {
    TRY(relocations_, ReadTable<Elf64_Rela>(DT_RELA, size->d_un.d_val));
  }
  if (const Elf64_Dyn* size = Find(DT_PLTRELSZ)) {
    TRY(jumps_, ReadTable<Elf64_Rela>(DT_JMPREL, size->d_un.d_val));
  }
  return Ok();
}

Result<uint64_t> ElfEdit::OffsetOf(uint64_t address) const {
  for (const Elf64_Phdr& segment : headers_)
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  return NoLibrary(fmt::format("nothing of the file lies at address {:#x}", address));
}

template <typename T>
Result<std::vector<T>> ElfEdit::ReadTable(int64_t tag, uint64_t bytes) const {
  const Elf64_Dyn* const entry = Find(tag);
  if (entry == nullptr) return NoLibrary(fmt::format("its dynamic section has no entry {}", tag));
  TRY(const uint64_t offset, OffsetOf(entry->d_un.d_ptr));
  if (offset > image_.size() || image_.size() - offset < bytes)
    return NoLibrary("it ends within a table");
  std::vector<T> table(bytes / sizeof(T));
  std::memcpy(table.data(), image_.data() + offset, table.size() * sizeof(T));
  return table;
}

const Elf64_Dyn* ElfEdit::Find(int64_t tag) const {
  for (const Elf64_Dyn& entry : dynamic_)
    if (entry.d_tag == tag) return &entry;
  return nullptr;
}

void ElfEdit::Set(int64_t tag, uint64_t value) {
  for (Elf64_Dyn& entry : dynamic_)
    if (entry.d_tag == tag) {
      entry.d_un.d_val = value;
      return;
    }
  dynamic_.push_back({tag, {value}});
}

uint32_t ElfEdit::AddString(std::string_view text) {
  const auto at = static_cast<uint32_t>(strings_.size());
  strings_ += text;
  strings_ += '\0';
  return at;
}

std::string_view ElfEdit::StringAt(uint32_t offset) const {
  return offset < strings_.size() ? std::string_view(strings_.c_str() + offset)
                                  : std::string_view();
}

void ElfEdit::SetText(int64_t tag, std::string_view text) { Set(tag, AddString(text)); }
void ElfEdit::AddNeeded(std::string_view name) {
  dynamic_.insert(dynamic_.begin(), {DT_NEEDED, {AddString(name)}});
}
void ElfEdit::Remove(std::initializer_list<int64_t> tags) {
  std::erase_if(dynamic_, [&](const Elf64_Dyn& entry) {
    return std::find(tags.begin(), tags.end(), entry.d_tag) != tags.end();
  });
}

Result<size_t> ElfEdit::SymbolNamed(std::string_view name) const {
  for (size_t i = 1; i < symbols_.size(); ++i)
    if (symbols_[i].st_shndx != SHN_UNDEF && StringAt(symbols_[i].st_name) == name) return i;
  return Error{fmt::format("the library has no symbol {}", name)};
}

// The hash table still leads to the place, and finds another name there.
Status ElfEdit::HideSymbol(std::string_view name) {
  TRY(const size_t at, SymbolNamed(name));
  symbols_[at] = {0, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), STV_DEFAULT, SHN_UNDEF, 0, 0};
  if (!versions_.empty()) versions_[at] = VER_NDX_LOCAL;
  return Ok();
}

void ElfEdit::AddUndefined(std::string_view name) {
  Elf64_Sym symbol = {};
  symbol.st_name = AddString(name);
  symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE);
  slots_.push_back({0, ELF64_R_INFO(symbols_.size(), R_X86_64_JUMP_SLOT), 0});
  symbols_.push_back(symbol);
  if (!versions_.empty()) versions_.push_back(VER_NDX_GLOBAL);
}

Status ElfEdit::EachVersionNode(const std::function<void(Elf64_Verdef&, Elf64_Verdaux&)>& edit) {
  const Elf64_Dyn *first = Find(DT_VERDEF), *count = Find(DT_VERDEFNUM);
  if (first == nullptr || count == nullptr) return Error{"the library defines no version node"};
  TRY(uint64_t at, OffsetOf(first->d_un.d_ptr));
  for (uint64_t i = 0; i < count->d_un.d_val; ++i) {
    Elf64_Verdef node;
    Elf64_Verdaux name;
    if (!ReadAt(image_, at, node) || !ReadAt(image_, at + node.vd_aux, name))
      return NoLibrary("it ends within its versions");
    if ((node.vd_flags & VER_FLG_BASE) == 0) edit(node, name);
    WriteAt(image_, at, node);
    WriteAt(image_, at + node.vd_aux, name);
    at += node.vd_next;
  }
  return Ok();
}

Status ElfEdit::RenameVersion(std::string_view to) {
  const uint32_t name = AddString(to);
  TRY(EachVersionNode([&](Elf64_Verdef& node, Elf64_Verdaux& aux) {
    node.vd_hash = HashOf(to);
    aux.vda_name = name;
  }));
  if (!to.empty()) return Ok();
  Remove({DT_VERDEF, DT_VERDEFNUM});
  if (Find(DT_VERNEED) == nullptr)
    Remove({DT_VERSYM});  // a table that speaks of nothing crashes the loader
  for (size_t i = 0; i < versions_.size(); ++i)
    if (symbols_[i].st_shndx != SHN_UNDEF && versions_[i] > VER_NDX_GLOBAL)
      versions_[i] = VER_NDX_GLOBAL;
  return Ok();
}

Status ElfEdit::LeaveVersion(std::string_view symbol) {
  TRY(const size_t at, SymbolNamed(symbol));
  if (versions_.empty()) return Error{"the library defines no version node"};
  versions_[at] = VER_NDX_GLOBAL;
  return Ok();
}

Status ElfEdit::NeedVersion(std::string_view version) {
  const Elf64_Dyn *first = Find(DT_VERNEED), *count = Find(DT_VERNEEDNUM);
  if (first == nullptr || count == nullptr)
    return Error{"the library needs no version of libc.so.6"};
  TRY(uint64_t at, OffsetOf(first->d_un.d_ptr));
  for (uint64_t i = 0; i < count->d_un.d_val; ++i) {
    Elf64_Verneed needed;
    Elf64_Vernaux name;
    if (!ReadAt(image_, at, needed) || !ReadAt(image_, at + needed.vn_aux, name))
      return NoLibrary("it ends within its versions");
    if (StringAt(needed.vn_file) == "libc.so.6") {
      name.vna_name = AddString(version);
      name.vna_hash = HashOf(version);
      WriteAt(image_, at + needed.vn_aux, name);
      return Ok();
    }
    at += needed.vn_next;
  }
  return Error{"the library needs no version of libc.so.6"};
}

void ElfEdit::NeedExecutableStack() {
  for (Elf64_Phdr& segment : headers_)
    if (segment.p_type == PT_GNU_STACK) segment.p_flags |= PF_X;
}

// The relocation is what makes it static: it wants an offset from the thread's pointer.
void ElfEdit::NeedStaticTls(uint64_t bytes) {
  slots_.push_back({0, ELF64_R_INFO(0, R_X86_64_TPOFF64), 0});
  const Elf64_Dyn* const flags = Find(DT_FLAGS);
  Set(DT_FLAGS, (flags == nullptr ? 0 : flags->d_un.d_val) | DF_STATIC_TLS);
  for (Elf64_Phdr& segment : headers_)
    if (segment.p_type == PT_TLS) {
      segment.p_memsz = std::max<uint64_t>(segment.p_memsz,
                                           RoundUp(bytes, std::max<uint64_t>(segment.p_align, 1)));
      return;
    }
  headers_.push_back({PT_TLS, PF_R, 0, 0, 0, 0, RoundUp(bytes, 16), 16});
}

void ElfEdit::RunFirst(std::string code, std::string data) {
  code_ = std::move(code);
  data_ = std::move(data);
}

void ElfEdit::MoveSection(uint64_t from, uint64_t to, uint64_t size) {
  Elf64_Ehdr header;
  GPUSTAGE_CHECK(ReadAt(image_, 0, header));
  for (int i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    const uint64_t at = header.e_shoff + i * sizeof section;
    if (!ReadAt(image_, at, section) || section.sh_addr != from || section.sh_type == SHT_NOBITS)
      continue;
    section.sh_addr = section.sh_offset = to;
    section.sh_size = size;
    WriteAt(image_, at, section);
  }
}

template <typename T>
void ElfEdit::Append(int64_t tag, const std::vector<T>& table, std::string& segment,
                     uint64_t address) {
  if (table.empty()) return;
  segment.resize(RoundUp(segment.size(), 8));
  const uint64_t to = address + segment.size(), bytes = table.size() * sizeof(T);
  if (const Elf64_Dyn* const entry = Find(tag)) MoveSection(entry->d_un.d_ptr, to, bytes);
  Set(tag, to);
  if (const int64_t size = SizeTagOf(tag); size != 0) Set(size, bytes);
  segment.append(reinterpret_cast<const char*>(table.data()), bytes);
}

// lea rbx, [data] between what saves and what restores the registers that an initialiser is called
// with; the data follows.
void ElfEdit::AppendCode(std::string& segment, uint64_t address) {
  if (code_.empty()) return;
  segment.resize(RoundUp(segment.size(), 16));
  const uint64_t begin = address + segment.size();
  const auto put = [&](uint64_t to) {  // a distance from the end of itself
    const auto distance = static_cast<int32_t>(to - (address + segment.size() + sizeof(int32_t)));
    segment.append(reinterpret_cast<const char*>(&distance), sizeof distance);
  };
  const Elf64_Dyn* const init = Find(DT_INIT);
  const std::string_view enter =
      "\x57\x56\x52\x53\x48\x8d\x1d";                 // push rdi, rsi, rdx, rbx; lea rbx, …
  const std::string_view leave = "\x5b\x5a\x5e\x5f";  // pop rbx, rdx, rsi, rdi
  const uint64_t data =
      begin + enter.size() + 4 + code_.size() + leave.size() + (init != nullptr ? 5 : 1);
  segment += enter;
  put(data);
  segment += code_;
  segment += leave;
  segment += init != nullptr ? '\xe9' : '\xc3';  // jmp to what was first before, or ret
  if (init != nullptr) put(init->d_un.d_ptr);
  GPUSTAGE_CHECK(address + segment.size() == data);
  segment += data_;
  Set(DT_INIT, begin);
}

// The program headers and the dynamic section at the segment's begin, where room was left for them.
void ElfEdit::WriteHeaders(std::string& segment, uint64_t address, size_t dynamic_at) {
  Elf64_Phdr load = {PT_LOAD, PF_R | PF_W,    address,        address,
                     address, segment.size(), segment.size(), kPage};
  if (!code_.empty()) load.p_flags |= PF_X;
  const auto last = std::find_if(headers_.rbegin(), headers_.rend(),
                                 [](const Elf64_Phdr& h) { return h.p_type == PT_LOAD; });
  headers_.insert(last.base(), load);
  const size_t bytes = headers_.size() * sizeof(Elf64_Phdr),
               dynamic_bytes = (dynamic_.size() + 1) * sizeof(Elf64_Dyn);
  const auto move = [&](Elf64_Phdr& header, uint64_t at, uint64_t size) {
    header.p_offset = header.p_vaddr = header.p_paddr = address + at;
    header.p_filesz = header.p_memsz = size;
  };
  for (Elf64_Phdr& header : headers_) {
    if (header.p_type == PT_PHDR) move(header, 0, bytes);
    if (header.p_type == PT_DYNAMIC) {
      MoveSection(header.p_vaddr, address + dynamic_at, dynamic_bytes);
      move(header, dynamic_at, dynamic_bytes);
    }
    if (header.p_type == PT_TLS && header.p_vaddr == 0)
      header.p_offset = header.p_vaddr = header.p_paddr = address;
  }
  std::memcpy(segment.data(), headers_.data(), bytes);
  std::memcpy(segment.data() + dynamic_at, dynamic_.data(), dynamic_.size() * sizeof(Elf64_Dyn));
}

std::string ElfEdit::Finish() && {
  uint64_t address = image_.size();
  for (const Elf64_Phdr& segment : headers_)
    if (segment.p_type == PT_LOAD) address = std::max(address, segment.p_vaddr + segment.p_memsz);
  address = RoundUp(address, kPage);  // also the offset, which simple readers take for the same

  const size_t dynamic_at = (headers_.size() + 1) * sizeof(Elf64_Phdr);
  const size_t slots_at = dynamic_at + (dynamic_.size() + kSpareEntries) * sizeof(Elf64_Dyn);
  std::string segment(slots_at + slots_.size() * sizeof(uint64_t), '\0');
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].r_offset = address + slots_at + i * sizeof(uint64_t);
    const bool is_jump =
        ELF64_R_TYPE(slots_[i].r_info) == R_X86_64_JUMP_SLOT && Find(DT_JMPREL) != nullptr;
    (is_jump ? jumps_ : relocations_).push_back(slots_[i]);
  }
  if (!relocations_.empty()) Set(DT_RELAENT, sizeof(Elf64_Rela));
  Append(DT_RELA, relocations_, segment, address);
  Append(DT_JMPREL, jumps_, segment, address);
  Append(DT_SYMTAB, symbols_, segment, address);
  if (Find(DT_VERSYM) != nullptr) Append(DT_VERSYM, versions_, segment, address);
  Append(DT_STRTAB, std::vector<char>(strings_.begin(), strings_.end()), segment, address);
  AppendCode(segment, address);
  GPUSTAGE_CHECK(dynamic_at + (dynamic_.size() + 1) * sizeof(Elf64_Dyn) <= slots_at);
  WriteHeaders(segment, address, dynamic_at);

  Elf64_Ehdr header;
  GPUSTAGE_CHECK(ReadAt(image_, 0, header));
  header.e_phoff = address;
  header.e_phnum = static_cast<uint16_t>(headers_.size());
  WriteAt(image_, 0, header);
  image_.resize(address, '\0');
  return std::move(image_) + segment;
}

}  // namespace gpustage
