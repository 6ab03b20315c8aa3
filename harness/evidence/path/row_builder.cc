#include "harness/evidence/path/row_builder.h"

#include <algorithm>
#include <set>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/chain.h"
#include "harness/evidence/path/death.h"
#include "harness/evidence/path/funnel.h"
#include "harness/evidence/path/row_facts.h"

namespace gpustage {
namespace {

constexpr Step kSteps[] = {Step::kListed,     Step::kMatched,     Step::kOpened,  Step::kLoaded,
                           Step::kEntryPoint, Step::kInitialised, Step::kCounted, Step::kReported};

// Draws the conclusions of one row.
class RowBuilder {
 public:
  RowBuilder(const Evidence& evidence, const std::string& library, int pid)
      : evidence_(evidence), facts_(FactsOf(evidence, library, pid)) {
    row_.library = library;
    row_.pid = pid;
    row_.family = FamilyOfLibrary(BaseNameOf(library));
    row_.stack = stack_ = StackOf(BaseNameOf(library));
    row_.linked = facts_.by_name;
    if (const Need ask = AskFor(evidence, row_); ask.event != 0) row_.rule = ask.rule;
    if (facts_.loaded != 0) row_.file = FileOf(evidence, facts_.loaded);
    row_.needs = NeedsOf(evidence, row_);
    if (const Process* process = ProcessOf(evidence, pid)) row_.role = process->role;
    for (const Step step : kSteps) row_.steps[step] = {};
  }

  FunnelRow Build() {
    See(Step::kOpened, facts_.opened);
    See(Step::kLoaded, facts_.same_as.empty() ? facts_.loaded : facts_.entry);
    See(Step::kEntryPoint, facts_.entry);
    if (!facts_.Touched()) {
      if (evidence_.loader_observed) row_.steps[Step::kOpened].state = StepState::kDidNotHappen;
    } else if (facts_.entry == 0) {
      Loading();
    } else {
      Asking();
    }
    if (StateOf(Step::kCounted) == StepState::kSeen ||
        StateOf(Step::kInitialised) == StepState::kSeen)
      Reported();
    Settle();
    return row_;
  }

 private:
  StepState StateOf(Step step) const { return row_.steps.at(step).state; }

  void See(Step step, EventId id) {
    if (id == 0) return;
    row_.steps[step] = {StepState::kSeen, id};
    row_.event = std::max(row_.event, id);
  }

  void Lose(Step step, Cause cause, Reason reason, EventId event = 0, Known known = Known::kSeen) {
    row_.steps[step].state = StepState::kDidNotHappen;
    loss_.cause = cause;
    loss_.reason = std::move(reason);
    loss_.known = known;
    if (event != 0) row_.event = event;
  }

  // It was asked for, and got no entry point. What is wrong with the file, the system is asked
  // later.
  void Loading() {
    if (facts_.loaded == 0) {
      Reason reason = NotFound();
      return Lose(Step::kLoaded, loss_.cause, std::move(reason), row_.event);
    }
    if (facts_.missed != 0) return Missed();
    if (row_.linked || !IsOfBackend() || LibraryGivenToLoader(evidence_, row_.pid) == row_.library)
      return LoadedOnly();
    if (facts_.closed != 0) return Lose(Step::kLoaded, Cause::kUnknown, MissingDependency());
    // A process that ends in order unloads what it had. One that did not was stopped in the middle
    // of the load.
    if (!facts_.ended)
      return Lose(Step::kLoaded, Cause::kLoadKills, {Reason::Kind::kLoadCutShort}, 0,
                  Known::kDerived);
    Lose(Step::kEntryPoint, Cause::kNoEntryPoint, {Reason::Kind::kNoEntryPoint});
  }

  bool IsOfBackend() const {
    return row_.family == Family::kBackend || row_.family == Family::kNone;
  }

  // What this library lacks, or one of a GPU below it; none when it is nothing or another one's:
  // what a process lacks elsewhere is not this one's loss. Behind it the loader may have gone on,
  // as for ldd.
  std::optional<Need> OwnLack() const {
    std::set<std::string> below = {row_.library};
    for (const Need& need : row_.needs) {
      const std::string by = LexicallyNormal(need.requester);
      const bool own =
          need.requester.empty() || below.contains(by) || IsSamePath(need.requester, row_.library);
      if (!own) continue;
      if (!need.found.empty()) {
        below.insert(LexicallyNormal(need.found));
        continue;
      }
      if (need.requester.empty() || IsSamePath(need.requester, row_.library) ||
          FamilyOfLibrary(BaseNameOf(by)) != Family::kNone)
        return need;
    }
    return std::nullopt;
  }

  void NothingMoreWanted() {
    unasked_ = true;
    for (const Step step : {Step::kEntryPoint, Step::kInitialised, Step::kCounted, Step::kReported})
      row_.steps[step].state = StepState::kDidNotHappen;
  }

  // What is linked, or is no backend, need not be asked for a function by name.
  void LoadedOnly() {
    const bool given = LibraryGivenToLoader(evidence_, row_.pid) == row_.library;
    const std::optional<Need> lack = OwnLack();
    if (lack && (given || (!facts_.ended && !facts_.went_on)))
      return Lose(Step::kLoaded, Cause::kMissingDependency, MissingDependency(*lack), row_.event);
    if (given) return NothingMoreWanted();
    if (NobodyStarted()) return;
    if (facts_.closed != 0 && !facts_.went_on)
      return Lose(Step::kLoaded, Cause::kUnknown, MissingDependency());
    const Process* const process = ProcessOf(evidence_, row_.pid);
    if (!facts_.ended && !facts_.went_on && facts_.loaded + 1 < evidence_.outcome_event() &&
        process != nullptr && process->exit_status != 127 &&
        (!OnlyLoads(row_.family) || (!process->end.empty() && !process->exit_status)))
      return Lose(Step::kLoaded, Cause::kLoadKills, {Reason::Kind::kLoadCutShort}, 0,
                  Known::kDerived);
    NothingMoreWanted();
  }

  // Vulkan's loader was there, no driver of it was started, and no device was found.
  bool NobodyStarted() {
    const bool vulkan = stack_ == Family::kVulkanLoader &&
                        (facts_.entry != 0 || row_.linked || !IsOfBackend()) && facts_.went_on &&
                        facts_.initialised == 0;
    if (!vulkan || !MayHave(evidence_.setting, stack_) || evidence_.device_count.value_or(1) != 0)
      return false;
    Lose(Step::kInitialised, Cause::kNeverAsked, {Reason::Kind::kNoVulkanDriver}, row_.event,
         Known::kDerived);
    return true;
  }

  Reason NotFound() {
    const Need ask = AskFor(evidence_, row_);
    if (ask.event == 0) return {};
    if (row_.library.find('/') != std::string::npos)
      return IsOfBackend() ? Reason()
                           : NotOpened();  // a backend's file is asked about after the run
    loss_.cause = Cause::kNotFound;
    row_.event = ask.event;
    return {.kind = Reason::Kind::kNotFound,
            .subject = row_.library,
            .requester = ask.requester,
            .places = PlacesOf(ask)};
  }

  // Asked for by its path, by what the kernel said of that.
  Reason NotOpened() {
    for (const Event& event : evidence_.events)
      if (event.kind == EventKind::kOpen && event.pid == row_.pid && event.value > 0 &&
          IsSamePath(event.subject, row_.library)) {
        row_.event = event.id;
        return {.kind = Reason::Kind::kNotOpened,
                .subject = row_.library,
                .error = static_cast<int>(event.value)};
      }
    return {Reason::Kind::kNotLoaded};
  }

  void Missed() {
    const Event& miss = evidence_.At(facts_.missed);
    Lose(Step::kEntryPoint, Cause::kNoEntryPoint,
         {.kind = Reason::Kind::kSymbolNotThere, .subject = miss.subject}, facts_.missed);
  }

  // The name that was looked for last on behalf of this load, when no file was mapped for it.
  Reason MissingDependency() {
    const std::vector<Need>& needs = row_.needs;
    return needs.empty() || !needs.back().found.empty() ? Reason()
                                                        : MissingDependency(needs.back());
  }
  Reason MissingDependency(const Need& need) {
    row_.event = need.event;
    loss_.cause = Cause::kMissingDependency;
    return {.kind = Reason::Kind::kNeedNotLoaded,
            .subject = BaseNameOf(need.name),
            .requester = need.requester.empty() ? row_.library : need.requester,
            .number = static_cast<int64_t>(need.tried.size())};
  }

  // What the fakes were asked after the entry point was found.
  void Asking() {
    See(Step::kInitialised, facts_.initialised);
    if (facts_.count_error == 0) See(Step::kCounted, facts_.counted);
    if (facts_.null_entry != 0)
      return Lose(Step::kInitialised, Cause::kNullEntryPoint, {Reason::Kind::kNullEntryPoint},
                  facts_.null_entry);
    if (facts_.refused != 0 && facts_.initialised == 0) return Refused();
    if (facts_.missed != 0 && facts_.initialised == 0 && facts_.died == 0) return Missed();
    if (facts_.count_error != 0) return CountError();
    if (facts_.refused != 0 && facts_.counted == 0) return Refused();
    if (facts_.died != 0 && facts_.counted == 0)
      return Died(facts_.initialised == 0 ? Step::kInitialised : Step::kCounted);
    if (facts_.counted != 0) return;
    if (facts_.none != 0)
      return Lose(Step::kCounted, Cause::kNoDevice,
                  {.kind = Reason::Kind::kCountedNone, .subject = Function(facts_.none)},
                  facts_.none);
    if (!IsOfBackend() && (facts_.blind_count == 0 || evidence_.device_count != 0))
      return NobodyStarted() ? void() : NotAsked();
    if (const EventId last = IsOfBackend() ? facts_.initialised : facts_.blind_count; last != 0)
      return Lose(Step::kCounted, Cause::kNoDevice,
                  {.kind = Reason::Kind::kNotAskedAfter, .subject = Function(last)}, last,
                  Known::kDerived);
    if (const SeenDevice* const device = OwnDevice()) return See(Step::kReported, device->event);
    if (facts_.closed != 0 || (facts_.ended && IsBackendName(BaseNameOf(row_.library))))
      Lose(Step::kInitialised, Cause::kNeverAsked,
           {.kind = Reason::Kind::kNeverAsked,
            .subject = stack_ == Family::kRuntime ? "" : std::string(NameOf(stack_))},
           facts_.entry, Known::kDerived);
  }

  // It started, or something of it was looked up, and nobody counted: no step is due that nobody
  // wants.
  void NotAsked() {
    unasked_ = true;
    for (const Step step : {Step::kInitialised, Step::kCounted, Step::kReported})
      if (StateOf(step) == StepState::kNotObservable)
        row_.steps[step].state = StepState::kDidNotHappen;
  }

  std::string Function(EventId id) const { return evidence_.At(id).subject; }

  // A variable that hides all: the code says it, where nobody else can have made it.
  void Failed(Step step, Cause cause, EventId id) {
    const Event& call = evidence_.At(id);
    row_.event = id;
    const bool hidden = (call.value == 100 || call.value == 101) && call.fault.empty() &&
                        MayHave(evidence_.setting, stack_) && !MasksOf(evidence_, row_).empty() &&
                        NodesBelow(evidence_, call).empty();
    Lose(step, hidden ? Cause::kMasked : cause,
         {.kind = Reason::Kind::kGave, .subject = call.subject, .number = call.value}, id,
         hidden ? Known::kDerived : Known::kSeen);
  }

  void Refused() { Failed(Step::kInitialised, Cause::kInitError, facts_.refused); }
  void CountError() { Failed(Step::kCounted, Cause::kCountError, facts_.count_error); }

  Reason OfProcess(Reason::Kind kind) const {
    return {.kind = kind, .who = row_.role, .pid = row_.pid};
  }

  void Died(Step step) {
    Death death = DeathIn(evidence_.At(facts_.died), OfProcess(Reason::Kind::kNone));
    if (step == Step::kReported && death.cause != Cause::kTooOld)
      death.how = {.kind = Reason::Kind::kCountedBefore, .below = {death.how}};
    Lose(step, death.cause, std::move(death.how), facts_.died);
  }

  // What a scanner says of where a device came from: a whole path, or the names of the folders that
  // its process was given, of which the last is the backend's.
  bool IsOurs(const std::string& said) const {
    if (said.starts_with('/'))
      return IsSamePath(said, row_.library) || said == facts_.same_as ||
             IsSamePath(said, ParentOf(row_.library)) ||
             (!row_.file.empty() && IsSamePath(said, row_.file));
    return said.substr(said.rfind(',') + 1) == BaseNameOf(ParentOf(row_.library));
  }

  // One that is reported through this file, whatever its name promised it to ask.
  const SeenDevice* OwnDevice() const {
    if (!evidence_.devices) return nullptr;
    for (const SeenDevice& device : *evidence_.devices)
      if (const auto path = device.fields.find("library_path");
          path != device.fields.end() && path->second.starts_with('/') && IsOurs(path->second))
        return &device;
    return nullptr;
  }

  // A count is a count, whether the scanner names its devices or not.
  void CountReported() {
    if (unasked_ || StateOf(Step::kCounted) != StepState::kSeen) return;
    if (facts_.died != 0) return Died(Step::kReported);
    if (!evidence_.device_count) return;
    if (*evidence_.device_count == 0) return Dropped();
    const bool named = evidence_.devices && !evidence_.devices->empty();
    See(Step::kReported, named ? evidence_.devices->front().event : evidence_.outcome_event());
  }

  void Reported() {
    if (!IsOfBackend()) return CountReported();
    if (!evidence_.devices || StateOf(Step::kInitialised) == StepState::kDidNotHappen ||
        StateOf(Step::kCounted) == StepState::kDidNotHappen)
      return;
    // A child of Ollama's second pass has one device only.
    const Process* const process = ProcessOf(evidence_, row_.pid);
    const auto mask = VariableOf(process, "GGML_CUDA_INIT")
                          ? VariableOf(process, "CUDA_VISIBLE_DEVICES")
                          : std::nullopt;
    for (const SeenDevice& device : *evidence_.devices) {
      const auto path = device.fields.find("library_path"), uuid = device.fields.find("uuid");
      if (mask && uuid != device.fields.end() && uuid->second != *mask) continue;
      if (path != device.fields.end() && !IsOurs(path->second)) continue;
      if (facts_.died != 0) break;  // another start of it was luckier
      return See(Step::kReported, device.event);
    }
    if (stack_ == Family::kVulkanLoader && !MasksOf(evidence_, row_).empty())
      return Lose(Step::kReported, Cause::kMasked, OfProcess(Reason::Kind::kLeftOut),
                  facts_.last_call, Known::kDerived);
    if (facts_.died != 0) return Died(Step::kReported);
    if (facts_.closed != 0)
      return Lose(Step::kReported, Cause::kOtherApiVersion, OfProcess(Reason::Kind::kClosedCounted),
                  facts_.closed, Known::kDerived);
    Dropped();
  }

  // Why, the last call that failed says, where one did.
  void Dropped() {
    const Event& last = evidence_.At(facts_.late != 0 ? facts_.late : facts_.last_call);
    Reason reason =
        OfProcess(facts_.late == 0 ? Reason::Kind::kDropped : Reason::Kind::kDroppedAfter);
    reason.subject = last.subject;
    if (facts_.late != 0) reason.number = last.value;
    Lose(Step::kReported, Cause::kDropped, std::move(reason), last.id);
  }

  // A step before one that happened has happened too; the first that did not is where the device
  // was lost.
  void Settle() {
    bool later_happened = false;
    for (auto step = std::rbegin(kSteps); step != std::rend(kSteps); ++step) {
      StepState& state = row_.steps[*step].state;
      const bool happened = state == StepState::kSeen || state == StepState::kDerived;
      if (later_happened && !happened) state = StepState::kDerived;
      if (happened && !row_.reached) row_.reached = *step;
      later_happened = later_happened || happened;
    }
    for (const Step step : kSteps)
      if (StateOf(step) == StepState::kDidNotHappen && !unasked_) {
        loss_.at = step;
        row_.loss = std::move(loss_);
        break;
      }
    if (!row_.loss && !facts_.same_as.empty()) {
      if (facts_.inits > 1) row_.odd = Cause::kCountedTwice;
      row_.remark = {
          .kind = facts_.inits > 1 ? Reason::Kind::kCountedTwice : Reason::Kind::kSameFile,
          .subject = facts_.same_as};
    }
    if (row_.event == 0) row_.event = evidence_.outcome_event();
  }

  const Evidence& evidence_;
  const RowFacts facts_;
  FunnelRow row_;
  PathLoss loss_;  // what is to blame, if a step turns out not to have happened
  Family stack_ = Family::kNone;
  bool unasked_ = false;  // the rest was not asked for, so nothing is lost
};

}  // namespace

FunnelRow BuildRow(const Evidence& evidence, const std::string& library, int pid) {
  return RowBuilder(evidence, library, pid).Build();
}

}  // namespace gpustage
