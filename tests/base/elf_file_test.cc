// What a file says of itself costs no more than the file is long.
#include "harness/base/elf_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "harness/base/root.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

constexpr unsigned kNeeds = 300;

// Each of its lists of wanted versions says that it has 65535, and all are the same one.
struct Image {
  Elf64_Ehdr header = {};
  Elf64_Phdr segments[2] = {};
  Elf64_Dyn dynamic[6] = {};
  char strings[16] = "\0lib.so";
  Elf64_Verneed needs[kNeeds] = {};
  Elf64_Vernaux version = {};

  explicit Image(uint32_t step) {
    std::memcpy(header.e_ident,
                "\x7f"
                "ELF\2\1\1",
                7);
    header.e_type = ET_DYN;
    header.e_machine = EM_X86_64;
    header.e_phoff = offsetof(Image, segments);
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof segments[0];
    header.e_phnum = 2;
    segments[0] = {PT_LOAD, PF_R, 0, 0, 0, sizeof(Image), sizeof(Image), 4096};
    segments[1] = {PT_DYNAMIC, PF_R,           offsetof(Image, dynamic), offsetof(Image, dynamic),
                   0,          sizeof dynamic, sizeof dynamic,           8};
    const std::pair<int64_t, uint64_t> entries[] = {{DT_STRTAB, offsetof(Image, strings)},
                                                    {DT_STRSZ, sizeof strings},
                                                    {DT_VERNEED, offsetof(Image, needs)},
                                                    {DT_VERNEEDNUM, kNeeds}};
    for (size_t i = 0; i < 4; ++i) dynamic[i] = {entries[i].first, {entries[i].second}};
    for (unsigned i = 0; i < kNeeds; ++i)
      needs[i] = {1, 65535, 1,
                  static_cast<uint32_t>(offsetof(Image, version) - offsetof(Image, needs) -
                                        i * sizeof needs[0]),
                  i + 1 < kNeeds ? static_cast<uint32_t>(sizeof needs[0]) : 0};
    version = {0, 0, 2, 1, step};
  }
};

std::optional<ElfFile> Read(const Image& image) {
  const Fd fd(memfd_create("image", MFD_CLOEXEC));
  return write(fd.get(), &image, sizeof image) == sizeof image ? ElfFile::Read(fd.get())
                                                               : std::nullopt;
}

TEST(ElfFile, AListOfVersionsThatDoesNotGoOnEnds) {
  const std::optional<ElfFile> file = Read(Image(0));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->wanted_versions.size(), kNeeds);
}

}  // namespace
}  // namespace gpustage
