#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/evidence/path/row_facts.h"

namespace gpustage {
namespace {

// The first event after `after` that says so of this path; 0: none.
template <typename Is>
EventId FirstThatSays(const Evidence& evidence, const std::string& path, EventId after, Is is) {
  for (const Event& event : evidence.events)
    if (event.id > after && is(event) && LexicallyNormal(event.subject) == path) return event.id;
  return 0;
}

// The first listing of the library's directory, and the first time after it that the library was
// asked for by its name, whoever did so. 0: there is none.
EventId ListingOf(const Evidence& evidence, const std::string& library) {
  return FirstThatSays(evidence, ParentOf(library), 0,
                       [](const Event& event) { return event.kind == EventKind::kList; });
}

EventId NamingOf(const Evidence& evidence, const std::string& library, EventId listing) {
  return FirstThatSays(evidence, library, listing, [](const Event& event) {
    return event.kind == EventKind::kLook || event.kind == EventKind::kOpen ||
           (event.kind == EventKind::kSearch && event.first_name);
  });
}

bool Happened(StepState state) { return state == StepState::kSeen || state == StepState::kDerived; }

// Whoever knows a name lists no directory for it; that is seen, not derived.
void SeeSteps(const Evidence& evidence, FunnelRow& row) {
  EventId listing = ListingOf(evidence, row.library);
  // What was listed later led nobody to it.
  const EventId opened = row.steps[Step::kOpened].event;
  if (opened != 0 && listing > opened) listing = 0;
  StepSeen& listed = row.steps[Step::kListed];
  StepSeen& matched = row.steps[Step::kMatched];
  if (listing == 0) {
    for (StepSeen* const step : {&listed, &matched})
      if (step->state == StepState::kDerived) step->state = StepState::kNotNeeded;
    return;
  }
  if (Happened(listed.state) || listed.state == StepState::kNotObservable)
    listed = {StepState::kSeen, listing};
  const EventId naming = NamingOf(evidence, row.library, listing);
  if (naming == 0 || !Happened(matched.state)) return;
  matched = {StepState::kSeen, naming};
}

// By whoever looks for backends: what ld.so tries there for another name is no such look.
bool WasListed(const Evidence& evidence, const std::string& directory) {
  return std::any_of(evidence.events.begin(), evidence.events.end(), [&](const Event& event) {
    return event.kind == EventKind::kList &&
           (IsSamePath(event.subject, directory) || IsSamePath(event.subject, ParentOf(directory)));
  });
}

}  // namespace

void DropWhatIsNoLoss(Evidence& evidence) {
  const std::vector<FunnelRow> rows = evidence.funnel;
  // A program asks for "libvulkan.so" and then for "libvulkan.so.1".
  const auto other_name = [&](const FunnelRow& lost) {
    const std::string name = BaseNameOf(lost.library);
    const std::string stem = name.substr(0, name.find(".so") + 3);
    return lost.cause() == Cause::kNotFound &&
           std::any_of(rows.begin(), rows.end(), [&](const FunnelRow& other) {
             return other.pid == lost.pid && BaseNameOf(other.library) != name &&
                    BaseNameOf(other.library).starts_with(stem) && other.reached >= Step::kLoaded;
           });
  };
  const bool others_asked = std::any_of(rows.begin(), rows.end(), [](const FunnelRow& row) {
    return row.pid != 0 && row.family != Family::kBackend && row.family != Family::kNone;
  });
  const bool backend_asked = std::any_of(rows.begin(), rows.end(), [](const FunnelRow& row) {
    return row.pid != 0 && row.family == Family::kBackend;
  });
  const auto unwanted = [&](const FunnelRow& row) {
    return others_asked && !backend_asked && row.pid == 0 && row.family == Family::kBackend &&
           evidence.files_observed && !WasListed(evidence, ParentOf(row.library));
  };
  std::erase_if(evidence.funnel,
                [&](const FunnelRow& row) { return other_name(row) || unwanted(row); });
}

bool WasNear(const Evidence& evidence, const std::string& directory) {
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kOpen && event.kind != EventKind::kLook &&
        event.kind != EventKind::kList && event.kind != EventKind::kSearch)
      continue;
    if (IsSamePath(event.subject, directory) || event.subject.starts_with(directory + "/"))
      return true;
    if ((event.kind == EventKind::kList || event.kind == EventKind::kOpen) &&
        IsSamePath(event.subject, ParentOf(directory)))
      return true;
  }
  return false;
}

void SeeListing(Evidence& evidence) {
  if (!evidence.files_observed) return;
  for (FunnelRow& row : evidence.inner) SeeSteps(evidence, row);
  for (FunnelRow& row : evidence.funnel) {
    SeeSteps(evidence, row);
    const std::string directory = ParentOf(row.library);
    const EventId listing = ListingOf(evidence, row.library);
    if (row.lost_at() == Step::kListed) {
      // Who could not list it was told so.
      const EventId refused = FirstThatSays(evidence, directory, 0, [](const Event& event) {
        return event.kind == EventKind::kOpen && event.value > 0;
      });
      const EventId hidden =
          refused != 0 ? refused
                       : FirstThatSays(evidence, ParentOf(directory), 0, [](const Event& event) {
                           return event.kind == EventKind::kOpen && event.value > 0;
                         });
      if (hidden != 0) row.event = hidden;
    } else if (row.lost_at() == Step::kMatched && listing != 0 &&
               row.event == evidence.outcome_event()) {
      row.event = listing;
    }
  }
}

}  // namespace gpustage
