#include "harness/evidence/path/failed_load.h"

#include <elf.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

#include "harness/base/files.h"
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
  Reason reason;
};

// What is wrong with a file, from its first bytes; none for a 64-bit x86-64 ELF file that can be
// read.
std::optional<Fault> FaultOf(const DlopenAnswer& answer, int uid) {
  const std::string& path = answer.path;
  if (answer.open_error == EACCES)
    return Fault{
        Cause::kUnreadable,
        {.kind = answer.kind == '?' ? Reason::Kind::kUnreachable : Reason::Kind::kUnreadable,
         .subject = path,
         .uid = uid}};
  if (answer.kind == '?') return std::nullopt;
  if (answer.kind == 'l' && answer.open_error == ENOENT)
    return Fault{Cause::kUnopenable, {Reason::Kind::kDangling, path}};
  if (answer.open_error != 0)
    return Fault{Cause::kUnopenable,
                 {.kind = Reason::Kind::kUnopenable, .subject = path, .error = answer.open_error}};
  if (answer.kind == 'd') return Fault{Cause::kNotElf, {Reason::Kind::kDirectory, path}};
  if (answer.size == 0) return Fault{Cause::kTooShort, {Reason::Kind::kEmptyFile, path}};
  const std::string& head = answer.head;
  if (!head.starts_with(ELFMAG)) {
    const bool pointer = head.starts_with("version https://git-lfs");
    return Fault{Cause::kNotElf,
                 {.kind = pointer ? Reason::Kind::kLfsPointer : Reason::Kind::kNoElf,
                  .subject = path,
                  .text = head.substr(0, std::min<size_t>(head.find('\n'), 24))}};
  }
  if (head.size() < sizeof(Elf64_Ehdr))
    return Fault{Cause::kTooShort,
                 {.kind = Reason::Kind::kCutShort,
                  .subject = path,
                  .number = static_cast<int64_t>(answer.size)}};
  if (head[EI_CLASS] != ELFCLASS64)
    return Fault{Cause::kWrongClass, {Reason::Kind::kWrongClass, path}};
  Elf64_Ehdr header;
  std::memcpy(&header, head.data(), sizeof header);
  if (header.e_machine != EM_X86_64)
    return Fault{
        Cause::kWrongMachine,
        {.kind = Reason::Kind::kWrongMachine, .subject = path, .number = header.e_machine}};
  return std::nullopt;
}

bool IsPlainPlace(const std::string& path) {
  return path.starts_with('/') && path.find("/glibc-hwcaps/") == std::string::npos &&
         path.find("/tls/") == std::string::npos;
}

// Of two version nodes, whether but their numbers differ.
bool IsSameName(const std::string& one, const std::string& other) {
  const auto name = [](const std::string& node) {
    return node.substr(0, node.find_first_of("0123456789"));
  };
  return name(one) == name(other);
}

class Explanation {
 public:
  Explanation(const Evidence& evidence, const std::vector<DlopenAnswer>& answers, int uid,
              FunnelRow& row)
      : answers_(answers),
        gaps_(evidence.linkage.gaps),
        events_(evidence.events),
        uid_(uid),
        row_(row),
        needs_(row.needs),
        ask_(AskFor(evidence, row)),
        was_mapped_(FactsOf(evidence, row.library, row.pid).loaded != 0) {}

  void Explain() {
    const DlopenAnswer* const own = AnswerFor(row_.library);
    if (own->signal != 0) return Killed(own->signal);
    if (own->exit_code != 0)
      return Set(Cause::kLoadKills, {.kind = Reason::Kind::kEndsProcess, .number = own->exit_code});
    if (own->load_error.empty()) return Loads();
    // The program that asks says so, not ld.so.
    if (own->load_error.starts_with("dlopen gave nothing"))
      return Set(
          Cause::kNotLoadable,
          {.kind = Reason::Kind::kSaysNotLoaded, .subject = row_.library, .text = own->load_error});
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
    Set(Cause::kNotLoadable, {Reason::Kind::kRefused, row_.library});
  }

  const DlopenAnswer* AnswerFor(const std::string& path) const {
    for (const DlopenAnswer& answer : answers_)
      if (answer.path == path) return &answer;
    return nullptr;
  }

  void Set(Cause cause, Reason reason) {
    row_.loss->cause = cause;
    row_.loss->reason = std::move(reason);
    row_.loss->known = Known::kAsked;
  }

  void Killed(int signal) {
    Set(Cause::kLoadKills, {.kind = Reason::Kind::kKillsProcess, .signal = signal});
  }

  bool IsBare() const { return row_.library.find('/') == std::string::npos; }

  // How ld.so's search for a name ended: nothing could be opened, or it stopped at a file.
  enum class SearchEnd { kNowhere, kRefused };
  static SearchEnd EndOf(const std::string& says) {
    return says.starts_with("cannot open") ? SearchEnd::kNowhere : SearchEnd::kRefused;
  }

  // A name that was looked for: nowhere, or the file that was found is the fault.
  void Bare(SearchEnd end) {
    for (const Tried& tried : ask_.tried) {
      const DlopenAnswer* const answer = AnswerFor(tried.path);
      const auto fault = answer == nullptr ? std::nullopt : FaultOf(*answer, uid_);
      if (fault)
        return Set(fault->cause, {.kind = Reason::Kind::kUnfit,
                                  .subject = row_.library,
                                  .rule = tried.rule,
                                  .below = {fault->reason}});
    }
    // The search ends at what is refused.
    if (end == SearchEnd::kRefused && !ask_.tried.empty())
      return Set(Cause::kNotLoadable, {.kind = Reason::Kind::kFoundRefused,
                                       .subject = row_.library,
                                       .other = ask_.tried.back().path,
                                       .rule = ask_.tried.back().rule});
    if (!row_.loss->reason.empty()) return;
    Set(Cause::kNotFound,
        {.kind = Reason::Kind::kNotFound, .subject = row_.library, .places = PlacesOf(ask_)});
  }

  // No backend need be asked for a function by name.
  void NothingWanted() {
    row_.loss.reset();
    row_.reached = Step::kLoaded;
    StepState& loaded = row_.steps[Step::kLoaded].state;
    if (loaded == StepState::kDidNotHappen) loaded = StepState::kDerived;
    row_.remark = {Reason::Kind::kAskedNothing};
  }

  void Loads() {
    // Whoever asks again asks ld.so.cache, which a loader of the program's own did not.
    if (IsBare() && !was_mapped_ && !ask_.tried.empty()) return Bare(SearchEnd::kNowhere);
    if (row_.family != Family::kBackend && row_.family != Family::kNone) return NothingWanted();
    if (row_.loss->cause == Cause::kLoadKills) return;
    row_.steps[Step::kLoaded].state = StepState::kDerived;
    row_.steps[Step::kEntryPoint].state = StepState::kDidNotHappen;
    row_.loss->at = Step::kEntryPoint;
    row_.reached = Step::kLoaded;
    Set(Cause::kNoEntryPoint,
        {was_mapped_ ? Reason::Kind::kClosedUnused : Reason::Kind::kLoadsWhenAsked});
  }

  const Need* NeedNamed(const std::string& object) const {
    for (auto need = needs_.rbegin(); need != needs_.rend(); ++need)
      if (need->name == object || (!need->found.empty() && need->found == object) ||
          BaseNameOf(need->name) == BaseNameOf(object))
        return &*need;
    return nullptr;
  }

  // Who wants it, and whose need that is.
  Reason Wanted(const Need& need, Reason::Kind kind) const {
    const std::string requester = need.requester.empty() ? row_.library : need.requester;
    const bool own = LexicallyNormal(requester) == row_.library;
    return {.kind = kind,
            .subject = BaseNameOf(need.name),
            .other = own ? "" : BaseNameOf(row_.library),
            .requester = requester};
  }

  void BadFile(const std::string& object, const std::string& what) {
    if (IsBare() && BaseNameOf(object) == row_.library) return Bare(EndOf(what));
    if (LexicallyNormal(object) == row_.library) {
      const auto fault = FaultOf(*AnswerFor(row_.library), uid_);
      if (fault) return Set(fault->cause, fault->reason);
      return Set(what == "file too short" ? Cause::kTooShort : Cause::kNotLoadable,
                 {Reason::Kind::kRefused, row_.library});
    }
    const Need* const need = NeedNamed(object);
    if (need == nullptr) return Set(Cause::kBadDependency, {Reason::Kind::kRefusedNeed, object});
    row_.event = need->event;
    // A file of another class or machine is passed over and the search goes on; any other fault
    // ends it.
    const bool went_on = EndOf(what) == SearchEnd::kNowhere || what.starts_with("wrong ELF class");
    std::vector<Tried> places = need->tried;
    if (!went_on) std::reverse(places.begin(), places.end());
    for (const Tried& tried : places) {
      const DlopenAnswer* const answer = AnswerFor(tried.path);
      const auto fault = answer == nullptr ? std::nullopt : FaultOf(*answer, uid_);
      if (!fault) continue;
      Reason reason = Wanted(*need, Reason::Kind::kNeedUnfit);
      reason.rule = tried.rule;
      reason.below = {fault->reason};
      return Set(Cause::kBadDependency, std::move(reason));
    }
    const bool nowhere = what.starts_with("cannot open shared object file");
    Reason reason =
        Wanted(*need, nowhere ? Reason::Kind::kNeedNotFound : Reason::Kind::kNeedRefused);
    if (nowhere)
      reason.places = PlacesOf(*need);
    else
      reason.text = what;
    Set(nowhere ? Cause::kMissingDependency : Cause::kBadDependency, std::move(reason));
  }

  void MissingSymbol(const std::string& object, const std::string& symbol,
                     const std::string& version) {
    Provider(Cause::kMissingSymbol, ProviderName(symbol, version),
             {.kind = Reason::Kind::kSymbolMissing,
              .subject = symbol,
              .requester = object,
              .version = version});
  }

  void MissingVersion(const std::string& provider, const std::string& version,
                      const std::string& requester) {
    Provider(Cause::kMissingVersion, BaseNameOf(provider),
             {.kind = Reason::Kind::kVersionMissing,
              .subject = BaseNameOf(provider),
              .requester = requester,
              .version = version,
              .text = NewestOf(BaseNameOf(provider), version)});
  }

  std::string NewestOf(const std::string& provider, const std::string& version) const {
    for (const Gap& gap : gaps_)
      if (gap.pid == row_.pid && BaseNameOf(gap.provider) == provider && !gap.versions.empty() &&
          IsSameName(gap.versions.front(), version))
        return gap.newest;
    return "";
  }

  // Who should have had it, where that was taken from, and whether another copy lies elsewhere.
  void Provider(Cause cause, const std::string& name, Reason reason) {
    const Need* provider = nullptr;
    for (const Need& need : needs_)
      if (!name.empty() && !need.found.empty() && BaseNameOf(need.name).starts_with(name))
        provider = &need;
    if (provider == nullptr) return Loaded(cause, name, std::move(reason));
    reason.other = provider->found;
    reason.rule = provider->rule;
    if (cause == Cause::kMissingSymbol) reason.text = other_version_;
    row_.event = provider->event;
    const DlopenAnswer* const winner = AnswerFor(provider->found);
    for (const DlopenAnswer& other : answers_) {
      if (BaseNameOf(other.path) != BaseNameOf(provider->name) || other.kind != 'f' ||
          winner == nullptr || other.inode == winner->inode)
        continue;
      reason.names = {other.path};
      return Set(Cause::kPartialLibrary, std::move(reason));
    }
    Set(cause, std::move(reason));
  }

  // Nobody asked for it anew: it was loaded before, as what the program is linked to is.
  void Loaded(Cause cause, const std::string& name, Reason reason) {
    for (const Event& event : events_) {
      if (name.empty() || event.kind != EventKind::kLoad || event.pid != row_.pid ||
          !BaseNameOf(event.subject).starts_with(name))
        continue;
      reason.other = event.subject;
      reason.rule = event.found_by;
      if (cause == Cause::kMissingSymbol) reason.text = other_version_;
      row_.event = event.id;
      return Set(cause, std::move(reason));
    }
    reason.text.clear();
    Set(cause, std::move(reason));
  }

  const std::vector<DlopenAnswer>& answers_;
  const std::vector<Gap>& gaps_;
  const std::vector<Event>& events_;
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

void ExplainFailedLoad(const Evidence& evidence, const std::vector<DlopenAnswer>& answers, int uid,
                       FunnelRow& row) {
  Explanation(evidence, answers, uid, row).Explain();
}

}  // namespace gpustage
