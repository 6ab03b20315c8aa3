// Names that are nearly others: a program that does not read a variable and a path that nothing has
// are answered by silence.
#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/suite/lint.h"

namespace gpustage {
namespace {

const std::vector<std::string>& Variables() {
  static const std::vector<std::string> known = {"CUDA_VISIBLE_DEVICES",
                                                 "CUDA_DEVICE_ORDER",
                                                 "CUDA_HOME",
                                                 "CUDA_PATH",
                                                 "NVIDIA_VISIBLE_DEVICES",
                                                 "NVIDIA_DRIVER_CAPABILITIES",
                                                 "LD_LIBRARY_PATH",
                                                 "LD_PRELOAD",
                                                 "LD_DEBUG",
                                                 "LD_BIND_NOW",
                                                 "OLLAMA_DEBUG",
                                                 "OLLAMA_LLM_LIBRARY",
                                                 "OLLAMA_LIBRARY_PATH",
                                                 "OLLAMA_HOST",
                                                 "OLLAMA_MODELS",
                                                 "OLLAMA_NUM_GPU",
                                                 "OLLAMA_GPU_OVERHEAD",
                                                 "OLLAMA_VULKAN",
                                                 "OLLAMA_NO_CLOUD",
                                                 "OLLAMA_LOAD_TIMEOUT",
                                                 "GGML_BACKEND_PATH",
                                                 "GGML_CUDA_INIT",
                                                 "GGML_VK_VISIBLE_DEVICES",
                                                 "HIP_VISIBLE_DEVICES",
                                                 "ROCR_VISIBLE_DEVICES",
                                                 "HSA_OVERRIDE_GFX_VERSION",
                                                 "GPU_DEVICE_ORDINAL",
                                                 "VK_ICD_FILENAMES",
                                                 "VK_DRIVER_FILES",
                                                 "VK_LOADER_DEBUG",
                                                 "JETSON_JETPACK",
                                                 "HOME",
                                                 "PATH",
                                                 "LANG",
                                                 "TMPDIR",
                                                 "XDG_DATA_DIRS",
                                                 "XDG_DATA_HOME"};
  return known;
}

// How many letters must be put in, left out or changed, or two neighbours exchanged; at most 3.
size_t Apart(const std::string& a, const std::string& b) {
  if (a.size() > b.size() + 2 || b.size() > a.size() + 2) return 3;
  std::vector<std::vector<size_t>> apart(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        apart[i][j] = i + j;
        continue;
      }
      size_t least = std::min(apart[i - 1][j], apart[i][j - 1]) + 1;
      least = std::min(least, apart[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least = std::min(least, apart[i - 2][j - 2] + 1);
      apart[i][j] = least;
    }
  return std::min<size_t>(apart[a.size()][b.size()], 3);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string WithoutDigits(std::string text) {
  std::erase_if(text, IsDigit);
  return text;
}

// The known one that a word nearly is. Two that differ in their numbers are two names.
std::string NearlyOne(const std::string& word, const std::set<std::string>& known) {
  if (word.size() < 5 || known.count(word) != 0) return "";
  for (const std::string& other : known)
    if (Apart(word, other) == 1 && WithoutDigits(word) != WithoutDigits(other)) return other;
  return "";
}

struct Names {
  std::set<std::string> paths;      // of the tree, with all that are above
  std::set<std::string> libraries;  // last names of paths, and of what links and texts say
  std::string text;  // all that a scenario says of files, for a look whether a name is in it
};

void AddPath(const std::string& path, Names& names) {
  names.libraries.insert(path.substr(path.rfind('/') + 1));
  for (std::string at = path; at.size() > 1; at = ParentOf(at))
    if (!names.paths.insert(at).second) break;
}

void AddTree(const std::vector<TreeOp>& tree, Names& names) {
  for (const TreeOp& op : tree) {
    AddPath(std::visit([](const auto& what) { return what.path; }, op.what), names);
    if (const auto* link = std::get_if<SymlinkOp>(&op.what)) {
      AddPath(link->to.starts_with('/') ? link->to : "/" + link->to, names);
    }
    if (const auto* file = std::get_if<WriteFileOp>(&op.what)) names.text += file->content + "\n";
    names.text += ToString(op) + "\n";
  }
}

Names NamesOf(const Case& c) {
  Names names;
  AddTree(c.tree, names);
  for (const RunSpec& run : c.runs) {
    AddTree(run.change, names);
    for (const TimedOp& timed : run.meanwhile) AddTree({timed.op}, names);
    for (const std::string& arg : run.args) names.text += arg + "\n";
    for (const std::string& arg : run.scanner.argv) names.text += arg + "\n";
    for (const EnvVar& variable : run.env) names.text += variable.value.value_or("") + "\n";
  }
  for (const EnvVar& variable : c.env) names.text += variable.value.value_or("") + "\n";
  return names;
}

void LintVariable(const Linted& linted, const EnvVar& variable) {
  if (variable.pos.file != linted.scenario.file) return;
  static const std::set<std::string> known(Variables().begin(), Variables().end());
  if (const std::string near = NearlyOne(variable.name, known); !near.empty())
    linted.Find("near-variable", variable.pos, near);
}

void LintPath(const Linted& linted, const std::string& path, const SourcePos& pos,
              const Names& names) {
  if (!path.starts_with('/')) return;
  if (const std::string near = NearlyOne(path, names.paths); !near.empty())
    linted.Find("near-path", pos, near);
}

void LintPaths(const Linted& linted, const EnvVar& variable, const Names& names) {
  if (!variable.value || variable.pos.file != linted.scenario.file) return;
  const std::string& value = *variable.value;
  for (size_t start = 0; start <= value.size();) {
    const size_t end = std::min(value.find_first_of(":; ", start), value.size());
    LintPath(linted, value.substr(start, end - start), variable.pos, names);
    start = end + 1;
  }
}

// The last name of a library that a claim is about.
void LintLibrary(const Linted& linted, const std::string& library, const SourcePos& pos,
                 const Names& names) {
  if (library.empty()) return;
  if (library.starts_with('/')) LintPath(linted, library, pos, names);
  const std::string name = library.substr(library.rfind('/') + 1);
  if (names.libraries.count(name) != 0) return;
  if (const std::string near = NearlyOne(name, names.libraries); !near.empty())
    linted.Find("near-library", pos, near);
}

void LintClaim(const Linted& linted, const Claim& claim, const Names& names) {
  std::visit(
      [&](const auto& what) {
        if constexpr (requires { what.library; })
          LintLibrary(linted, what.library, claim.pos, names);
        if constexpr (requires { what.path; }) LintPath(linted, what.path, claim.pos, names);
        if constexpr (requires { what.from->size(); })
          if (what.from) LintLibrary(linted, *what.from, claim.pos, names);
      },
      claim.what);
  const auto* lost = std::get_if<LostClaim>(&claim.what);
  const auto* reached = std::get_if<ReachedClaim>(&claim.what);
  const std::string* const row = lost != nullptr      ? &lost->library
                                 : reached != nullptr ? &reached->library
                                                      : nullptr;
  if (row == nullptr) return;
  const std::string name = row->substr(row->rfind('/') + 1);
  const bool there = std::any_of(names.libraries.begin(), names.libraries.end(),
                                 [&](const std::string& l) { return l.ends_with(name); });
  if (!there && names.text.find(name) == std::string::npos)
    linted.Find("strange-library", claim.pos, name);
}

const std::set<std::string> kRoles = {"ollama serve", "ollama runner", "llama-server",
                                      "serve",        "runner",        "gpu-discover"};

void LintProcess(const Linted& linted, const Claim& claim) {
  std::visit(
      [&](const auto& what) {
        const auto look = [&](const std::string& role) {
          if (const std::string near = NearlyOne(role, kRoles); !near.empty())
            linted.Find("near-process", claim.pos, near);
        };
        if constexpr (requires { what.in->size(); })
          if (what.in) look(*what.in);
        if constexpr (requires { what.role.size(); }) look(what.role);
      },
      claim.what);
}

// A fault that is for one process alone, and for none that there is.
void LintFault(const Linted& linted, const FaultSpec& fault) {
  if (fault.process_has.empty()) return;
  if (const std::string near = NearlyOne(fault.process_has, kRoles); !near.empty())
    linted.Find("near-process", fault.pos, near);
}

}  // namespace

void LintWords(const Linted& linted) {
  for (const Case& c : linted.cases) {
    const Names names = NamesOf(c);
    for (const FaultSpec& fault : c.machine.faults) LintFault(linted, fault);
    for (const EnvVar& variable : c.env) {
      LintVariable(linted, variable);
      LintPaths(linted, variable, names);
    }
    for (const RunSpec& run : c.runs) {
      for (const EnvVar& variable : run.env) {
        LintVariable(linted, variable);
        LintPaths(linted, variable, names);
      }
      for (const std::string& arg : run.args) LintPath(linted, arg, run.pos, names);
    }
    for (const Expectation& expectation : c.expect)
      for (const Claim& claim : expectation.claims) {
        LintClaim(linted, claim, names);
        LintProcess(linted, claim);
      }
  }
}

}  // namespace gpustage
