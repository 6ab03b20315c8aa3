// Reasons as sentences: a table has the sentence of each kind, and what is in its braces is filled
// in here.
#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>
#include <cstring>

#include "harness/base/text.h"
#include "harness/evidence/path/cuda_codes.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

struct Sentence {
  Reason::Kind kind;
  std::string_view text;
};
constexpr Sentence kSentences[] = {
#define SENTENCE(kind, text) {Reason::Kind::kind, text},
#include "harness/words/reason_table.inc"
#undef SENTENCE
};

constexpr bool InOrder() {
  size_t i = 0;
#define REASON(name, word) \
  if (i >= std::size(kSentences) || kSentences[i++].kind != Reason::Kind::name) return false;
#include "harness/evidence/path/reason_kinds.inc"
#undef REASON
  return i == std::size(kSentences);
}
static_assert(InOrder(), "reason_table.inc has the kinds of reason_kinds.inc, in their order");

std::string SignalText(int signal) {
  const char* const name = sigabbrev_np(signal);
  return "SIG" + (name != nullptr ? name : std::to_string(signal));
}

std::string MachineName(int64_t machine) {
  switch (machine) {
    case EM_AARCH64: return "aarch64";
    case EM_386: return "32-bit x86";
    case EM_ARM: return "arm";
    case EM_PPC64: return "ppc64";
    case EM_RISCV: return "riscv";
    default: return fmt::format("ELF machine {}", machine);
  }
}

std::string Places(int64_t count) { return count == 1 ? "place" : "places"; }

// "12 places".
std::string PlacesText(const Reason& reason) {
  int64_t count = 0;
  for (const PlacesOfRule& places : reason.places) count += places.count;
  return fmt::format("{} {}", count, Places(count));
}

std::string JoinedBelow(const Reason& reason) {
  std::string text;
  for (const Reason& below : reason.below) text += (text.empty() ? "" : "; ") + SentenceOf(below);
  return text;
}

// "id GPU-… (totalGlobalMem 80.0 GiB, major 9, minor 0), …"
std::string FieldsText(const Reason& reason, size_t but) {
  std::string text;
  for (size_t i = 0; i + but < reason.below.size(); ++i) {
    const Reason& field = reason.below[i];
    const std::string what = SentenceOf(field);
    text += (i == 0 ? "" : ", ");
    text +=
        field.subject.empty() ? what : fmt::format("{} {} ({})", field.subject, field.other, what);
  }
  return text;
}

// Symbols or versions, of which a few are named.
std::string Some(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const auto shown = static_cast<ptrdiff_t>(std::min(names.size(), kShown));
  return fmt::format(
      "{}{}", fmt::join(names.begin(), names.begin() + shown, ", "),
      names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
}

// Who should have had a symbol, and what it has instead.
std::string ProviderText(const Reason& reason) {
  const char* const what = reason.kind == Reason::Kind::kSymbolMissing ? "it" : "that version";
  if (reason.other.empty()) return fmt::format("no library that was loaded has {}", what);
  return fmt::format(
      "{}, found {}, {}{}", reason.other, ByRule(reason.rule),
      reason.text.empty() ? fmt::format("does not have {}", what)
      : reason.kind == Reason::Kind::kVersionMissing
          ? fmt::format("has {} at most", reason.text)
          : fmt::format("has {} in version {} alone", what, reason.text),
      reason.names.empty()
          ? ""
          : fmt::format("; {} is another one, which comes later and is not looked at",
                        reason.names.front()));
}

std::string NoLineText(const Reason& reason) {
  const std::string quoted = fmt::format("{} (#{})", Quote(reason.text), reason.event);
  if (reason.number == 1)
    return "the one line that was printed does not say so" +
           (reason.event == 0 ? "" : ": " + quoted);
  return fmt::format("none of {} log lines says so", reason.number) +
         (reason.event == 0                               ? ""
          : reason.kind == Reason::Kind::kNoLineComplains ? "; the last that complains is " + quoted
                                                          : "; the last is " + quoted);
}

std::string WhoText(const Reason& reason) {
  const bool unknown = reason.who.empty() && reason.kind == Reason::Kind::kCountedElsewhere;
  return fmt::format("{} (pid {})", unknown ? "another process" : reason.who, reason.pid);
}

std::string Name(const Reason& reason, size_t i) {
  return i < reason.names.size() ? reason.names[i] : "";
}

std::string After(const std::string& start, const std::string& text) {
  return text.empty() ? "" : start + text;
}

// Words in braces, and what stands there.
struct Word {
  std::string_view word;
  std::string (*of)(const Reason& reason);
};
#define WORD(word, value)                                       \
  {                                                             \
#word, [](const Reason& r) -> std::string { return value; } \
  }
constexpr Word kWords[] = {
    WORD(subject, r.subject),
    WORD(other, r.other),
    WORD(requester, r.requester),
    WORD(version, r.version),
    WORD(text, r.text),
    WORD(quote, Quote(r.text)),
    WORD(number, std::to_string(r.number)),
    WORD(uid, std::to_string(r.uid)),
    WORD(event, std::to_string(r.event)),
    WORD(error, std::strerror(r.error)),
    WORD(signal, SignalText(r.signal)),
    WORD(bus, r.signal == SIGBUS ? ", as a file does that was cut short" : ""),
    WORD(machine, MachineName(r.number)),
    WORD(code, CodeText(r.subject, r.number)),
    WORD(by, ByRule(r.rule)),
    WORD(who, WhoText(r)),
    WORD(places, PlacesText(r)),
    WORD(places_word, Places(r.number)),
    WORD(counts, CountByRule(r.places)),
    WORD(asked_by, r.requester.empty() ? "" : ", which " + r.requester + " asks for,"),
    WORD(for_whom, r.requester.empty() ? "the program" : r.requester),
    WORD(chain, r.other.empty() ? "" : " (which " + r.other + " needs)"),
    WORD(of_version, After(" of version ", r.version)),
    WORD(provider, ProviderText(r)),
    WORD(nobody_has,
         r.subject.empty() ? "no library that was loaded has" : r.subject + " does not have"),
    WORD(some, Some(r.names)),
    WORD(s, r.names.size() == 1 ? "" : "s"),
    WORD(names, fmt::format("{}", fmt::join(r.names, ", "))),
    WORD(spaced, fmt::format("{}", fmt::join(r.names, " "))),
    WORD(looked, After("; the scanner looked in ", fmt::format("{}", fmt::join(r.names, ", ")))),
    WORD(and_more,
         r.number > static_cast<int64_t>(r.names.size())
             ? fmt::format(" and {} more", r.number - static_cast<int64_t>(r.names.size()))
             : ""),
    WORD(first, Name(r, 0)),
    WORD(second, Name(r, 1)),
    WORD(preload, r.names.empty() ? "" : "; LD_PRELOAD is \"" + Name(r, 0) + "\""),
    WORD(not_asked, r.subject.empty() ? "no CUDA library was" : r.subject + " was not"),
    WORD(capability, After(" ", r.other)),
    WORD(devices, fmt::format("{} device{}", r.number, r.number == 1 ? "" : "s")),
    WORD(gib, fmt::format("{:.1f}", static_cast<double>(r.number) / (1 << 30))),
    WORD(no_line, NoLineText(r)),
    WORD(below, r.below.empty() ? "" : SentenceOf(r.below.front())),
    WORD(last, r.below.empty() ? "" : SentenceOf(r.below.back())),
    WORD(list, JoinedBelow(r)),
    WORD(more, After("; ", JoinedBelow(r))),
    WORD(fields, FieldsText(r, 0)),
    WORD(fields_but_last, FieldsText(r, 1)),
};
#undef WORD

}  // namespace

std::string ByRule(const std::string& rule) {
  return rule == "default directory" ? "in a default directory" : "by " + rule;
}

std::string CountByRule(const std::vector<PlacesOfRule>& places) {
  std::string text;
  for (const PlacesOfRule& some : places)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                        some.rule == "default directory" ? "default directories" : some.rule,
                        some.count);
  return text;
}

std::string CodeText(std::string_view function, int64_t code) {
  const CudaCode meaning = CodeOf(function, code);
  return meaning.name.empty() ? fmt::format("{}, a code that nobody names", code)
                              : fmt::format("{} ({}: {})", code, meaning.name, meaning.text);
}

std::string GapText(const Gap& gap) { return JoinedBelow({.below = ReasonsOf(gap)}); }

std::string SentenceOf(const Reason& reason) {
  std::string sentence;
  std::string_view rest = kSentences[static_cast<size_t>(reason.kind)].text;
  for (size_t start = rest.find('{'); start != rest.npos; start = rest.find('{')) {
    const size_t end = rest.find('}', start);
    const std::string_view word = rest.substr(start + 1, end - start - 1);
    const auto known = std::find_if(std::begin(kWords), std::end(kWords),
                                    [&](const Word& one) { return one.word == word; });
    sentence += rest.substr(0, start);
    sentence += known == std::end(kWords) ? "{" + std::string(word) + "}" : known->of(reason);
    rest.remove_prefix(end + 1);
  }
  return sentence += rest;
}

}  // namespace gpustage
