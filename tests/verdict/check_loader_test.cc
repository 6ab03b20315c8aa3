// Claims about the loader: where it looked, what dlsym gave, what libraries lack of each other, who
// stands before libc.
#include <link.h>

#include "harness/evidence/records/decode.h"
#include "harness/verdict/verdict.h"
#include "tests/support/hand_made.h"
#include "tests/support/matchers.h"

namespace gpustage {
namespace {

using testing::HasSubstr;

constexpr char kBackend[] = "/opt/cuda_v12/libggml-cuda.so",
               kRuntime[] = "/opt/lib/libcudart.so.12";

// serve (2) only lives. runner (3) loads a backend, finds its runtime in the second place of its
// path, asks for two symbols of which one is not there, and takes dlopen from a library that is
// preloaded.
Evidence Seen() {
  Evidence evidence = Decode(HandMadeRun()
                                 .Process(2, 1, "/bin/ollama", "ollama\x1fserve")
                                 .Process(3, 2, "/bin/ollama", "ollama\x1frunner",
                                          "LD_LIBRARY_PATH=/opt/cuda_v12:/opt/lib")
                                 .Load(3, 40, "/opt/libwrap.so")
                                 .Search(3, 1, kBackend)
                                 .Load(3, 50, kBackend, "c0ffee")
                                 .Search(3, 50, "libcudart.so.12")
                                 .Search(3, 50, "/opt/cuda_v12/libcudart.so.12", LA_SER_LIBPATH)
                                 .Search(3, 50, kRuntime, LA_SER_LIBPATH)
                                 .Load(3, 60, kRuntime, "0badcafe")
                                 .SymbolAsked(3, 50, "ggml_backend_init")
                                 .Symbol(3, 50, "ggml_backend_init")
                                 .SymbolAsked(3, 50, "ggml_backend_score")
                                 .Prints(Stream::kStdout, "[]"),
                             ScannerSpec(), {});
  evidence.linkage.gaps = {
      {3, kBackend, kRuntime, {"libcudart.so.12"}, {"cudaFree@libcudart.so.12"}, false}};
  evidence.linkage.interposers = {{3, "dlopen", "/opt/libwrap.so", 3}};
  return evidence;
}

TEST(CheckSearches, TellsWhereTheLoaderLookedAndWhy) {
  const Evidence seen = Seen();
  SearchesClaim claim{"/opt/cuda_v12/libcudart.so.12"};
  EXPECT_TRUE(CheckSearches(seen, claim).ok);
  claim.by = "LD_LIBRARY_PATH";
  claim.requester = "libggml-cuda.so";
  claim.in = "runner";
  EXPECT_TRUE(CheckSearches(seen, claim).ok);
  const auto fails = [&](auto member, const char* other) {
    SearchesClaim wrong = claim;
    wrong.*member = other;
    const Check check = CheckSearches(seen, wrong);
    EXPECT_FALSE(check.ok || check.unknown) << other;
    return check.seen;
  };
  EXPECT_THAT(fails(&SearchesClaim::by, "RUNPATH"),
              HasSubstr("0 times, #7 pid 3 looked for /opt/cuda_v12/libcudart.so.12"));
  fails(&SearchesClaim::requester, "libcublas.so.12");
  fails(&SearchesClaim::in, "serve");
  SearchesClaim nowhere{"/usr/lib/libcudart.so.12"};
  nowhere.count = {0, 0};
  EXPECT_TRUE(CheckSearches(seen, nowhere).ok);
}

TEST(CheckDlsym, TellsFoundFromMissing) {
  const Evidence seen = Seen();
  DlsymClaim found{"ggml_backend_init", "found", kBackend, "runner", {1, 1}};
  EXPECT_TRUE(CheckDlsym(seen, found).ok);
  DlsymClaim missing{"ggml_backend_score", "missing"};
  EXPECT_TRUE(CheckDlsym(seen, missing).ok);
  found.from = "libcudart.so.12";
  EXPECT_FALSE(CheckDlsym(seen, found).ok);
  missing.symbol = "ggml_backend_init";
  EXPECT_FALSE(CheckDlsym(seen, missing).ok);
  missing.answer = std::nullopt;
  EXPECT_TRUE(CheckDlsym(seen, missing).ok);
  missing.in = "serve";
  EXPECT_FALSE(CheckDlsym(seen, missing).ok);
}

TEST(CheckDlsym, SaysNothingOfMissesThatCouldNotBeSeen) {
  Evidence seen = Seen();
  DlsymClaim missing{"ggml_backend_other", "missing"};
  missing.count = {0, 0};
  EXPECT_TRUE(CheckDlsym(seen, missing).ok);
  seen.linkage.unseen_misses = {{3, kBackend}};
  EXPECT_TRUE(CheckDlsym(seen, missing).unknown);
  missing.in = "serve";  // is another process
  EXPECT_TRUE(CheckDlsym(seen, missing).ok);
  missing.in = std::nullopt;
  missing.answer = "found";  // is seen of everybody
  EXPECT_TRUE(CheckDlsym(seen, missing).ok);
}

TEST(CheckLoads, TellsBuildIdsAndProcesses) {
  const Evidence seen = Seen();
  LoadsClaim claim;
  claim.library = "libcudart.so.12";
  claim.build_id = "0badcafe";
  claim.in = "runner";
  EXPECT_TRUE(CheckLoads(seen, claim).ok);
  claim.build_id = "c0ffee";
  EXPECT_THAT(CheckLoads(seen, claim).seen, HasSubstr("build-id 0badcafe"));
  EXPECT_FALSE(CheckLoads(seen, claim).ok);
  claim.build_id = std::nullopt;
  claim.in = "serve";
  EXPECT_FALSE(CheckLoads(seen, claim).ok);
}

// One process that nobody could look into takes nothing away from what was seen of another.
TEST(CheckLoads, BelievesWhatWasSeen) {
  Evidence part = Seen();
  part.processes[0].loader_observed = false;
  LoadsClaim claim;
  claim.library = "libcudart.so.12";
  claim.in = "ollama";
  EXPECT_TRUE(CheckLoads(part, claim).ok);
  claim.library = "libcublas.so.12";
  EXPECT_TRUE(CheckLoads(part, claim).unknown);
}

TEST(CheckLacks, NamesTheEdgeAndWhatIsMissing) {
  const Evidence seen = Seen();
  LacksClaim claim{
      "libggml-cuda.so", "libcudart.so.12", "cudaFree@libcudart.so.12", "libcudart.so.12", {1, 1}};
  EXPECT_TRUE(CheckLacks(seen, claim).ok);
  claim.symbol = "cudaFree";  // in whatever version
  EXPECT_TRUE(CheckLacks(seen, claim).ok);
  for (const auto& [member, other] : {std::pair{&LacksClaim::of, "libcublas.so.12"},
                                      {&LacksClaim::symbol, "cudaFre"},
                                      {&LacksClaim::version, "libcudart.so.11"}}) {
    LacksClaim wrong = claim;
    wrong.*member = other;
    EXPECT_FALSE(CheckLacks(seen, wrong).ok) << other;
  }
  const Check other = CheckLacks(seen, {"libcudart.so.12"});
  EXPECT_FALSE(other.ok || other.unknown);
  EXPECT_EQ(other.seen, "libcudart.so.12 lacks nothing");
}

TEST(CheckTakes, NamesWhoStandsBeforeLibc) {
  const Evidence seen = Seen();
  TakesClaim claim{"dlopen", "libwrap.so", "runner", {1, 1}};
  EXPECT_TRUE(CheckTakes(seen, claim).ok);
  EXPECT_EQ(CheckTakes(seen, claim).seen, "pid 3 takes dlopen from /opt/libwrap.so");
  claim.from = "libother.so";
  EXPECT_FALSE(CheckTakes(seen, claim).ok);
  claim.from = std::nullopt;
  claim.in = "serve";
  EXPECT_FALSE(CheckTakes(seen, claim).ok);
  EXPECT_EQ(CheckTakes(seen, {"execve"}).seen, "execve is libc's");
}

// A static program has a loader of its own, or none: that it did nothing is not known.
TEST(LoaderClaims, SayNothingOfWhatWasNotWatched) {
  const Evidence nobody = Decode(HandMadeRun().WithoutLoader(), ScannerSpec(), {});
  constexpr CountRange kNever{0, 0};
  EXPECT_TRUE(CheckSearches(nobody, {"/a", {}, {}, {}, kNever}).unknown);
  EXPECT_TRUE(CheckDlsym(nobody, {"a", {}, {}, {}, kNever}).unknown);
  EXPECT_TRUE(CheckLacks(nobody, {"a", {}, {}, {}, kNever}).unknown);
  EXPECT_TRUE(CheckTakes(nobody, {"a", {}, {}, kNever}).unknown);
  EXPECT_TRUE(CheckDlsym(Seen(), {"a", {}, {}, "python3", kNever}).unknown);
  Evidence part = Seen();
  part.processes[0].loader_observed = false;
  EXPECT_TRUE(CheckDlsym(part, {"a", {}, {}, "serve", kNever}).unknown);
  EXPECT_TRUE(CheckDlsym(part, {"a", {}, {}, "runner", kNever}).ok);
}

}  // namespace
}  // namespace gpustage
