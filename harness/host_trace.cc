#include "harness/host_trace.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "harness/base/files.h"
#include "harness/evidence/path/families.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/path/questions.h"
#include "harness/evidence/records/decode.h"
#include "harness/host_process.h"
#include "harness/run/after.h"
#include "harness/run/host_run.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostLibraries = 400;

std::vector<std::string> PathsOf(const std::vector<std::string>& environment,
                                 const std::string& variable) {
  std::vector<std::string> paths;
  for (const std::string& entry : environment) {
    if (!entry.starts_with(variable + "=")) continue;
    const std::string value = entry.substr(variable.size() + 1);
    for (size_t begin = 0; begin <= value.size();) {
      const size_t end = std::min(value.find(':', begin), value.size());
      if (end > begin) paths.push_back(value.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return paths;
}

// The GPU libraries where the loader looks, and below the program's own lib/ollama.
std::vector<std::string> LibrariesHere(const HostStart& start) {
  std::vector<std::string> folders = PathsOf(start.environment, "LD_LIBRARY_PATH");
  for (const char* usual : {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib",
                            "/usr/local/nvidia/lib64", "/usr/local/cuda/lib64"})
    folders.emplace_back(usual);
  const std::string own =
      (fs::path(start.argv[0]).parent_path() / "../lib/ollama").lexically_normal();
  std::error_code none;
  folders.push_back(own);
  for (const auto& entry : fs::directory_iterator(own, none))
    if (entry.is_directory(none)) folders.push_back(entry.path());
  std::vector<std::string> found;
  for (const std::string& folder : folders)
    for (const auto& entry : fs::directory_iterator(folder, none))
      if (FamilyOfLibrary(entry.path().filename().string()) != Family::kNone &&
          found.size() < kMostLibraries &&
          std::find(found.begin(), found.end(), entry.path().string()) == found.end())
        found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

Setting SettingHere(const HostStart& start) {
  Setting setting;
  setting.libraries = LibrariesHere(start);
  setting.kernel_driver = KernelDriverHere();
  std::error_code none;
  int gpus = 0;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", none))
    gpus += entry.is_directory(none) ? 1 : 0;
  if (gpus > 0) setting.devices = gpus;  // whatever a namespace hides
  for (const std::string& path : setting.libraries) {
    const std::string real = fs::canonical(path, none).filename();
    const size_t so = real.find(".so.");
    if (!none && so != std::string::npos && real.find('.', so + 4) != std::string::npos &&
        FamilyOfLibrary(BaseNameOf(path)) == Family::kDriver)
      setting.versions[path] = real.substr(so + 4);
  }
  return setting;
}

std::vector<std::string> Candidates(const HostStart& start, const Setting& setting) {
  std::vector<std::string> found;
  for (const std::string& word : start.argv)
    if (word.starts_with('/') && BaseNameOf(word).find(".so") != std::string::npos)
      found.push_back(fs::path(word).lexically_normal());
  if (!found.empty()) return found;
  for (const std::string& path : setting.libraries)
    if (IsBackendName(BaseNameOf(path))) found.push_back(path);
  return found;
}

Status Explain(const HostStart& start, const Recorders& recorders, Evidence& evidence) {
  const FileOpener open = [](const std::string& path) {
    Result<Fd> fd = OpenRegularFile(path);
    return fd ? *std::move(fd) : Fd();
  };
  TRY(const Root root, Root::Open("/"));
  const Identity user = {geteuid(), getegid(), {}};
  const Questions questions = QuestionsOf(evidence);
  AfterRun after;
  after.uid = static_cast<int>(user.uid);
  ReadUsedFiles(questions, open, {}, after);
  after.own_kernel_files = questions.kernel_files;  // the machine is the program's own
  for (const Question& question : questions.dlopens) {
    HostStart asking = start;
    if (!question.environment.empty()) asking.environment = question.environment;
    TRY(std::vector<DlopenAnswer> said, AskOnHost(asking, question.paths, recorders));
    after.answered.push_back({question.environment, std::move(said)});
  }
  LookAround(questions, root, user, after);
  Conclude(after, evidence);
  return Ok();
}

// The first node of a GPU that the process was refused; at most one.
std::vector<Reason> RefusedNode(const Evidence& evidence, int pid) {
  for (const Event& event : evidence.events)
    if (event.kind == EventKind::kOpen && event.pid == pid && event.value > 0 &&
        event.subject.starts_with("/dev/nvidia"))
      return {{.kind = Reason::Kind::kNodeRefused,
               .subject = event.subject,
               .error = static_cast<int>(event.value),
               .event = event.id}};
  return {};
}

// A real driver writes no journal. Whoever opened it and saw no more is asked about after the run:
// the same library, in the same environment, by a probe.
void AskDrivers(const HostStart& start, const Recorders& recorders, Evidence& evidence) {
  for (FunnelRow& row : evidence.funnel) {
    const bool management = row.family == Family::kManagement;
    if ((row.family != Family::kDriver && !management) || row.loss || !row.reached ||
        *row.reached < Step::kLoaded || *row.reached >= Step::kInitialised)
      continue;
    HostStart asking = start;
    for (const Process& process : evidence.processes)
      if (process.pid == row.pid && !process.environment.empty())
        asking.environment = process.environment;
    const char* const function = management ? "nvmlInit_v2" : "cuInit";
    const auto said = AskDriver(asking, management ? "nvml" : "cuda", row.library, recorders);
    const auto code = said.find(function);
    if (code == said.end()) continue;
    const auto count = said.find("count");
    if (code->second == "0" && count != said.end() && count->second != "0") {
      row.steps[Step::kInitialised].state = row.steps[Step::kCounted].state = StepState::kDerived;
      row.reached = Step::kCounted;
      row.remark = {.kind = Reason::Kind::kCountsWhenAsked,
                    .number = std::atoll(count->second.c_str())};
      continue;
    }
    row.steps[Step::kInitialised].state = StepState::kDidNotHappen;
    row.odd = Cause::kUnknown;
    PathLoss& loss = row.loss.emplace();
    loss.at = Step::kInitialised;
    loss.known = Known::kAsked;
    loss.cause = Cause::kInitError;
    loss.reason = {.kind = Reason::Kind::kAnswers,
                   .subject = function,
                   .below = RefusedNode(evidence, row.pid)};
    if (management) {
      loss.reason.kind = Reason::Kind::kAnswersInWords;
      loss.reason.text = code->second;
    } else {
      loss.reason.number = std::atoll(code->second.c_str());
    }
    for (const std::string& entry : asking.environment)
      if (!management && code->second == "100" && entry.starts_with("CUDA_VISIBLE_DEVICES=")) {
        loss.cause = Cause::kMasked;
        loss.reason.below.push_back({.kind = Reason::Kind::kStartedWith, .text = entry});
      }
  }
}

std::vector<std::string> Unseen(const Evidence& evidence) {
  std::vector<std::string> unseen = {
      "what the program's own calls of the driver and the runtime answered: only the fakes of a "
      "box "
      "write that down"};
  if (!evidence.files_observed) {
    unseen.push_back("what the program asked of the kernel: " +
                     SentenceOf(evidence.files_unobserved));
  } else if (geteuid() != 0) {
    unseen.push_back(
        "what a program with set-user-id, such as nvidia-modprobe, does for who is not root: "
        "watched, it gains no rights");
  }
  return unseen;
}

}  // namespace

Result<HostTrace> TraceOnHost(const std::vector<std::string>& argv, const ScannerSpec& scanner,
                              const Recorders& recorders) {
  const HostStart start = {argv, OurEnvironment()};
  const Setting setting = SettingHere(start);
  TRY(const ScratchDirectory scratch, ScratchDirectory::Make());
  TRY(const Root ours, Root::Open(scratch.path()));
  TRY(const RawRun raw, RunOnHost(start, ours, recorders));
  HostTrace trace;
  trace.report.c.id = "this machine";
  RunSpec spec;
  spec.name = BaseNameOf(argv[0]);
  spec.scanner = scanner;
  RunReport run{spec, {}, Decode(raw, scanner, Candidates(start, setting), setting)};
  run.evidence.devices_unreadable = {Reason::Kind::kProgramOfMachine};
  TRY(Explain(start, recorders, run.evidence));
  AskDrivers(start, recorders, run.evidence);
  FindLostRow(run.evidence);
  trace.unseen = Unseen(run.evidence);
  trace.report.runs.push_back(std::move(run));
  return trace;
}

}  // namespace gpustage
