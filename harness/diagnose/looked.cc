#include "harness/diagnose/looked.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "harness/base/files.h"
#include "harness/evidence/loader/needs.h"
#include "harness/evidence/path/funnel_passes.h"
#include "harness/words/words.h"

namespace gpustage {
namespace {

void AddOnce(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

// A directory of libraries for some processors, in which the loader looks first: nobody installs
// one there by hand.
bool IsForOneProcessor(const std::string& path) {
  static constexpr std::string_view kNames[] = {"/glibc-hwcaps/", "/tls/",      "/haswell/",
                                                "/xeon_phi/",     "/avx512_1/", "/x86_64/"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view name) { return path.find(name) != std::string::npos; });
}

// "libcudart" of "/a/libcudart.so.12.8.90"; of what is no library, such as ld.so.conf, all.
std::string Stem(const std::string& path) {
  const std::string name = BaseNameOf(path);
  const size_t end = name.find(".so");
  const std::string rest = end == std::string::npos ? "" : name.substr(end + 3);
  const bool library = rest.empty() || (rest[0] == '.' && rest.size() > 1 && isdigit(rest[1]) != 0);
  return library ? name.substr(0, end) : name;
}

class Reader {
 public:
  Reader(const Evidence& evidence, const FlatTree& tree) : evidence_(evidence), tree_(tree) {}

  SeenByRun Read() {
    looked_.complete = evidence_.files_observed;
    for (const Event& event : evidence_.events) Take(event);
    for (auto& [pid, open] : searches_) Close(open);
    for (const FunnelRow& row : evidence_.funnel) AddOnce(looked_.candidates, row.library);
    for (const Process& process : evidence_.processes) looked_.processes.insert(process.role);
    std::reverse(looked_.loaded.begin(), looked_.loaded.end());
    if (const FunnelRow* row = LostRow(evidence_)) {
      const PathLoss& loss = *row->loss;
      looked_.loss = {true,       row->library, loss.at,
                      loss.cause, row->pid,     SentenceOf(loss.reason),
                      row->event, NamedBy(*row)};
      // What the process that lost it lacked comes first.
      std::stable_partition(looked_.lacks.begin(), looked_.lacks.end(),
                            [&](const Lack& lack) { return lack.pid == row->pid; });
    }
    return std::move(looked_);
  }

 private:
  // The event of the loss, then the facts below it.
  std::vector<std::string> NamedBy(const FunnelRow& row) const {
    std::vector<std::string> named;
    const auto name = [&](const std::string& text) {
      if (!text.empty()) AddOnce(named, text);
    };
    if (row.event > 0) {
      const Event& event = evidence_.At(row.event);
      if (event.kind != EventKind::kLog && event.kind != EventKind::kOutcome) name(event.subject);
    }
    if (row.loss && row.loss->at <= Step::kLoaded) name(row.library);
    for (const Need& need : NeedsOf(evidence_, row))
      if (need.found.empty()) name(need.name);
    for (const Gap& gap : evidence_.linkage.gaps)
      if (gap.pid == row.pid) name(gap.provider);
    if (row.loss) NameFacts(row.loss->because, name);
    NameFacts(evidence_.missing, name);
    return named;
  }

  template <typename Name>
  static void NameFacts(const std::vector<Fact>& facts, const Name& name) {
    for (const Fact& fact : facts) {
      if (fact.kind == Fact::Kind::kReason || fact.kind == Fact::Kind::kVersions) continue;
      name(fact.subject.substr(0, fact.subject.find('(')));
      const bool of_several = fact.kind == Fact::Kind::kOpened || fact.kind == Fact::Kind::kAlso ||
                              (fact.kind == Fact::Kind::kAnswered && fact.subject.empty());
      if (of_several) std::for_each(fact.names.begin(), fact.names.end(), name);
      if (fact.kind == Fact::Kind::kLink || fact.kind == Fact::Kind::kPlace) name(fact.other);
      if (fact.kind == Fact::Kind::kAnswered) {
        name(fact.other);
        name(fact.rule.substr(0, fact.rule.find('[')));
      }
    }
  }

  struct Search {
    Lack lack;
    bool found = true;
  };

  void See(const std::string& path) {
    if (!path.starts_with('/')) return;
    const std::string plain = LexicallyNormal(path);
    looked_.paths.insert(plain);
    looked_.paths.insert(RealPath(tree_, plain));
    // Links on the way were looked at, too.
    for (std::string above = plain; above != "/" && !above.empty(); above = ParentOf(above))
      looked_.paths.insert(above);
  }

  void Close(Search& search) {
    if (!search.found) looked_.lacks.push_back(search.lack);
    search.found = true;
  }

  void Searched(const Event& event) {
    Search& search = searches_[event.pid];
    if (event.first_name) {
      Close(search);
      search.lack = {event.subject, event.by, {}, event.pid, event.id};
      search.found = event.subject.starts_with('/');
      if (search.found) See(event.subject);
    } else if (!IsForOneProcessor(event.subject)) {
      See(event.subject);
      AddOnce(search.lack.directories, ParentOf(LexicallyNormal(event.subject)));
    }
  }

  void Asked(const Event& event) {
    See(event.subject);
    const std::string path = LexicallyNormal(event.subject);
    if (event.value == EACCES || event.value == EPERM)
      looked_.refused.push_back({path, event.kind, event.writes, event.id});
    if (event.value == ENOENT || event.value == ENOTDIR || event.value == ELOOP)
      AddOnce(looked_.missing, path);
  }

  void Take(const Event& event) {
    switch (event.kind) {
      case EventKind::kSearch: Searched(event); break;
      case EventKind::kLoad:
        searches_[event.pid].found = true;
        See(event.subject);
        looked_.vulkan = looked_.vulkan || BaseNameOf(event.subject).starts_with("libvulkan.so");
        AddOnce(looked_.loaded, RealPath(tree_, LexicallyNormal(event.subject)));
        break;
      case EventKind::kOpen:
      case EventKind::kLook:
      case EventKind::kExec: Asked(event); break;
      case EventKind::kList:
        Asked(event);
        looked_.listed.insert(RealPath(tree_, LexicallyNormal(event.subject)));
        break;
      case EventKind::kCall:
        if (event.value != 0)
          looked_.failed_calls.push_back({event.subject, event.value, event.id});
        break;
      default: break;
    }
  }

  const Evidence& evidence_;
  const FlatTree& tree_;
  SeenByRun looked_;
  std::map<int, Search> searches_;
};

}  // namespace

SeenByRun LookedAt(const Evidence& evidence, const FlatTree& tree) {
  return Reader(evidence, tree).Read();
}

bool IsNamed(const RunLoss& loss, const FlatTree& tree, const std::string& subject) {
  return std::any_of(loss.named.begin(), loss.named.end(), [&](const std::string& named) {
    if (named == subject) return true;
    if (!subject.starts_with('/')) return false;
    if (!named.starts_with('/')) return Stem(named) == Stem(subject);
    const std::string real = RealPath(tree, named);
    return real == RealPath(tree, subject) || named.starts_with(subject + "/") ||
           real.starts_with(subject + "/") ||
           (Stem(named) == Stem(subject) && ParentOf(named) == ParentOf(subject));
  });
}

bool CouldSee(const SeenByRun& looked, const FlatTree& tree, const std::string& path) {
  if (!looked.complete) return true;
  for (const std::string& one : {path, RealPath(tree, path)})
    if (looked.paths.count(one) != 0 || looked.listed.count(ParentOf(one)) != 0) return true;
  // Below a directory that was asked for and is not there.
  for (std::string above = ParentOf(path); above != "/"; above = ParentOf(above))
    if (!HasPath(tree, above) &&
        (looked.paths.count(above) != 0 || looked.listed.count(ParentOf(above)) != 0))
      return true;
  return false;
}

std::string Signature(const SeenByRun& looked) {
  std::set<std::string> facts;
  for (const Lack& lack : looked.lacks) facts.insert("lacks " + lack.name);
  for (const Refusal& refusal : looked.refused) facts.insert("refused " + refusal.path);
  for (const FailedCall& call : looked.failed_calls)
    facts.insert(fmt::format("call {} {}", call.function, call.code));
  for (const std::string& path : looked.loaded) facts.insert("loaded " + path);
  for (const std::string& role : looked.processes) facts.insert("started " + role);
  std::string text =
      fmt::format("{} {}\n", looked.loss.library,
                  looked.loss.at ? std::to_string(static_cast<int>(*looked.loss.at)) : "");
  for (const std::string& fact : facts) text += fact + '\n';
  return text;
}

}  // namespace gpustage
