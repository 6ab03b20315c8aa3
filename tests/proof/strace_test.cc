// Every file that a process asks the kernel for, held against strace of the same program in the
// same tree.
//
// Left out on both sides, each for its reason:
//   fstat by any name      an open file is asked about, and no path is looked for (the kernel's
//     filter lets it pass unseen)
//   chdir, mkdir, unlink…  not of the listed set: open, stat, access, readlink, execve and their
//     families, getdents64
//   a second getdents64    a directory is read until nothing more comes, which is one listing
//   the answer, where ours is not known: what /proc/self leads to, and a file that the call
//     itself makes
#include <re2/re2.h>
#include <string.h>

#include <map>
#include <set>
#include <sstream>

#include "harness/base/process.h"
#include "harness/words/words.h"
#include "tests/proof/proof_test.h"
#include "tests/support/processes.h"

namespace gpustage {
namespace {

struct Asked {
  std::string call, path, answer;  // answer "": not known
  friend bool operator==(const Asked&, const Asked&) = default;
  friend auto operator<=>(const Asked&, const Asked&) = default;
};
void PrintTo(const Asked& asked, std::ostream* out) {
  *out << asked.call << ' ' << asked.path << " = " << asked.answer;
}

using ByProcess = std::map<int, std::vector<Asked>>;

void Append(std::vector<Asked>& list, Asked asked) {
  const bool again = asked.call == "getdents64" && !list.empty() &&
                     list.back().call == asked.call && list.back().path == asked.path;
  if (!again) list.push_back(std::move(asked));
}

// Calls that strace shows in two lines, when something else came between, are put together again.
std::vector<std::pair<int, std::string>> WholeLines(const std::string& text) {
  static const RE2 resumed(R"(<\.\.\. \w+ resumed>(.*))");
  std::vector<std::pair<int, std::string>> lines;
  std::map<int, size_t> open;  // by thread: the line that is not finished
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const int thread = std::stoi(line);
    std::string what = line.substr(line.find_first_not_of("0123456789 ")), rest;
    if (RE2::FullMatch(what, resumed, &rest)) {
      lines[open[thread]].second += rest;
      continue;
    }
    if (const size_t cut = what.find(" <unfinished ...>"); cut != std::string::npos) {
      what.erase(cut);
      open[thread] = lines.size();
    }
    lines.emplace_back(thread, what);
  }
  return lines;
}

// Which process each thread belongs to; a thread that no clone made is a process.
std::map<int, int> Processes(const std::vector<std::pair<int, std::string>>& lines) {
  static const RE2 clones(R"(clone3?\(.*CLONE_THREAD.* = (\d+))");
  std::map<int, int> makers, processes;
  for (const auto& [thread, line] : lines)
    if (int made = 0; RE2::PartialMatch(line, clones, &made)) makers[made] = thread;
  for (const auto& [thread, line] : lines) {
    int process = thread;
    while (makers.contains(process)) process = makers[process];
    processes[thread] = process;
  }
  return processes;
}

class AgainstStrace : public ProofTest, public testing::WithParamInterface<Subject> {
 protected:
  static ByProcess Ours(const Evidence& evidence) {
    ByProcess asked;
    for (const Event& event : evidence.events) {
      const bool named = event.kind == EventKind::kOpen || event.kind == EventKind::kLook ||
                         event.kind == EventKind::kList;
      if (!named && event.kind != EventKind::kExec) continue;
      const std::string call = named ? event.detail.substr(0, event.detail.find(' ')) : "execve";
      const char* const error =
          event.value > 0 ? strerrorname_np(static_cast<int>(event.value)) : "0";
      Append(asked[event.pid],
             {call, event.subject, event.value == kNoAnswer || error == nullptr ? "" : error});
    }
    return asked;
  }

  static ByProcess Theirs(const std::string& text) {
    // call(AT_FDCWD</>, "path", …) = result ERRNO, with -y; a call by path alone has no descriptor
    // before it.
    static const RE2 named(R"re((\w+)\((?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"([^"]*)")re"
                           R"re((.*)\) += (-?\d+)(?: (E[A-Z0-9]+))?.*)re");
    static const RE2 listed(R"(getdents64\(\d+<([^>]*)>.*\) += (-?\d+).*)");
    static const std::set<std::string> kListedSet = {
        "open",  "openat", "openat2",   "creat",      "stat",     "lstat",      "newfstatat",
        "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "execve"};
    ByProcess asked;
    const auto lines = WholeLines(text);
    std::map<int, int> processes = Processes(lines);
    for (const auto& [thread, line] : lines) {
      std::string call, directory, path, rest, error;
      int64_t result = 0;
      if (RE2::FullMatch(line, listed, &path, &result)) {
        Append(asked[processes[thread]], {"getdents64", path, "0"});
      } else if (RE2::FullMatch(line, named, &call, &directory, &path, &rest, &result, &error) &&
                 kListedSet.contains(call)) {
        if (path.empty() && rest.find("AT_EMPTY_PATH") != std::string::npos) continue;  // fstat
        if (!path.starts_with('/')) path = directory + (directory.ends_with('/') ? "" : "/") + path;
        Append(asked[processes[thread]], {call, path, error.empty() ? "0" : error});
      }
    }
    return asked;
  }

  // Where ours does not know the answer, theirs is not compared. By pid both are in the order of
  // their start.
  static void Compare(const ByProcess& ours, const ByProcess& theirs, bool threads) {
    ASSERT_EQ(ours.size(), theirs.size());
    for (auto mine = ours.begin(), other = theirs.begin(); mine != ours.end(); ++mine, ++other) {
      std::vector<Asked> a = mine->second, b = other->second;
      if (threads) {
        std::sort(a.begin(), a.end());
        std::sort(b.begin(), b.end());
      }
      for (size_t i = 0; i < a.size(); ++i)
        if (a[i].answer.empty() && i < b.size()) a[i].answer = b[i].answer;
      const auto [first, second] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
      // The first of them that differ, with what comes after it.
      const auto some = [](auto from, auto end) {
        return std::vector<Asked>(from, from + std::min<ptrdiff_t>(3, end - from));
      };
      EXPECT_EQ(some(first, a.end()), some(second, b.end()))
          << "process " << mine->first << ", call " << first - a.begin() << " of " << b.size();
    }
  }
};

TEST_P(AgainstStrace, SeesEveryPathAndNothingElse) {
  const std::string strace = FindProgramOnHost("strace");
  if (strace.empty()) GTEST_SKIP() << "no strace here (Debian's package of that name)";
  ASSERT_NO_FATAL_FAILURE(Stage(
      GetParam(),
      {{PlaceLibraryOp{"/usr/bin/strace", {LibrarySource::Kind::kFile, "", strace, ""}, {}, 0755},
        {}}},
      {strace}));
  if (IsSkipped()) return;
  start_.record_loader = false;
  const Evidence evidence = Watch();
  ASSERT_TRUE(evidence.files_observed) << SentenceOf(evidence.files_unobserved);

  start_.record_files = false;
  const std::vector<std::string> tracer = {"/usr/bin/strace",
                                           "-f",
                                           "-y",
                                           "-o",
                                           "/tmp/trace",
                                           "-e",
                                           "trace=%file,getdents64,clone,clone3"};
  start_.argv.insert(start_.argv.begin(), tracer.begin(), tracer.end());
  const RawRun traced = Run();
  ASSERT_EQ(ToString(traced.outcome), "exited 0") << PrintedBy(traced);
  const ByProcess theirs = Theirs(WholeFile(tree_->root.host_path() + "/tmp/trace"));
  EXPECT_EQ(theirs.size(), 2u);
  size_t calls = 0;
  for (const auto& [process, list] : theirs) calls += list.size();
  EXPECT_GT(calls, 15u);
  Compare(Ours(evidence), theirs, GetParam().threads);
}

INSTANTIATE_TEST_SUITE_P(Files, AgainstStrace,
                         testing::Values(CppSubject(), PythonSubject(), GoSubject(),
                                         StaticSubject()),
                         SubjectName);

// The loader's recorder asks for files too, and nothing of that may stand in the evidence.
TEST_P(AgainstStrace, SeesTheSameWithTheLoadersRecorder) {
  ASSERT_NO_FATAL_FAILURE(Stage(GetParam()));
  if (IsSkipped()) return;
  const ByProcess all = Ours(Watch());
  start_.record_loader = false;
  Compare(all, Ours(Watch()), GetParam().threads);
}

}  // namespace
}  // namespace gpustage
