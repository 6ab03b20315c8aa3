// Every way in which a placed library can be broken.
#include <elf.h>
#include <fmt/format.h>

#include <cstring>

#include "harness/stage/elf_edit.h"
#include "harness/stage/library_image.h"

namespace gpustage {
namespace {

using Kind = Breakage::Kind;

template <typename T>
void Poke(std::string& image, size_t offset, T value) {
  if (image.size() >= sizeof(Elf64_Ehdr)) std::memcpy(image.data() + offset, &value, sizeof value);
}

std::string LfsPointer(size_t bytes) {
  return fmt::format("version https://git-lfs.github.com/spec/v1\noid sha256:{:0>64}\nsize {}\n",
                     "", bytes);
}

// ---- Machine code for ElfEdit::RunFirst: rbx is the address of the data, system calls take rdi, r

std::string Number(uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
std::string SystemCall(uint32_t number) {
  return "\xb8" + Number(number) + "\x0f\x05";
}  // mov eax, N; syscall

constexpr uint32_t kWrite = 1, kNanosleep = 35, kGetpid = 39, kKill = 62, kStderr = 2, kAbort = 6;

void Print(const std::string& text, ElfEdit& edit) {
  // mov edi, 2; mov rsi, rbx; mov edx, length
  edit.RunFirst("\xbf" + Number(kStderr) + "\x48\x89\xde\xba" +
                    Number(static_cast<uint32_t>(text.size())) + SystemCall(kWrite),
                text);
}

void Sleep(int64_t milliseconds, ElfEdit& edit) {
  const int64_t time[] = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  // mov rdi, rbx; xor esi, esi
  edit.RunFirst("\x48\x89\xdf\x31\xf6" + SystemCall(kNanosleep),
                {reinterpret_cast<const char*>(time), sizeof time});
}

void Abort(ElfEdit& edit) {
  // mov edi, eax; mov esi, 6
  edit.RunFirst(SystemCall(kGetpid) + "\x89\xc7\xbe" + Number(kAbort) + SystemCall(kKill), "");
}

void Crash(ElfEdit& edit) {
  edit.RunFirst("\x31\xc0\x89\x00", "");
}  // xor eax, eax; mov [rax], eax

// ---- What needs the library to be understood ----------------------------------------------------

void SetPath(int64_t tag, const std::string& text, ElfEdit& edit) {
  edit.Remove({DT_RPATH, DT_RUNPATH});  // a RUNPATH makes the loader forget the RPATH
  if (!text.empty()) edit.SetText(tag, text);
}

Status EditNames(const Breakage& how, ElfEdit& edit) {
  switch (how.kind) {
    case Kind::kVersionNode: return edit.RenameVersion(how.text);
    case Kind::kVersionNodeLacks:
      for (const std::string& name : how.names) TRY(edit.LeaveVersion(name));
      return Ok();
    case Kind::kSymbolAbsent:
      for (const std::string& name : how.names) TRY(edit.HideSymbol(name));
      return Ok();
    case Kind::kNeedsVersion: return edit.NeedVersion(how.text);
    case Kind::kVersionTable:
      edit.Remove({DT_VERSYM, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM});
      return Ok();
    case Kind::kSoname:
      if (how.text.empty())
        edit.Remove({DT_SONAME});
      else
        edit.SetText(DT_SONAME, how.text);
      return Ok();
    default: return Ok();
  }
}

void EditRest(const Breakage& how, ElfEdit& edit) {
  switch (how.kind) {
    case Kind::kUndefined: return edit.AddUndefined(how.text);
    case Kind::kNeeds: return edit.AddNeeded(how.text);
    case Kind::kRpath: return SetPath(DT_RPATH, how.text, edit);
    case Kind::kRunpath: return SetPath(DT_RUNPATH, how.text, edit);
    case Kind::kExecutableStack: return edit.NeedExecutableStack();
    case Kind::kStaticTls: return edit.NeedStaticTls(static_cast<uint64_t>(how.bytes));
    case Kind::kConstructorPrints: return Print(how.text, edit);
    case Kind::kConstructorSleeps: return Sleep(how.bytes, edit);
    case Kind::kConstructorAborts: return Abort(edit);
    case Kind::kConstructorCrashes: return Crash(edit);
    default: return;
  }
}

// What is done to the bytes themselves, whatever they are.
bool ChangesBytes(const Breakage& how, std::string& image) {
  switch (how.kind) {
    case Kind::kEmpty: image.clear(); return true;
    case Kind::kTruncated: image = image.substr(0, static_cast<size_t>(how.bytes)); return true;
    case Kind::kText: image = how.text; return true;
    case Kind::kGitLfs: image = LfsPointer(image.size()); return true;
    case Kind::kWrongClass: Poke<uint8_t>(image, EI_CLASS, ELFCLASS32); return true;
    case Kind::kWrongMachine:
      Poke<uint16_t>(image, offsetof(Elf64_Ehdr, e_machine), EM_AARCH64);
      return true;
    case Kind::kBigEndian: Poke<uint8_t>(image, EI_DATA, ELFDATA2MSB); return true;
    default: return false;
  }
}

}  // namespace

Result<std::string> WithoutSymbols(std::string image, const std::vector<std::string>& names) {
  TRY(ElfEdit edit, ElfEdit::Open(std::move(image)));
  for (const std::string& name : names)
    for (const char* variant : {"", "_ptsz", "_ptds"})
      if (const std::string full = name + variant; edit.HasSymbol(full)) TRY(edit.HideSymbol(full));
  return std::move(edit).Finish();
}

// First what needs the library to be understood, then what spoils it for that.
Result<std::string> BreakImage(std::string image, const std::vector<Breakage>& how) {
  std::vector<Breakage> edits, spoils;
  std::string none;
  for (const Breakage& one : how) (ChangesBytes(one, none) ? spoils : edits).push_back(one);
  if (!edits.empty()) {
    TRY(ElfEdit edit, ElfEdit::Open(std::move(image)));
    for (const Breakage& one : edits) {
      TRY(EditNames(one, edit));
      EditRest(one, edit);
    }
    image = std::move(edit).Finish();
  }
  // What is cut off goes last.
  for (const bool cuts : {false, true})
    for (const Breakage& one : spoils)
      if ((one.kind == Kind::kTruncated) == cuts) ChangesBytes(one, image);
  return image;
}

}  // namespace gpustage
