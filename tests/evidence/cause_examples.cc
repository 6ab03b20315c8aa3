#include <cerrno>

#include "fakes/world/format.h"
#include "harness/evidence/path/questions.h"
#include "harness/evidence/records/decode.h"
#include "tests/evidence/causes.h"
#include "tests/support/after_run.h"
#include "tests/support/hand_made.h"

namespace gpustage {
namespace {

constexpr char kLibrary[] = "/opt/cuda_v12/libggml-cuda.so";
constexpr char kOther[] = "/opt/cuda_v13/libggml-cuda.so";
constexpr char kCudart[] = "/opt/cuda_v12/libcudart.so.12";
constexpr char kPath[] = "LD_LIBRARY_PATH=/opt/cuda_v12";

// Ollama's server and one child.
HandMadeRun Serving(const std::string& environment = kPath) {
  return HandMadeRun()
      .Process(2, 1, "/bin/ollama", "ollama\x1fserve", "OLLAMA_DEBUG=1")
      .Process(3, 2, "/bin/ollama", "ollama\x1frunner", environment);
}
HandMadeRun Opened(const std::string& environment = kPath) {
  return Serving(environment).Search(3, 1, kLibrary);
}
HandMadeRun Mapped(const std::string& environment = kPath) {
  return Opened(environment).Load(3, 50, kLibrary);
}
HandMadeRun WithCudart() {
  return Mapped()
      .Search(3, 50, "libcudart.so.12")
      .Search(3, 50, kCudart, LA_SER_LIBPATH)
      .Load(3, 60, kCudart);
}
HandMadeRun Entered(const std::string& environment = kPath) {
  return Mapped(environment).Symbol(3, 50, "ggml_backend_init");
}
HandMadeRun Counted(const std::string& environment = kPath) {
  return Entered(environment)
      .Call(3, "cudaGetDeviceCount", 0)
      .Call(3, "cudaGetDeviceProperties", 0, 0);
}
HandMadeRun Torn(HandMadeRun run) { return run.Unload(3, 50); }

DlopenAnswer File(const std::string& path, const std::string& head, int64_t size = 100) {
  return {path, 0, 0, 0, "", 0, 'f', size, 1, head};
}
std::string Elf(char kind = 2, char machine = 62) {
  std::string head(64, '\0');
  head.replace(0, 4,
               "\x7f"
               "ELF");
  head[4] = kind;
  head[5] = 1;
  head[18] = machine;
  return head;
}
DlopenAnswer Says(DlopenAnswer answer, const std::string& error) {
  answer.load_error = error;
  return answer;
}
std::string Slog(const std::string& text) { return "time=x level=DEBUG " + text + "\n"; }

// A driver that is asked for by its name.
HandMadeRun Nowhere() {
  return Serving().Search(3, 1, "libcuda.so.1").Search(3, 1, "/lib/libcuda.so.1", LA_SER_DEFAULT);
}

Example Of(const std::string& what, const RawRun& run,
           const std::vector<DlopenAnswer>& answers = {}, const std::string& library = kLibrary) {
  ScannerSpec scanner;
  scanner.log_format = LogFormat::kSlog;
  scanner.devices = {DeviceReader::Kind::kLines, "any",
                     "inference compute.*libdirs=(?P<library_path>\\S+)"};
  Example example{what, Recorded(run, scanner, {library}), {}, library};
  example.recorded.after = Saying(answers, 65534, Decode(example.recorded));
  example.evidence = EvidenceOf(example.recorded);
  return example;
}

std::vector<Example> BeforeTheLoad() {
  DlopenAnswer shut{kLibrary, EACCES, 0, 0, ""}, absent{kLibrary, ENOENT, ENOENT, 0, ""},
      dangling{kLibrary, 0, ENOENT, 0, ""};
  dangling.kind = 'l';
  const std::string versioned = std::string(kLibrary) + ".1";
  const std::string skipped =
      Slog("msg=\"skipping available library at user's request\" libDir=/opt/cuda_v12");
  return {Of("its directory may be entered and not listed", Serving(), {shut}),
          Of("its directory is not there", Serving(), {absent}),
          Of("it has a version behind its name", Serving(), {File(versioned, Elf())}, versioned),
          Of("a variable names another", Serving().Prints(Stream::kStderr, skipped),
             {File(kLibrary, Elf())}),
          Of("nobody tried", Serving(), {File(kLibrary, Elf())}),
          Of("its name is a link to nothing", Serving(), {dangling}),
          Of("it is asked for by its name", Nowhere(),
             {Says({"libcuda.so.1", 0, ENOENT, 0, ""},
                   "libcuda.so.1: cannot open shared object file: No such file or directory")},
             "libcuda.so.1")};
}

std::vector<Example> TheFileItself() {
  DlopenAnswer secret{kLibrary, 0, EACCES, 0, "", 0, 'f', 9, 1, ""};
  return {Of("its mode is 0600", Opened(),
             {Says(secret,
                   std::string(kLibrary) + ": cannot open shared object file: Permission denied")}),
          Of("git-lfs left its pointer", Opened(),
             {Says(File(kLibrary, "version https://git-lfs.github.com/spec/v1\noid"),
                   std::string(kLibrary) + ": invalid ELF header")}),
          Of("it is empty", Opened(),
             {Says(File(kLibrary, "", 0), std::string(kLibrary) + ": file too short")}),
          Of("it is of another class", Opened(),
             {Says(File(kLibrary, Elf(1, 3)),
                   std::string(kLibrary) + ": wrong ELF class: ELFCLASS32")}),
          Of("it is of another machine", Opened(),
             {Says(File(kLibrary, Elf(2, static_cast<char>(183))),
                   std::string(kLibrary) +
                       ": cannot open shared object file: No such file or directory")}),
          Of("ld.so has another objection", Opened(),
             {Says(File(kLibrary, Elf()), std::string(kLibrary) +
                                              ": cannot enable executable stack as shared object "
                                              "requires: Permission denied")})};
}

std::vector<Example> WhatItNeeds() {
  const HandMadeRun lacking = Torn(WithCudart()
                                       .Search(3, 60, "libcuda.so.1")
                                       .Search(3, 60, "/usr/lib/libcuda.so.1", LA_SER_DEFAULT));
  const HandMadeRun damaged =
      Torn(Mapped().Search(3, 50, "libcudart.so.12").Search(3, 50, kCudart, LA_SER_LIBPATH));
  const std::string undefined =
      std::string(kLibrary) + ": undefined symbol: cudaGetDevice, version libcudart.so.12";
  DlopenAnswer good = File(kCudart, Elf()), better = File("/usr/lib/libcudart.so.12", Elf());
  better.inode = 2;
  return {Of("what it needs, needs what is not there", lacking,
             {Says(File(kLibrary, Elf()),
                   "libcuda.so.1: cannot open shared object file: No such file or directory")}),
          Of("what it needs is no library", damaged,
             {Says(File(kLibrary, Elf()), std::string(kCudart) + ": invalid ELF header"),
              File(kCudart, "no library")}),
          Of("a symbol is not where it should be", Torn(WithCudart()),
             {Says(File(kLibrary, Elf()), undefined), good}),
          Of("a version is not where it should be", Torn(WithCudart()),
             {Says(File(kLibrary, Elf()),
                   std::string(kCudart) + ": version `libcudart.so.12' not found (required by " +
                       kLibrary + ")"),
              good}),
          Of("a poorer copy comes first", Torn(WithCudart()),
             {Says(File(kLibrary, Elf()), undefined), good, better}),
          Of("the load kills", Mapped(), {{kLibrary, 0, 0, 7, ""}})};
}

std::vector<Example> ItsStart() {
  const int64_t none = world::kNoResult;
  return {
      Of("it has no entry point", Torn(Mapped()), {File(kLibrary, Elf())}),
      Of("its entry point gives nothing",
         Entered().Call(3, "ggml_backend_init", 0, -1, "fault: return 0")),
      Of("the driver refuses", Entered().Call(3, "cuInit", 802)),
      Of("the process dies", Entered().Call(3, "cuInit", none, -1, "fault: segfault")),
      Of("the process hangs", Entered().Call(3, "cuInit", none, -1, "fault: hang")),
      Of("nobody asks CUDA", Entered().Unload(3, 1)),
      Of("a variable hides every device", Entered("CUDA_VISIBLE_DEVICES=").Call(3, "cuInit", 100)),
      Of("the driver has none", Entered().Call(3, "cuInit", 0)),
      Of("the count fails", Entered()
                                .Call(3, "cuInit", 0)
                                .Call(3, "cuDeviceGet", 0, 0)
                                .Call(3, "cuDeviceGetName", 999, 0)
                                .Call(3, "cudaGetDeviceCount", 3)),
      Of("another process counts", Serving().Call(2, "cuDeviceGet", 0, 0),
         {File(kLibrary, Elf())})};
}

HandMadeRun Validated(HandMadeRun first) {
  return first
      .Process(4, 2, "/bin/ollama", "ollama\x1frunner",
               "GGML_CUDA_INIT=1\x1f"
               "CUDA_VISIBLE_DEVICES=GPU-1")
      .Search(4, 1, kLibrary)
      .Load(4, 50, kLibrary)
      .Symbol(4, 50, "ggml_backend_init");
}

std::vector<Example> AfterTheCount() {
  const std::string verifying =
      Slog("msg=\"verifying if device is supported\" library=/opt/cuda_v12 compute=3.5 id=GPU-1");
  const std::string garbage = Slog(
      "msg=\"verifying if device is supported\" library=/opt/cuda_v12 compute=0.0 "
      "id=GPU-00000000-1400-0000-0900-000000000000 pci_id=99fff950:99fff9");
  const std::string kept = Slog("msg=\"inference compute\" libdirs=ollama,cuda_v13");
  const std::string overlap =
      Slog("msg=\"filtering device with overlapping libraries\" library=/opt/cuda_v12");
  const auto both = [&](const std::string& more) {
    return Counted()
        .Search(3, 1, kOther)
        .Load(3, 70, kOther)
        .Symbol(3, 70, "ggml_backend_init")
        .Call(3, "cudaGetDeviceCount", 0)
        .Call(3, "cudaGetDeviceProperties", 0, 0)
        .Prints(Stream::kStderr, more + kept);
  };
  const std::string all = Slog("msg=\"inference compute\" libdirs=ollama,cuda_v12,cuda_v13");
  return {Of("the scanner closes it", Counted().Call(3, "ggml_backend_init", 1).Unload(3, 50)),
          Of("another struct", Counted().Prints(Stream::kStderr, garbage)),
          Of("the second pass fails", Validated(Counted()).Call(4, "cuInit", 999)),
          Of("the second pass asserts",
             Validated(Counted().Prints(Stream::kStderr, verifying))
                 .Call(4, "cuInit", 0)
                 .Call(4, "ggml_abort", 0, -1,
                       "file=\"ggml-cuda.cu\", line=335, "
                       "format=\"GGML_ASSERT(ggml_cuda_has_arch(info.devices[id].cc)) failed\"")),
          Of("the same by another directory", both("")),
          Of("the same by another directory, with a line", both(overlap)),
          Of("the same twice", both(all), {}, kOther),
          Of("nobody knows", Counted())};
}

}  // namespace

std::vector<Example> CauseExamples() {
  std::vector<Example> all;
  for (std::vector<Example> (*some)() :
       {BeforeTheLoad, TheFileItself, WhatItNeeds, ItsStart, AfterTheCount})
    for (Example& example : some()) all.push_back(std::move(example));
  return all;
}

}  // namespace gpustage
