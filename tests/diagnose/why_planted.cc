// Machines with two causes: two faults, drawn by seed, are planted in a healthy machine of Ollama.
// `why` must name both.
//
//   why_planted [COUNT] [SEED] [JOBS]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>

#include "harness/base/files.h"
#include "harness/diagnose/why.h"
#include "harness/scenario/read/scenario.h"
#include "harness/suite/installation.h"

namespace gpustage {
namespace {

constexpr double kBar = 0.90;
constexpr char kOllama[] = "/usr/local/lib/ollama/";

struct Fault {
  std::string subject;  // a path or a variable
  std::function<void(FlatCase&)> plant;
};

Fault Gone(const std::string& path) {
  return {path, [path](FlatCase& flat) { ErasePath(flat.tree, path); }};
}

Fault Mode(const std::string& path, FileMode mode, bool directory = false) {
  return {path, [=](FlatCase& flat) {
            FlatEntry& entry = flat.tree[path];
            if (directory) entry.kind = FlatEntry::Kind::kDirectory;
            entry.mode = mode;
          }};
}

Fault Text(const std::string& path, const std::string& text) {
  return {path, [=](FlatCase& flat) {
            FlatEntry entry;
            entry.text = text;
            flat.tree[path] = entry;
          }};
}

Fault Variable(const std::string& name, const std::string& value) {
  return {name, [=](FlatCase& flat) { flat.c.env.push_back({name, value, {}}); }};
}

Fault ClosedNode(const std::string& name) {
  return {"/dev/" + name, [name](FlatCase& flat) {
            FlatEntry entry;
            entry.text = "gpustage node " + name + "\n";
            entry.mode = 0600;
            flat.tree["/dev/" + name] = entry;
          }};
}

std::vector<Fault> AllFaults() {
  const std::string cuda = std::string(kOllama) + "cuda_v12/";
  const std::string driver = "/usr/lib/x86_64-linux-gnu/";
  return {Gone(cuda + "libcudart.so.12"),
          Gone(cuda + "libcublas.so.12"),
          Gone(cuda + "libcublasLt.so.12"),
          Gone(std::string(kOllama) + "libggml-base.so.0"),
          Gone(driver + "libcuda.so.1"),
          Gone(cuda + "libggml-cuda.so"),
          Mode(std::string(kOllama) + "cuda_v12", 0711, true),
          Mode(cuda + "libcublas.so.12.8.4.1", 0600),
          Mode(driver + "libcuda.so.580.159.04", 0600),
          Text(cuda + "libcudart.so.12.8.90", ""),
          Text(cuda + "libcublasLt.so.12.8.4.1", "version https://git-lfs.github.com/spec/v1\n"),
          Variable("CUDA_VISIBLE_DEVICES", ""),
          Variable("TMPDIR", "/nowhere"),
          Variable("OLLAMA_LLM_LIBRARY", "cpu"),
          ClosedNode("nvidiactl"),
          ClosedNode("nvidia-uvm")};
}

// A library by any of its names.
std::string Family(const std::string& path) {
  const std::string name = BaseNameOf(path);
  return path.starts_with('/') ? name.substr(0, name.find(".so")) : path;
}

bool Names(const WhyReport& report, const Fault& fault) {
  if (report.answers.empty()) return false;
  const auto& changes = report.answers.front().changes;
  return std::any_of(changes.begin(), changes.end(), [&](const Intervention& change) {
    const std::string& subject = change.subject;  // several nodes at once end in '*'
    return Family(subject) == Family(fault.subject) ||
           (subject.ends_with('*') &&
            fault.subject.starts_with(subject.substr(0, subject.size() - 1)));
  });
}

Result<FlatCase> Healthy(const ProposalContext& knowledge, CaseRunner& runner) {
  TRY(const ScratchDirectory scratch, ScratchDirectory::Make());
  const std::string file = scratch.path() + "/s.yaml";
  TRY(WriteFile(file,
                "claim: it is healthy\nmachine: {devices: [h100-80gb]}\n"
                "layout: [nvidia-driver-debian, ollama-cuda-12]\nuser: ollama\n"
                "runs: [{scanner: ollama-model}]\nexpect: [{devices: 1}]\n"));
  TRY(const std::vector<Case> cases, LoadCases(file, FindCatalog({})));
  return Flatten(cases.front(), 0, knowledge.packages.images(), runner);
}

Result<int> Run(size_t count, unsigned seed, int jobs) {
  TRY(const Workspace workspace, Workspace::Enter(ProbeIsolation(), false));
  CaseRunner runner(workspace, FindRecorders(), false);
  TRY(const ProposalContext knowledge, ProposalContext::Read(FindCatalog({})));
  TRY(const FlatCase healthy, Healthy(knowledge, runner));
  const std::vector<Fault> faults = AllFaults();
  std::mt19937 random(seed);
  size_t both = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t one = random() % faults.size();
    const size_t other = (one + 1 + random() % (faults.size() - 1)) % faults.size();
    FlatCase flat = healthy;
    faults[one].plant(flat);
    faults[other].plant(flat);
    WhyOptions options;
    options.jobs = jobs;
    options.weigh = false;
    options.most_answers = 1;
    TRY(const WhyReport report, Why(flat, knowledge, runner, options));
    const bool named = Names(report, faults[one]) && Names(report, faults[other]);
    both += named ? 1 : 0;
    std::string words;
    if (!report.answers.empty())
      for (const Intervention& change : report.answers.front().changes)
        words += (words.empty() ? "" : ", and ") + ToString(change);
    fmt::print("{}  {:3} starts  {} and {}: {}\n", named ? "both" : "----", report.starts,
               faults[one].subject, faults[other].subject, words);
    std::fflush(stdout);
  }
  const double share = static_cast<double>(both) / static_cast<double>(count);
  fmt::print("both causes named in {} of {}, {:.0f} %   bar {:.0f} %\n", both, count, 100 * share,
             100 * kBar);
  return share >= kBar ? 0 : 1;
}

}  // namespace
}  // namespace gpustage

int main(int argc, char** argv) {
  const auto number = [&](int at, int usual) { return argc > at ? std::atoi(argv[at]) : usual; };
  const gpustage::Result<int> status = gpustage::Run(
      static_cast<size_t>(number(1, 30)), static_cast<unsigned>(number(2, 1)), number(3, 2));
  if (status) return *status;
  fmt::print("{}\n", status.error().message);
  return 77;
}
