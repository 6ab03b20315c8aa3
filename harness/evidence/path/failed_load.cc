#include "harness/evidence/path/failed_load.h"

#include <elf.h>
#include <fmt/format.h>
#include <re2/re2.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/row_facts.h"

namespace gpustage {
namespace {

constexpr const char* kDefaultDirectories[] = {"/lib/x86_64-linux-gnu",
                                               "/usr/lib/x86_64-linux-gnu",
                                               "/lib64",
                                               "/usr/lib64",
                                               "/lib",
                                               "/usr/lib"};

struct Fault {
  Cause cause;
  std::string text;
};

std::string MachineName(unsigned machine) {
  switch (machine) {
    case EM_AARCH64: return "aarch64";
    case EM_386: return "32-bit x86";
    case EM_ARM: return "arm";
    case EM_PPC64: return "ppc64";
    case EM_RISCV: return "riscv";
    default: return fmt::format("ELF machine {}", machine);
  }
}

// What is wrong with a file, from its first bytes; none for a 64-bit x86-64 ELF file that can be
// read.
std::optional<Fault> FaultOf(const Answer& answer, int uid) {
  const std::string& path = answer.path;
  if (answer.open_error == EACCES)
    return Fault{Cause::kUnreadable, fmt::format("uid {} may not {} {}: Permission denied", uid,
                                                 answer.kind == '?' ? "reach" : "read", path)};
  if (answer.kind == '?') return std::nullopt;
  if (answer.kind == 'l' && answer.open_error == ENOENT)
    return Fault{Cause::kUnopenable, path + " is a link that ends at nothing"};
  if (answer.open_error != 0)
    return Fault{Cause::kUnopenable,
                 fmt::format("{} cannot be opened: {}", path, std::strerror(answer.open_error))};
  if (answer.kind == 'd') return Fault{Cause::kNotElf, path + " is a directory"};
  if (answer.size == 0) return Fault{Cause::kTooShort, path + " is empty"};
  const std::string& head = answer.head;
  if (!head.starts_with(ELFMAG)) {
    const bool pointer = head.starts_with("version https://git-lfs");
    const std::string shown = head.substr(0, std::min<size_t>(head.find('\n'), 24));
    return Fault{Cause::kNotElf,
                 fmt::format("{} is no ELF file{}: it begins with {}", path,
                             pointer ? " but the pointer that git-lfs leaves in place of one" : "",
                             Quote(shown))};
  }
  if (head.size() < sizeof(Elf64_Ehdr))
    return Fault{Cause::kTooShort, fmt::format("{} ends after {} bytes", path, answer.size)};
  if (head[EI_CLASS] != ELFCLASS64) return Fault{Cause::kWrongClass, path + " is a 32-bit library"};
  Elf64_Ehdr header;
  std::memcpy(&header, head.data(), sizeof header);
  if (header.e_machine != EM_X86_64)
    return Fault{Cause::kWrongMachine,
                 fmt::format("{} is built for {}, which ld.so passes over without saying so", path,
                             MachineName(header.e_machine))};
  return std::nullopt;
}

bool IsPlainPlace(const std::string& path) {
  return path.starts_with('/') && path.find("/glibc-hwcaps/") == std::string::npos &&
         path.find("/tls/") == std::string::npos;
}

class Explanation {
 public:
  Explanation(const Evidence& evidence, const std::vector<Answer>& answers, int uid, FunnelRow& row)
      : answers_(answers),
        uid_(uid),
        row_(row),
        needs_(row.needs),
        ask_(AskFor(evidence, row)),
        was_mapped_(FactsOf(evidence, row.library, row.pid).loaded != 0) {}

  void Explain() {
    const Answer* const own = AnswerFor(row_.library);
    if (own->signal != 0) return Killed(own->signal);
    if (own->exit_code != 0)
      return Set(
          Cause::kLoadKills,
          fmt::format("loading it ends the process with exit status {}, by the hand of ld.so",
                      own->exit_code));
    if (own->load_error.empty()) return Loads();
    // The program that asks says so, not ld.so.
    if (own->load_error.starts_with("dlopen gave nothing"))
      return Set(Cause::kNotLoadable,
                 fmt::format("{} is not loaded: {}", row_.library, own->load_error));
    std::string says = own->load_error;
    if (std::string start;
        RE2::FullMatch(says, R"((.*) \[it is there in version (.*)\])", &start, &other_version_))
      says = start;
    Refused(says);
    row_.loss->loader_says = says;  // the words that people look for
  }

 private:
  void Refused(const std::string& says) {
    std::string object, what, version;
    if (RE2::FullMatch(says, R"((.*): undefined symbol: (\S+?)(?:, version (\S+))?)", &object,
                       &what, &version))
      return MissingSymbol(object, what, version);
    if (RE2::FullMatch(says, R"((.*): version `(\S+)' not found \(required by (.*)\))", &object,
                       &version, &what))
      return MissingVersion(object, version, what);
    if (RE2::FullMatch(says, R"((.*?): (.*))", &object, &what)) return BadFile(object, what);
    Set(Cause::kNotLoadable, fmt::format("ld.so refuses {}", row_.library));
  }

  const Answer* AnswerFor(const std::string& path) const {
    for (const Answer& answer : answers_)
      if (answer.path == path) return &answer;
    return nullptr;
  }

  void Set(Cause cause, std::string reason) {
    row_.loss->cause = cause;
    row_.loss->reason = std::move(reason);
    row_.loss->known = Known::kAsked;
  }

  void Killed(int signal) {
    const char* const name = sigabbrev_np(signal);
    Set(Cause::kLoadKills,
        fmt::format("loading it kills the process: SIG{}{}",
                    name != nullptr ? name : std::to_string(signal),
                    signal == SIGBUS ? ", as a file does that was cut short" : ""));
  }

  bool IsBare() const { return row_.library.find('/') == std::string::npos; }

  // A name that was looked for: nowhere, or the file that was found is the fault.
  void Bare(const std::string& what) {
    for (const Tried& tried : ask_.tried) {
      const Answer* const answer = AnswerFor(tried.path);
      const auto fault = answer == nullptr ? std::nullopt : FaultOf(*answer, uid_);
      if (fault)
        return Set(fault->cause, fmt::format("{} was found {}, but {}", row_.library,
                                             ByRule(tried.rule), fault->text));
    }
    // The search ends at what is refused.
    if (!what.starts_with("cannot open") && !ask_.tried.empty())
      return Set(Cause::kNotLoadable,
                 fmt::format("{} was found {}, but ld.so refuses {}", row_.library,
                             ByRule(ask_.tried.back().rule), ask_.tried.back().path));
    if (!row_.loss->reason.empty()) return;
    Set(Cause::kNotFound,
        fmt::format("{} was looked for in {} {} ({}), and was not found", row_.library,
                    ask_.tried.size(), ask_.tried.size() == 1 ? "place" : "places",
                    CountByRule(ask_)));
  }

  // No backend need be asked for a function by name.
  void NothingWanted() {
    row_.loss.reset();
    row_.reached = Step::kLoaded;
    StepState& loaded = row_.steps[Step::kLoaded].state;
    if (loaded == StepState::kDidNotHappen) loaded = StepState::kDerived;
    row_.remark = "the program closed it again and asked nothing of it";
  }

  void Loads() {
    // Whoever asks again asks ld.so.cache, which a loader of the program's own did not.
    if (IsBare() && !was_mapped_ && !ask_.tried.empty()) return Bare("cannot open");
    if (row_.family != Family::kBackend && row_.family != Family::kNone) return NothingWanted();
    if (row_.loss->cause == Cause::kLoadKills) return;
    row_.steps[Step::kLoaded].state = StepState::kDerived;
    row_.steps[Step::kEntryPoint].state = StepState::kDidNotHappen;
    row_.loss->at = Step::kEntryPoint;
    row_.reached = Step::kLoaded;
    Set(Cause::kNoEntryPoint, was_mapped_ ? "it loads, and the scanner closed it again: it found "
                                            "no entry point such as ggml_backend_init in it"
                                          : "it loads when asked again, and the scanner found no "
                                            "entry point such as ggml_backend_init in it");
  }

  const Need* NeedNamed(const std::string& object) const {
    for (auto need = needs_.rbegin(); need != needs_.rend(); ++need)
      if (need->name == object || (!need->found.empty() && need->found == object) ||
          BaseNameOf(need->name) == BaseNameOf(object))
        return &*need;
    return nullptr;
  }

  // "libcublasLt.so.12, needed by /…/libcublas.so.12 (which /…/libggml-cuda.so needs),"
  std::string Wanted(const Need& need) const {
    const std::string requester = need.requester.empty() ? row_.library : need.requester;
    const std::string chain = LexicallyNormal(requester) == row_.library
                                  ? ""
                                  : fmt::format(" (which {} needs)", BaseNameOf(row_.library));
    return fmt::format("{}, needed by {}{}", BaseNameOf(need.name), requester, chain);
  }

  void BadFile(const std::string& object, const std::string& what) {
    if (IsBare() && BaseNameOf(object) == row_.library) return Bare(what);
    if (LexicallyNormal(object) == row_.library) {
      const auto fault = FaultOf(*AnswerFor(row_.library), uid_);
      if (fault) return Set(fault->cause, fault->text);
      return Set(what == "file too short" ? Cause::kTooShort : Cause::kNotLoadable,
                 fmt::format("ld.so refuses {}", row_.library));
    }
    const Need* const need = NeedNamed(object);
    if (need == nullptr)
      return Set(Cause::kBadDependency, fmt::format("ld.so refuses {}, which it needs", object));
    row_.event = need->event;
    // A file of another class or machine is passed over and the search goes on; any other fault
    // ends it.
    const bool went_on = what.starts_with("cannot open") || what.starts_with("wrong ELF class");
    std::vector<Tried> places = need->tried;
    if (!went_on) std::reverse(places.begin(), places.end());
    for (const Tried& tried : places) {
      const Answer* const answer = AnswerFor(tried.path);
      const auto fault = answer == nullptr ? std::nullopt : FaultOf(*answer, uid_);
      if (!fault) continue;
      return Set(Cause::kBadDependency, fmt::format("{}, was found {}, but {}", Wanted(*need),
                                                    ByRule(tried.rule), fault->text));
    }
    if (what.starts_with("cannot open shared object file"))
      return Set(Cause::kMissingDependency,
                 fmt::format("{}, was not found in {} {} ({})", Wanted(*need), need->tried.size(),
                             need->tried.size() == 1 ? "place" : "places", CountByRule(*need)));
    Set(Cause::kBadDependency,
        fmt::format("{}, was found and cannot be loaded: {}", Wanted(*need), what));
  }

  void MissingSymbol(const std::string& object, const std::string& symbol,
                     const std::string& version) {
    const std::string wanted =
        version.empty() ? symbol : fmt::format("{} of version {}", symbol, version);
    Provider(Cause::kMissingSymbol, fmt::format("{} needs {}", object, wanted),
             ProviderName(symbol, version), "it");
  }

  void MissingVersion(const std::string& provider, const std::string& version,
                      const std::string& requester) {
    Provider(Cause::kMissingVersion,
             fmt::format("{} needs the version {} of {}", requester, version, BaseNameOf(provider)),
             BaseNameOf(provider), "that version");
  }

  // Who should have had it, where that was taken from, and whether another copy lies elsewhere.
  void Provider(Cause cause, const std::string& start, const std::string& name,
                const std::string& what) {
    const Need* provider = nullptr;
    for (const Need& need : needs_)
      if (!name.empty() && !need.found.empty() && BaseNameOf(need.name).starts_with(name))
        provider = &need;
    if (provider == nullptr)
      return Set(cause, fmt::format("{}, and no library that was loaded has {}", start, what));
    std::string reason = fmt::format(
        "{}, and {}, found {}, {}", start, provider->found, ByRule(provider->rule),
        other_version_.empty() ? "does not have " + what
                               : fmt::format("has {} in version {} alone", what, other_version_));
    const Answer* const winner = AnswerFor(provider->found);
    for (const Answer& other : answers_) {
      if (BaseNameOf(other.path) != BaseNameOf(provider->name) || other.kind != 'f' ||
          winner == nullptr || other.inode == winner->inode)
        continue;
      row_.event = provider->event;
      return Set(Cause::kPartialLibrary,
                 fmt::format("{}; {} is another one, which comes later and is not looked at",
                             reason, other.path));
    }
    row_.event = provider->event;
    Set(cause, reason);
  }

  const std::vector<Answer>& answers_;
  const int uid_;
  FunnelRow& row_;
  const std::vector<Need> needs_;
  const Need ask_;
  const bool was_mapped_;
  std::string other_version_;  // in which the provider has the symbol
};

}  // namespace

std::string ProviderName(const std::string& symbol, const std::string& version) {
  if (version.starts_with("lib")) return version;
  constexpr std::pair<std::string_view, std::string_view> kPrefixes[] = {
      {"cublasLt", "libcublasLt.so"}, {"cublas", "libcublas.so"},  {"cuda", "libcudart.so"},
      {"__cuda", "libcudart.so"},     {"nvml", "libnvidia-ml.so"}, {"ggml", "libggml-base.so"},
      {"vk", "libvulkan.so"},         {"hip", "libamdhip64.so"},   {"hsa_", "libhsa-runtime64.so"},
      {"rsmi_", "librocm_smi64.so"},  {"cu", "libcuda.so"}};
  for (const auto& [prefix, name] : kPrefixes)
    if (symbol.starts_with(prefix)) return std::string(name);
  return "";
}

std::vector<std::string> PathsToAsk(const Evidence& evidence, const FunnelRow& row) {
  std::vector<std::string> paths = {row.library};
  if (row.pid == 0)
    return {row.library,
            kLookOnly + ParentOf(row.library)};  // the second: whether its parent can be listed
  if (row.library.find('/') == std::string::npos)
    for (const Tried& tried : AskFor(evidence, row).tried)
      if (IsPlainPlace(tried.path)) paths.push_back(kLookOnly + tried.path);
  const std::vector<Need>& needs = row.needs;
  if (needs.empty()) return paths;
  const Need& last = needs.back();
  if (last.found.empty()) {
    for (const Tried& tried : last.tried)
      if (IsPlainPlace(tried.path)) paths.push_back(kLookOnly + tried.path);
    return paths;
  }
  // All was found: then one of them is not what it should be, and there may be a better one.
  std::vector<std::string> directories;
  for (const Need& need : needs)
    for (const Tried& tried : need.tried)
      if (IsPlainPlace(tried.path)) directories.push_back(ParentOf(tried.path));
  directories.insert(directories.end(), std::begin(kDefaultDirectories),
                     std::end(kDefaultDirectories));
  if (const auto list = VariableOf(ProcessOf(evidence, row.pid), "LD_LIBRARY_PATH"))
    for (size_t start = 0; start < list->size();) {
      const size_t end = std::min(list->find(':', start), list->size());
      directories.push_back(list->substr(start, end - start));
      start = end + 1;
    }
  for (const Need& need : needs) {
    if (need.found.empty()) continue;
    paths.push_back(kLookOnly + need.found);
    for (const std::string& directory : directories) {
      const std::string path = kLookOnly + directory + "/" + BaseNameOf(need.name);
      if (directory.starts_with('/') && std::find(paths.begin(), paths.end(), path) == paths.end())
        paths.push_back(path);
    }
  }
  return paths;
}

void ExplainFailedLoad(const Evidence& evidence, const std::vector<Answer>& answers, int uid,
                       FunnelRow& row) {
  Explanation(evidence, answers, uid, row).Explain();
}

}  // namespace gpustage
