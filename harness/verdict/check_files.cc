// Claims about what processes asked of the kernel.
#include <fmt/format.h>

#include <cerrno>

#include "harness/base/files.h"
#include "harness/verdict/check_builder.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

bool Asks(const Event& event, const std::optional<std::string>& how) {
  const auto is = [&](EventKind kind, const char* word) {
    return event.kind == kind && (!how || *how == word);
  };
  return is(EventKind::kOpen, "opened") || is(EventKind::kLook, "looked at") ||
         is(EventKind::kList, "listed") || is(EventKind::kExec, "executed");
}

bool Answers(const Event& event, const std::optional<std::string>& answer) {
  if (!answer) return true;
  if (*answer == "found") return event.value == 0;
  const bool missing = event.value == ENOENT || event.value == ENOTDIR;
  return *answer == "missing" ? missing : !missing && event.value != 0 && event.value != kNoAnswer;
}

}  // namespace

Check CheckFiles(const Evidence& evidence, const FilesClaim& claim) {
  if (!evidence.files_observed) return FilesUnseen(evidence);
  const Within within(evidence, claim.in);
  const std::string path = LexicallyNormal(claim.path);
  int64_t count = 0;
  const Event* last = nullptr;
  const Event* other = nullptr;  // it asked for it, and otherwise than claimed
  for (const Event& event : evidence.events) {
    if (!Asks(event, std::nullopt) || !within.Has(event.pid) ||
        (LexicallyNormal(event.subject) != path && event.by != path))
      continue;
    if (Asks(event, claim.how) && Answers(event, claim.answer)) {
      ++count;
      last = &event;
    } else {
      other = &event;
    }
  }
  std::string seen = fmt::format("{} {}", count, count == 1 ? "time" : "times");
  const Event* const shown = last != nullptr ? last : other;
  if (shown != nullptr) seen += ", " + ToString(*shown);
  return MakeCheck(claim.count.Contains(count), seen,
                   shown != nullptr ? shown->id : evidence.outcome_event());
}

Check CheckUnheard(const Evidence& evidence, const UnheardClaim& claim) {
  if (!evidence.files_observed) return FilesUnseen(evidence);
  int64_t discarded = 0;
  for (const Event& event : evidence.events) {
    if (event.kind != EventKind::kOutput) continue;
    if (event.discarded && Matches(claim.pattern, event.subject))
      return MakeCheck(true, ToString(event), event.id);
    discarded += event.discarded ? 1 : 0;
  }
  return MakeCheck(false,
                   fmt::format("{} such {} reached nobody, and none is this", discarded,
                               discarded == 1 ? "line" : "lines"),
                   evidence.outcome_event());
}

}  // namespace gpustage
