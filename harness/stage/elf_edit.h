// Edits to the image of a 64-bit shared library, in memory and without a toolchain. What grows is
// written anew behind the end of the file, in a segment of its own, together with the program
// headers; everything else stays where it is.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace gpustage {

class ElfEdit {
 public:
  // An Error when the image is no shared library that can be edited.
  static Result<ElfEdit> Open(std::string image);

  // The dynamic section. A text replaces the one of its tag; DT_NEEDED is added to those that there
  // are.
  void SetText(int64_t tag, std::string_view text);
  void AddNeeded(std::string_view name);
  void Remove(std::initializer_list<int64_t> tags);

  // Symbols and their versions.
  bool HasSymbol(std::string_view name) const { return SymbolNamed(name).ok(); }
  Status HideSymbol(std::string_view name);      // as if it were not exported
  void AddUndefined(std::string_view name);      // a call of a function that the library expects
                                                 // somebody else to have
  Status RenameVersion(std::string_view to);     // of its symbols; "" takes the node away
  Status LeaveVersion(std::string_view symbol);  // this one stands outside the node
  Status NeedVersion(std::string_view version);  // instead of one that it needs of libc.so.6

  void NeedExecutableStack();
  void NeedStaticTls(uint64_t bytes);
  // Machine code that runs before all other code of the library, behind what this was given before.
  // In rbx is the address of its `data`.
  void RunFirst(const std::string& code, const std::string& data);

  std::string Finish() &&;

 private:
  explicit ElfEdit(std::string image) : image_(std::move(image)) {}
  Status Read();
  Result<uint64_t> OffsetOf(uint64_t address) const;
  const Elf64_Dyn* Find(int64_t tag) const;
  void Set(int64_t tag, uint64_t value);
  uint32_t AddString(std::string_view text);
  std::string_view StringAt(uint32_t offset) const;
  Result<size_t> SymbolNamed(std::string_view name) const;
  Status EachVersionNode(const std::function<void(Elf64_Verdef&, Elf64_Verdaux&)>& edit);
  void MoveSection(uint64_t from, uint64_t to, uint64_t size);

  template <typename T>
  Result<std::vector<T>> ReadTable(int64_t tag, uint64_t bytes) const;
  // Appends the table at the segment's end and moves its dynamic entry and its section there.
  template <typename T>
  void Append(int64_t tag, const std::vector<T>& table, std::string& segment, uint64_t address);

  void AppendCode(std::string& segment, uint64_t address);
  void WriteHeaders(std::string& segment, uint64_t address, size_t dynamic_at);

  std::string image_;
  std::vector<Elf64_Phdr> headers_;
  std::vector<Elf64_Dyn> dynamic_;  // without its end
  std::string strings_;
  std::vector<Elf64_Sym> symbols_;
  std::vector<uint16_t> versions_;  // of the symbols; empty: the library has none
  std::vector<Elf64_Rela> relocations_;
  std::vector<Elf64_Rela> jumps_;
  std::vector<Elf64_Rela>
      slots_;  // relocations of words in the new segment; r_offset counts from their begin
  std::ptrdiff_t added_ = 0;  // names that it needs, first of all
  std::string code_;
  std::string data_;
};

}  // namespace gpustage
