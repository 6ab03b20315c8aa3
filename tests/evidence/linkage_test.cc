// What loaded libraries lack of each other: read from files that a compiler of this machine made.
#include "harness/evidence/loader/linkage.h"

#include <fcntl.h>

#include "harness/base/elf_file.h"
#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/base/root.h"
#include "harness/evidence/path/questions.h"
#include "harness/run/after.h"
#include "harness/words/words.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// /lib/libuser.so needs `one` and `two` of libgiver.so, which was linked in some way and is built
// anew in another.
class LinkageTest : public testing::Test {
 protected:
  void SetUp() override {
    Build("giver", "int one(void){return 1;} int two(void){return 2;}", "GIVER_1 { one; two; };");
    Build("user", "int one(void); int two(void); int both(void){return one()+two();}", "",
          "-L" + scratch_->path() + " -lgiver");
  }

  // With a version script when there is one.
  void Build(const std::string& name, const std::string& source, const std::string& script = "",
             const std::string& link = "") {
    const std::string base = scratch_->path() + "/" + name;
    ASSERT_THAT(WriteFile(base + ".c", source), IsOk());
    ASSERT_THAT(WriteFile(base + ".map", script), IsOk());
    const std::string versions = script.empty() ? "" : " -Wl,--version-script=" + base + ".map";
    const Result<ProgramOutput> built = RunProgram(
        {"sh", "-c",
         "cc -shared -fPIC -nostdlib -o " + scratch_->path() + "/lib" + name +
             ".so -Wl,-soname,lib" + name + ".so " + base + ".c" + versions + " " + link});
    ASSERT_THAT(built, IsOk());
    ASSERT_EQ(built->exit_code, 0) << built->out;
  }

  // A process that loaded these of the scratch directory.
  Linkage Of(const std::vector<std::string>& names, const std::string& preload = "") {
    Evidence evidence;
    Process process;
    process.pid = 2;
    process.executable = "/program";
    if (!preload.empty()) process.environment = {"LD_PRELOAD=" + preload};
    evidence.processes.push_back(process);
    for (const std::string& name : names) {
      Event event;
      event.id = static_cast<int>(evidence.events.size()) + 1;
      event.pid = 2;
      event.kind = EventKind::kLoad;
      event.subject = name;
      evidence.events.push_back(event);
    }
    AfterRun after;
    ReadUsedFiles(
        QuestionsOf(evidence),
        [&](const std::string& path) {
          return Fd(open((scratch_->path() + path).c_str(), O_RDONLY | O_CLOEXEC));
        },
        {}, after);
    return LinkageOf(evidence, after);
  }
  std::vector<std::string> Gaps() {
    std::vector<std::string> sentences;
    for (const Gap& gap : Of({"/libuser.so", "/libgiver.so"}).gaps)
      sentences.push_back(GapText(gap));
    return sentences;
  }

  Result<ScratchDirectory> scratch_ = ScratchDirectory::Make();
};

TEST_F(LinkageTest, LacksNothingOfWhatItWasLinkedTo) { EXPECT_THAT(Gaps(), IsEmpty()); }

TEST_F(LinkageTest, LeavesALibraryThatIsNotThereToTheSearchForIt) {
  EXPECT_THAT(Of({"/libuser.so"}).gaps, IsEmpty());
}

TEST_F(LinkageTest, NamesTheVersionThatTheProviderDoesNotDefine) {
  Build("giver", "int one(void){return 1;} int two(void){return 2;}", "GIVER_2 { one; two; };");
  // Symbols stand in the order in which they are bound, which is the linker's choice.
  EXPECT_THAT(Gaps(),
              ElementsAre(testing::AllOf(
                  testing::StartsWith("/libgiver.so does not define the version GIVER_1 that "
                                      "/libuser.so needs; /libgiver.so does not have "),
                  testing::HasSubstr("one@GIVER_1"), testing::HasSubstr("two@GIVER_1"))));
}

// GIVER_10 is newer than GIVER_9, and another name's versions are no matter.
TEST_F(LinkageTest, NamesTheNewestVersionOfThatNameThatTheProviderHas) {
  Build("giver", "int one(void){return 1;} int two(void){return 2;} int three(void){return 3;}",
        "GIVER_9 { one; }; GIVER_10 { two; }; TAKER_99 { three; };");
  const std::vector<Gap> gaps = Of({"/libuser.so", "/libgiver.so"}).gaps;
  ASSERT_FALSE(gaps.empty());
  EXPECT_EQ(gaps.front().newest, "GIVER_10");
}

TEST_F(LinkageTest, HasTheFoldersOfEachRunpath) {
  Build("pathed", "int three(void){return 3;}", "",
        "-Wl,--enable-new-dtags,-rpath,'$ORIGIN/../more:/run/opengl-driver/lib'");
  EXPECT_THAT(Of({"/libuser.so", "/libpathed.so"}).own_paths,
              ElementsAre(OwnPath{2, "/libpathed.so", "/../more"},
                          OwnPath{2, "/libpathed.so", "/run/opengl-driver/lib"}));
}

TEST_F(LinkageTest, NamesTheSymbolThatTheProviderDoesNotHave) {
  Build("giver", "int one(void){return 1;}", "GIVER_1 { one; };");
  EXPECT_THAT(Gaps(),
              ElementsAre("/libgiver.so does not have two@GIVER_1, which /libuser.so needs"));
}

// ld.so takes it, for it cannot check anything: a class of its own.
TEST_F(LinkageTest, TellsAProviderOfTheRightNameWithNoVersionsAtAll) {
  Build("giver", "int one(void){return 1;} int two(void){return 2;}");
  EXPECT_THAT(Gaps(), ElementsAre("/libgiver.so has no version information at all, and /libuser.so "
                                  "was built against one that has"));
}

TEST_F(LinkageTest, TellsThatNobodyHasASymbol) {
  Build("giver", "int one(void){return 1;} int two(void){return 2;}", "GIVER_1 { one; two; };");
  Build("user", "int gone(void); int both(void){return gone();}", "",
        "-Wl,--unresolved-symbols=ignore-all");
  EXPECT_THAT(Gaps(), ElementsAre("no library that was loaded has gone, which /libuser.so needs"));
}

TEST_F(LinkageTest, DerivesWhoStandsBeforeLibcFromTheOrderOfLoading) {
  Build("pre",
        "void* dlopen(const char* p, int m){(void)p; (void)m; return 0;} void* malloc(unsigned "
        "long n){(void)n; return 0;}");
  EXPECT_THAT(Of({"/libpre.so"}).interposers, IsEmpty());  // it came later, for itself alone
  EXPECT_THAT(Of({"/libpre.so"}, "/libpre.so").interposers,
              ElementsAre(Interposer{2, "dlopen", "/libpre.so", 0},
                          Interposer{2, "malloc", "/libpre.so", 0}));
}

// ld.so tells an auditor of a call through the PLT, and of no other use of an address.
TEST_F(LinkageTest, NamesWhoCallsDlsymPastItsPlt) {
  const std::string calls =
      "void* dlsym(void*, const char*); void* ask(void){return dlsym(0, \"x\");}";
  Build("plt", calls);
  Build("now", calls, "", "-Wl,-z,now");
  Build("past", calls, "", "-fno-plt");
  Build("versioned",
        "void* dlvsym(void*, const char*, const char*); void* ask(void){return dlvsym(0, \"x\", "
        "\"y\");}",
        "", "-fno-plt");
  Build("address", "void* dlsym(void*, const char*); void* (*ask)(void*, const char*) = dlsym;");
  Build("weak",
        "__attribute__((weak)) void* dlsym(void*, const char*); void* ask(void){return dlsym ? "
        "dlsym(0, \"x\") : 0;}");
  Build("own",
        "void* dlsym(void* h, const char* n){(void)h; (void)n; return 0;} void* ask(void){return "
        "dlsym(0, \"x\");}",
        "", "-fno-plt");
  std::vector<std::string> named;
  for (const UnseenMisses& misses :
       Of({"/libplt.so", "/libpast.so", "/libnow.so", "/libversioned.so", "/libaddress.so",
           "/libweak.so", "/libown.so"})
           .unseen_misses)
    named.push_back(std::to_string(misses.pid) + " " + misses.library);
  EXPECT_THAT(named, ElementsAre("2 /libpast.so", "2 /libversioned.so", "2 /libaddress.so",
                                 "2 /libweak.so"));
}

TEST_F(LinkageTest, ReadsAnyBytes) {
  const Result<std::string> whole = ReadFile(scratch_->path() + "/libuser.so");
  ASSERT_THAT(whole, IsOk());
  for (size_t length = 0; length < whole->size(); length += 61) {
    std::string bytes = whole->substr(0, length);
    if (length > 200) bytes[length % 150 + 40] = static_cast<char>(length);
    ASSERT_THAT(WriteFile(scratch_->path() + "/libuser.so", bytes), IsOk());
    Of({"/libuser.so", "/libgiver.so"});
  }
}

}  // namespace
}  // namespace gpustage
