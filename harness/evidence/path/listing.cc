#include <algorithm>

#include "harness/base/files.h"
#include "harness/evidence/path/relate.h"

namespace gpustage {
namespace {

// The first event after `after` that says so of this path; 0: none.
template <typename Is>
EventId First(const Evidence& evidence, const std::string& path, EventId after, Is is) {
  for (const Event& event : evidence.events)
    if (event.id > after && is(event) && LexicallyNormal(event.subject) == path) return event.id;
  return 0;
}

bool Happened(StepState state) { return state == StepState::kSeen || state == StepState::kDerived; }

}  // namespace

EventId ListingOf(const Evidence& evidence, const std::string& library) {
  return First(evidence, ParentOf(library), 0,
               [](const Event& event) { return event.kind == EventKind::kList; });
}

EventId NamingOf(const Evidence& evidence, const std::string& library) {
  return First(evidence, library, ListingOf(evidence, library), [](const Event& event) {
    return event.kind == EventKind::kLook || event.kind == EventKind::kOpen ||
           (event.kind == EventKind::kSearch && event.first_name);
  });
}

void SeeListing(Evidence& evidence) {
  if (!evidence.files_observed) return;
  for (FunnelRow& row : evidence.funnel) {
    const std::string directory = ParentOf(row.library);
    StepState& listed = row.steps[Step::kListed];
    const EventId listing = ListingOf(evidence, row.library);
    if (listing != 0 && (Happened(listed) || listed == StepState::kNotObservable))
      listed = StepState::kSeen;
    StepState& matched = row.steps[Step::kMatched];
    if (listing != 0 && NamingOf(evidence, row.library) != 0 && Happened(matched))
      matched = StepState::kSeen;
    if (row.lost_at == Step::kListed) {
      // Who could not list it was told so.
      const EventId refused = First(evidence, directory, 0, [](const Event& event) {
        return event.kind == EventKind::kOpen && event.value > 0;
      });
      const EventId hidden =
          refused != 0 ? refused : First(evidence, ParentOf(directory), 0, [](const Event& event) {
            return event.kind == EventKind::kOpen && event.value > 0;
          });
      if (hidden != 0) row.event = hidden;
    } else if (row.lost_at == Step::kMatched && listing != 0 &&
               row.event == evidence.outcome_event()) {
      row.event = listing;
    }
  }
}

}  // namespace gpustage
