// Nothing of a stranger's runs outside of a box, and nothing of ours is lent to him inside.
#include <elf.h>
#include <fcntl.h>

#include <cstring>
#include <functional>

#include "harness/base/process.h"
#include "harness/stage/base_system.h"
#include "harness/stage/library_image.h"
#include "tests/hostile/hostile.h"
#include "tests/support/box.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

std::vector<std::string> PathsOf(const Result<std::vector<HostFile>>& files) {
  std::vector<std::string> paths;
  if (files)
    for (const HostFile& file : *files) paths.push_back(file.host_path);
  return paths;
}

// What ld.so prints with --list; of programs that are known to be good.
std::vector<std::string> Listed(const std::string& program) {
  const Result<ProgramOutput> ran = RunProgram({"/lib64/ld-linux-x86-64.so.2", "--list", program});
  std::vector<std::string> paths;
  std::istringstream lines(ran && ran->exit_code == 0 ? ran->out : "");
  for (std::string line; std::getline(lines, line);) {
    const size_t arrow = line.find("=> ");
    const size_t begin = arrow == std::string::npos ? line.find('/') : arrow + 3;
    if (begin != std::string::npos && begin < line.size() && line[begin] == '/')
      paths.push_back(line.substr(begin, line.find(" (", begin) - begin));
  }
  return paths;
}

TEST(HostileProgram, ItsAuditorDoesNotRunOutside) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string witness = scratch.path() + "/ran-unboxed";
  setenv("GPUSTAGE_WITNESS", witness.c_str(), 1);
  EXPECT_THAT(ClosureOf(GPUSTAGE_AUDITED), IsOk());
  EXPECT_FALSE(FileExists(witness));
  // The program itself does what it is feared for.
  ASSERT_THAT(RunProgram({GPUSTAGE_AUDITED}), IsOk());
  EXPECT_TRUE(FileExists(witness));
  unsetenv("GPUSTAGE_WITNESS");
}

TEST(HostileProgram, ItsClosureIsThatOfTheLoaderWithoutStartingIt) {
  int compared = 0;
  for (const std::string program :
       {"/bin/sh", "/bin/bash", "/usr/bin/env", "/usr/bin/python3", "/usr/bin/gdb",
        "/usr/bin/cmake", "/usr/bin/git", "/usr/bin/strace", "/usr/bin/curl", "/usr/bin/perl",
        "/usr/bin/c++", "/usr/bin/openssl", GPUSTAGE_LINKED, GPUSTAGE_PROGRAM}) {
    const std::vector<std::string> listed = Listed(program);
    if (listed.empty()) continue;
    ++compared;
    EXPECT_THAT(PathsOf(ClosureOf(program)), testing::UnorderedElementsAreArray(listed)) << program;
  }
  EXPECT_GE(compared, 4);
}

TEST(HostileProgram, AScriptThatInterpretsItselfEnds) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string script = scratch.path() + "/script", other = scratch.path() + "/other";
  ASSERT_THAT(WriteFile(script, "#!" + other + "\n"), IsOk());
  ASSERT_THAT(WriteFile(other, "#!" + script + "\n"), IsOk());
  for (const std::string& file : {script, other}) ASSERT_EQ(chmod(file.c_str(), 0755), 0);
  EXPECT_THAT(PathsOf(ClosureOf(script)), testing::UnorderedElementsAre(script, other));
}

// "#!" is a way to name any file of this machine.
TEST(HostileProgram, AScriptBringsNoFileThatIsNoProgramOfTheSystem) {
  const ScratchDirectory scratch = *ScratchDirectory::Make(), home = *ScratchDirectory::Make();
  const std::string script = scratch.path() + "/script", secret = home.path() + "/secret";
  ASSERT_THAT(WriteFile(secret, "of the host"), IsOk());
  ASSERT_EQ(chmod(secret.c_str(), 0700), 0);
  ASSERT_THAT(WriteFile(script, "#!" + secret + "\n"), IsOk());
  EXPECT_THAT(ClosureOf(script), FailsWith(script + " is to be interpreted by " + secret +
                                           ", which is no program of the system"));
}

TEST(HostileProgram, AFifoOrADeviceIsNoProgram) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string fifo = scratch.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0755), 0);
  alarm(30);  // a hang is no red line: the program ends
  EXPECT_THAT(ClosureOf(fifo), FailsWith("cannot read " + fifo + ": not a regular file"));
  EXPECT_THAT(CopyFile(fifo, scratch.path() + "/copy"),
              FailsWith("cannot read " + fifo + ": not a regular file"));
  EXPECT_THAT(CopyFile("/dev/zero", scratch.path() + "/copy"),
              FailsWith("cannot read /dev/zero: not a regular file"));
  alarm(0);
}

TEST(HostileProgram, ASparseFileFillsNothing) {
  const ScratchDirectory scratch = *ScratchDirectory::Make();
  const std::string sparse = scratch.path() + "/sparse";
  ASSERT_THAT(WriteFile(sparse, "x"), IsOk());
  ASSERT_EQ(truncate(sparse.c_str(), off_t{100} << 30), 0);
  EXPECT_THAT(CopyFile(sparse, scratch.path() + "/copy"),
              FailsWith("cannot copy " + sparse + ": it has 102400 MiB, and a tree may take 2048"));
}

// Sizes that a library says of itself and has not.
TEST(HostileProgram, ALibraryWithImpossibleSegmentsIsNotEdited) {
  const Result<std::string> image = ReadFile(GPUSTAGE_RECORDERS "/audit.so");
  ASSERT_THAT(image, IsOk());
  const auto edited = [&](uint32_t type, const std::function<void(Elf64_Phdr&)>& edit) {
    std::string bytes = *image;
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      std::memcpy(&segment, &bytes[header.e_phoff + i * sizeof segment], sizeof segment);
      if (segment.p_type != type) continue;
      edit(segment);
      std::memcpy(&bytes[header.e_phoff + i * sizeof segment], &segment, sizeof segment);
      break;
    }
    return BreakImage(std::move(bytes), {Breakage::Kind::kStaticTls, 64, "", {}});
  };
  EXPECT_THAT(edited(PT_LOAD, [](Elf64_Phdr& segment) { segment.p_memsz = uint64_t{1} << 40; }),
              FailsWith("it takes more memory than an edit allows"));
  // In place of a note, so that there is one.
  EXPECT_THAT(edited(PT_NOTE,
                     [](Elf64_Phdr& segment) {
                       segment.p_type = PT_TLS;
                       segment.p_align = 0;
                     }),
              IsOk());
}

class HostileStart : public BoxTest {
 protected:
  void SetUp() override {
    BoxTest::SetUp();
    if (IsSkipped()) return;
    spec_.uid = spec_.gid = 0;
  }
  Outcome Start(const std::string& program) {
    spec_.argv = {program, "exit", "0"};
    return RunInBox(spec_, isolation()).outcome;
  }
  void Script(const std::string& name, const std::string& text) {
    ASSERT_THAT(WriteFile(spec_.root + name, text), IsOk());
    ASSERT_EQ(chmod((spec_.root + name).c_str(), 0755), 0);
  }
};

constexpr char kNotLent[] =
    " leads through a link of /proc to a program of this machine, which is not lent";

TEST_F(HostileStart, OurProgramIsNotLentThroughALinkOfProc) {
  ASSERT_EQ(symlink("/proc/self/exe", (spec_.root + "/link").c_str()), 0);
  Script("/script", "#! /proc/self/exe --list-tests\nx\n");
  Script("/nested", "#!/script\n");
  for (const char* program : {"/proc/self/exe", "/proc/1/exe", "/link", "/script", "/nested"}) {
    const Outcome outcome = Start(program);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kNotStarted) << program;
    EXPECT_EQ(outcome.note, program + std::string(kNotLent));
  }
  spec_.working_directory = "/proc/self";
  EXPECT_EQ(Start("exe").note, "exe" + std::string(kNotLent));
}

// The interpreter of an ELF file is opened as its name says, too.
TEST_F(HostileStart, OurProgramInterpretsNobodysElf) {
  Result<std::string> image = ReadFile("/bin/sh");
  ASSERT_THAT(image, IsOk());
  const size_t at = image->find("/lib64/ld-linux-x86-64.so.2");
  ASSERT_NE(at, std::string::npos);
  image->replace(at, 15, std::string("/proc/self/exe\0", 15));
  Script("/lent", *image);
  EXPECT_EQ(Start("/lent").note, "/lent" + std::string(kNotLent));
  ASSERT_EQ(chmod((spec_.root + "/lent").c_str(), 0111), 0);
  spec_.uid = spec_.gid = 65534;
  EXPECT_EQ(Start("/lent").note, "/lent" + std::string(kNotLent));
}

TEST_F(HostileStart, A32BitProgramGetsASentence) {
  Result<std::string> image = ReadFile(ActorProgram());
  ASSERT_THAT(image, IsOk());
  (*image)[4] = 1;  // ELFCLASS32
  Script("/old", *image);
  EXPECT_EQ(Start("/old").note, "/old is a 32-bit program, and a box runs 64-bit ones only");
}

TEST_F(HostileStart, AnOrdinaryProgramIsExecutedByItsName) {
  ASSERT_EQ(symlink("/actor", (spec_.root + "/link").c_str()), 0);
  EXPECT_EQ(Start("/link"), (Outcome{Outcome::Kind::kExited, 0, ""}));
  spec_.argv = {"/link", "cat", "/proc/self/comm", "cat", "/proc/self/cmdline"};
  EXPECT_THAT(Out(RunInBox(spec_, isolation())), HasSubstr(std::string("link\n/link\0cat", 14)));
}

}  // namespace
}  // namespace gpustage
