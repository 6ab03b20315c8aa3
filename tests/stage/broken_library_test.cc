// A library that was broken by editing its bytes is to the loader what one is that a toolchain
// built so: the same words, the same outcome. The healthy one, the one built broken and a program
// that loads them are compiled here; the only difference between two runs is who broke the library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/stage/library_image.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;
using Kind = Breakage::Kind;

// The library that is broken, and how a toolchain makes the same. `flags` of the healthy one when
// empty.
struct Sample {
  const char* name;
  Breakage broken;
  std::string code;  // of the one that is built broken
  std::string flags;
  std::string says;  // a part of what the loader must say of both; "" for a library that loads
};
void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }

constexpr char kHealthy[] =
    "int getpid(void); int alpha(void) { return 7; } int beta(void) { return getpid(); }";
constexpr char kFlags[] = "-Wl,-soname,libtiny.so.1 -Wl,--version-script,tiny.map";

// Opens the library that wants alpha of libtiny.so.1 in version TINY_1, and says how that went.
constexpr char kUser[] = "int alpha(void); int use(void) { return alpha(); }";
constexpr char kProgram[] = R"(
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
int main(int n, char** args) {
  void* library = dlopen("libuse.so", RTLD_NOW);
  char line[512];
  int executable = 0;
  if (library == NULL) { printf("%s\n", dlerror()); return 3; }
  FILE* maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps) != NULL)
    if (strstr(line, "[stack]") != NULL) executable = strchr(line, 'x') != NULL;
  printf("use %d, stack %d\n", ((int (*)(void))dlsym(library, "use"))(), executable);
  return n == 1 ? 0 : args == NULL;
})";

class EditedLibrary : public testing::Test {
 protected:
  void SetUp() override {
    if (FindProgramOnHost("cc").empty()) GTEST_SKIP() << "needs a C compiler";
    char name[] = "/tmp/gpustage-broken-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    Write("tiny.map", "TINY_1 { global: alpha; beta; };");
    Write("none.map", "{ local: none; };");
    Write("other.map", "OTHER_1 { global: alpha; beta; };");
    Write("partial.map", "TINY_1 { global: beta; };");
    Write("libc.map", "GLIBC_2.99 { global: newer; };");
    for (const char* made : {"healthy", "edited", "built"})
      std::filesystem::create_directory(folder_ + "/" + made);
    Compile(kHealthy, kFlags, "healthy/libtiny.so.1");
    Compile(kUser, "healthy/libtiny.so.1", "libuse.so");
    Compile("int gone(void) { return 1; }", "-Wl,-soname,libgone.so.1", "libgone.so");
    Compile("int newer(void) { return 1; }",
            "-nostdlib -Wl,-soname,libc.so.6 -Wl,--version-script,libc.map", "libnewer.so");
    Write("p.c", kProgram);
    Run("cc -o program p.c");
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void Write(const std::string& file, const std::string& text) {
    ASSERT_THAT(WriteFile(folder_ + "/" + file, text), IsOk());
  }
  void Run(const std::string& command) {
    ASSERT_EQ(std::system(("cd " + folder_ + " && " + command).c_str()), 0) << command;
  }
  void Compile(const std::string& code, const std::string& flags, const std::string& out) {
    Write("code.c", code);
    Run("cc -w -O1 -shared -fPIC -o " + out + " code.c " + flags);
  }
  void Edit(const Breakage& how) {
    const auto image = ReadFile(folder_ + "/healthy/libtiny.so.1");
    ASSERT_THAT(image, IsOk());
    const auto broken = BreakImage(*image, {how});
    ASSERT_THAT(broken, IsOk());
    Write("edited/libtiny.so.1", *broken);
  }

  // All that the program says with the library of that folder, and how it ended.
  std::string Load(const std::string& made) {
    const std::string command = "cd " + folder_ + " && LD_LIBRARY_PATH=" + folder_ + "/" + made +
                                ":" + folder_ + " ./program > out 2>&1";
    const int status = std::system(("(" + command + ") > /dev/null 2>&1").c_str());
    std::string said =
        *ReadFile(folder_ + "/out") + "status " + std::to_string(WEXITSTATUS(status));
    for (size_t at; (at = said.find("/" + made + "/")) != std::string::npos;)
      said.replace(at, made.size() + 2, "/FOLDER/");
    return said;
  }

  std::string folder_;
};

class BrokenLibrary : public EditedLibrary, public testing::WithParamInterface<Sample> {};

TEST_P(BrokenLibrary, IsToTheLoaderWhatAToolchainMakes) {
  const Sample& sample = GetParam();
  ASSERT_EQ(Load("healthy"), "use 7, stack 0\nstatus 0");
  Edit(sample.broken);
  Compile(sample.code.empty() ? kHealthy : sample.code,
          sample.flags.empty() ? kFlags : sample.flags, "built/libtiny.so.1");
  std::filesystem::remove(folder_ + "/libgone.so");
  const std::string built = Load("built");
  EXPECT_THAT(built, HasSubstr(sample.says));
  EXPECT_EQ(Load("edited"), built);
}

// For binutils too it is a sound library.
TEST_P(BrokenLibrary, CanBeReadByTheToolsOfPeople) {
  Edit(GetParam().broken);
  for (const char* tool : {"readelf -aW", "nm -D", "objdump -p"})
    Run(std::string(tool) + " edited/libtiny.so.1 > listing 2> complaints && ! test -s complaints");
}

const std::string kCode = kHealthy;
INSTANTIATE_TEST_SUITE_P(
    , BrokenLibrary,
    testing::Values(
        Sample{"NoSoname", {Kind::kSoname, 0, ""}, "", "-Wl,--version-script,tiny.map", "use 7"},
        Sample{"OtherSoname",
               {Kind::kSoname, 0, "libother.so.1"},
               "",
               "-Wl,-soname,libother.so.1 -Wl,--version-script,tiny.map",
               "use 7"},
        Sample{"NoNode", {Kind::kVersionNode, 0, ""}, "", "-Wl,-soname,libtiny.so.1", "use 7"},
        Sample{"OtherNode",
               {Kind::kVersionNode, 0, "OTHER_1"},
               "",
               "-Wl,-soname,libtiny.so.1 -Wl,--version-script,other.map",
               "version `TINY_1' not found (required by "},
        Sample{"PartialNode",
               {Kind::kVersionNodeLacks, 0, "", {"alpha"}},
               "",
               "-Wl,-soname,libtiny.so.1 -Wl,--version-script,partial.map",
               "use 7"},
        Sample{"NoVersionTable",
               {Kind::kVersionTable, 0, ""},
               "",
               "-nostdlib -Wl,-soname,libtiny.so.1",
               "Inconsistency detected by ld.so: dl-lookup.c"},
        Sample{"SymbolAbsent",
               {Kind::kSymbolAbsent, 0, "", {"alpha"}},
               "int getpid(void); int beta(void) { return getpid(); }",
               "",
               "libuse.so: undefined symbol: alpha, version TINY_1"},
        Sample{"Undefined",
               {Kind::kUndefined, 0, "of_a_sibling"},
               kCode + " int of_a_sibling(void); int gamma(void) { return of_a_sibling(); }",
               "",
               "undefined symbol: of_a_sibling"},
        Sample{"Needs",
               {Kind::kNeeds, 0, "libgone.so.1"},
               "",
               std::string(kFlags) + " -Wl,--no-as-needed ./libgone.so",
               "libgone.so.1: cannot open shared object file: No such file or directory"},
        Sample{"NeedsNewerLibc",
               {Kind::kNeedsVersion, 0, "GLIBC_2.99"},
               kCode + " int newer(void); int gamma(void) { return newer(); }",
               std::string(kFlags) + " -nostdlib ./libnewer.so",
               "libc.so.6: version `GLIBC_2.99' not found (required by "},
        Sample{"ExecutableStack",
               {Kind::kExecutableStack, 0, ""},
               "",
               std::string(kFlags) + " -z execstack",
               "stack 1"},
        Sample{"StaticTls",
               {Kind::kStaticTls, 1 << 20, ""},
               kCode + " __thread char t[1 << 20] __attribute__((tls_model(\"initial-exec\"))); "
                       "char* gamma(void) { return t; }",
               "",
               "cannot allocate memory in static TLS block"},
        Sample{"Prints",
               {Kind::kConstructorPrints, 0, "hello\n"},
               "#include <unistd.h>\n" + kCode +
                   " __attribute__((constructor)) void first(void) { write(2, \"hello\\n\", 6); }",
               "",
               "hello\nuse 7"},
        Sample{"Aborts",
               {Kind::kConstructorAborts, 0, ""},
               "#include <stdlib.h>\n" + kCode +
                   " __attribute__((constructor)) void first(void) { abort(); }",
               "",
               "status 134"},
        Sample{"Crashes",
               {Kind::kConstructorCrashes, 0, ""},
               kCode + " __attribute__((constructor)) void first(void) { *(volatile int*)0 = 0; }",
               "",
               "status 139"}),
    [](const auto& sample) { return std::string(sample.param.name); });

class PathsOfALibrary : public BrokenLibrary {
 protected:
  // libtiny wants libhelp.so of a folder beside it; another one lies where LD_LIBRARY_PATH leads.
  void Make(const std::string& how, const std::string& more) {
    Compile("int help(void); int alpha(void) { return help(); } int beta(void) { return 8; }",
            std::string(kFlags) + " -L. -lhelp " + more, how + "/libtiny.so.1");
  }
};

TEST_P(PathsOfALibrary, AreSearchedInTheOrderOfTheToolchainsOwn) {
  std::filesystem::create_directories(folder_ + "/built/own");
  std::filesystem::create_directories(folder_ + "/edited/own");
  Compile("int help(void) { return 1; }", "", "libhelp.so");
  Compile("int help(void) { return 2; }", "", "built/own/libhelp.so");
  Compile("int help(void) { return 2; }", "", "edited/own/libhelp.so");
  Make("healthy", "");
  Edit(GetParam().broken);
  Make("built", GetParam().flags);
  const std::string with_another = Load("built");
  EXPECT_THAT(with_another, HasSubstr(GetParam().says));
  EXPECT_EQ(Load("edited"), with_another);
  std::filesystem::remove(folder_ + "/libhelp.so");
  EXPECT_EQ(Load("built"), "use 2, stack 0\nstatus 0");
  EXPECT_EQ(Load("edited"), "use 2, stack 0\nstatus 0");
}

INSTANTIATE_TEST_SUITE_P(, PathsOfALibrary,
                         testing::Values(Sample{"Rpath",
                                                {Kind::kRpath, 0, "$ORIGIN/own"},
                                                "",
                                                "'-Wl,-rpath,$ORIGIN/own' -Wl,--disable-new-dtags",
                                                "use 2"},
                                         Sample{"Runpath",
                                                {Kind::kRunpath, 0, "$ORIGIN/own"},
                                                "",
                                                "'-Wl,-rpath,$ORIGIN/own' -Wl,--enable-new-dtags",
                                                "use 1"}),
                         [](const auto& sample) { return std::string(sample.param.name); });

TEST_F(EditedLibrary, SleepsBeforeItIsUsed) {
  Edit({Kind::kConstructorSleeps, 120, ""});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Load("edited"), "use 7, stack 0\nstatus 0");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(120));
}

TEST_F(EditedLibrary, MustHaveWhatIsToBeBroken) {
  Compile(kHealthy, "-nostdlib", "healthy/libtiny.so.1");
  const std::string image = *ReadFile(folder_ + "/healthy/libtiny.so.1");
  const auto fails = [&](const Breakage& how, const std::string& why) {
    EXPECT_THAT(BreakImage(image, {how}), FailsWith(why));
  };
  fails({Kind::kSymbolAbsent, 0, "", {"gamma"}}, "the library has no symbol gamma");
  fails({Kind::kVersionNode, 0, "OTHER_1"}, "the library defines no version node");
  fails({Kind::kVersionNodeLacks, 0, "", {"alpha"}}, "the library defines no version node");
  fails({Kind::kNeedsVersion, 0, "GLIBC_2.99"}, "the library needs no version of libc.so.6");
}

// Without a table of versions that it needs, one of its own symbols' alone would crash the loader.
TEST_F(EditedLibrary, LosesItsVersionTableWithItsLastVersion) {
  constexpr char kAlone[] = "int alpha(void) { return 7; } int beta(void) { return 8; }";
  Compile(kAlone, kFlags, "healthy/libtiny.so.1");
  Edit({Kind::kVersionNode, 0, ""});
  Compile(kAlone, "-Wl,-soname,libtiny.so.1", "built/libtiny.so.1");
  EXPECT_THAT(Load("built"), HasSubstr("Inconsistency detected by ld.so: dl-lookup.c"));
  EXPECT_EQ(Load("edited"), Load("built"));
}

// A user's file may be anything.
TEST_F(EditedLibrary, IsMadeOrRefusedWhereverTheFileWasCut) {
  const std::string image = *ReadFile(folder_ + "/healthy/libtiny.so.1");
  size_t refused = 0;
  for (size_t bytes = 0; bytes < image.size(); bytes += 61) {
    const auto broken = BreakImage(image.substr(0, bytes), {{Kind::kUndefined, 0, "of_a_sibling"}});
    if (broken) continue;
    ++refused;
    EXPECT_THAT(broken.error().message,
                testing::StartsWith("it is no library that can be edited: "));
  }
  EXPECT_GT(refused, image.size() / 61 / 2);
}

}  // namespace
}  // namespace gpustage
