// What is printed to be done on a real machine is done by a shell, in a tree of our own: it does
// what the change does, and its undo takes it back.
#include <fmt/format.h>
#include <sys/stat.h>

#include <sstream>

#include "harness/base/files.h"
#include "harness/base/process.h"
#include "harness/evidence/path/known.h"
#include "harness/evidence/records/decode.h"
#include "harness/stage/plan.h"
#include "tests/diagnose/diagnose_test.h"

namespace gpustage {
namespace {

using Kind = Intervention::Kind;
using testing::HasSubstr;

constexpr char kCuda[] = "/usr/local/lib/ollama/cuda_v12/";

// The programs that the commands name, with every path moved below $ROOT. What the kernel or an
// account's keeper would do is noted.
constexpr char kPrograms[] = R"sh(
set -efu
sudo() { "$@"; }
each() { command="$1"; shift; for path; do set +f; for one in $ROOT$path; do set -f; $command "$one"; done; done; }
mv() { command mv -T "$ROOT$1" "$ROOT$2"; }
rm() { each 'command rm' "$@"; }
cp() { [ "$1" = -p ] && command cp -p "$ROOT$2" "$ROOT$3"; }
ln() { [ "$1" = -s ] && command ln -s "$2" "$ROOT$3"; }
chmod() { mode="$1"; shift; each "command chmod $mode" "$@"; }
chown() { command chown "$(awk -F: -v name="$1" '$1 == name {print $3}' "$ROOT/etc/passwd")" "$ROOT$2"; }
tee() { command cat >"$ROOT$1"; }
mkdir() { [ "$1" = -p ] && command mkdir -p "$ROOT$2"; }
install() { [ "$1$2" = -d-m ] && command mkdir "$ROOT$4" && command chmod "$3" "$ROOT$4"; }
rmdir() { command rmdir "$ROOT$1"; }
ldconfig() { /sbin/ldconfig -X -i -r "$ROOT" -C /etc/ld.so.cache -f /etc/ld.so.conf; }
systemctl() { case "$*" in daemon-reload|"restart ollama") ;; *) return 1; esac; }
usermod() { [ "$1" = -aG ] && echo "$2" >"$NOTES/group"; }
gpasswd() { [ "$1" = -d ] && command rm "$NOTES/group"; }
)sh";

std::string FileText(const std::string& path) {
  const Result<std::string> text = ReadFile(path);
  return text ? *text : "";
}

// NAME=VALUE, as systemd reads it: in quotes, \ before a character, % twice.
std::string Unquoted(const std::string& text) {
  std::string plain;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' || (text[i] == '%' && text[i + 1] == '%')) ++i;
    plain += text[i];
  }
  return plain;
}

class CommandsTest : public DiagnoseTest {
 protected:
  void Stage(const FlatCase& flat) {
    flat_ = flat;
    variable_.clear();
    c_ = ToCase(flat);
    const Result<std::vector<HostFile>> base = TheRunner().BaseFor(c_);
    ASSERT_THAT(base, IsOk());
    Result<StagePlan> plan = PlanStage(c_, *base, TheRunner().CanSetOwners());
    ASSERT_THAT(plan, IsOk());
    plan->private_copies = true;  // what the commands change is nobody else's
    auto staged = TheRunner().Build(*plan);
    ASSERT_THAT(staged, IsOk());
    staged_ = *std::move(staged);
  }

  // What is counted in the tree as it stands.
  std::optional<int64_t> Count() {
    Case c = c_;
    TakeOverNotes(c);
    const Result<RawRun> raw = TheRunner().Run(c, c.runs.front(), *staged_);
    EXPECT_THAT(raw, IsOk());
    if (!raw) return std::nullopt;
    return Decode(*raw, c.runs.front().scanner, CandidateLibraries(c, c.runs.front())).device_count;
  }

  // In a shell that has the variable as the machine has it, and notes what became of it.
  void Do(const std::string& command, const std::string& variable) {
    variable_ = variable;
    std::string set, note;
    if (!variable.empty()) {
      if (const auto was = VariableOf(flat_, variable))
        set = fmt::format("export {}='{}'\n", variable, *was);
      note = fmt::format(
          "\n[ -z \"${{{0}+set}}\" ] && command rm -f \"$NOTES/value\" || printf %s \"${0}\" "
          ">\"$NOTES/value\"",
          variable);
    }
    const std::string script =
        fmt::format("ROOT={}\nNOTES={}\n{}{}{}{}\n", staged_->tree.root.host_path(), notes_.path(),
                    kPrograms, set, command, note);
    const Result<ProgramOutput> ran = RunProgram({"/bin/sh", "-c", script});
    ASSERT_THAT(ran, IsOk());
    EXPECT_EQ(ran->exit_code, 0) << command << '\n' << ran->out;
  }

  std::string Path(const std::string& path) const { return staged_->tree.root.host_path() + path; }

 private:
  static void Set(const std::string& name, const std::optional<std::string>& value, Case& c) {
    std::erase_if(c.env, [&](const EnvVar& one) { return one.name == name; });
    c.env.push_back({name, value, {}});
  }

  // What a service, a shell and an account have by now.
  void TakeOverNotes(Case& c) const {
    if (!variable_.empty()) {
      const Result<std::string> value = ReadFile(notes_.path() + "/value");
      Set(variable_, value ? std::optional(*value) : std::nullopt, c);
    }
    if (std::string group = FileText(notes_.path() + "/group"); !group.empty())
      c.groups.push_back(group.substr(0, group.size() - 1));
    const std::string folder = Path("/etc/systemd/system/ollama.service.d");
    for (const std::string& name : NamesIn(folder, ".conf")) {
      std::istringstream lines(FileText(folder + "/" + name + ".conf"));
      std::string line;
      std::getline(lines, line);
      EXPECT_EQ(line, "[Service]");
      while (std::getline(lines, line)) {
        const std::string key = line.substr(0, line.find('='));
        const std::string value = line.substr(line.find('=') + 1);
        if (key == "UnsetEnvironment") Set(value, std::nullopt, c);
        if (key == "User") c.user = value;
        if (key != "Environment") continue;
        const std::string pair = Unquoted(value);
        Set(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1), c);
      }
    }
  }

  ScratchDirectory notes_ = *ScratchDirectory::Make();
  FlatCase flat_;
  Case c_;
  std::unique_ptr<StagedCase> staged_;
  std::string variable_;
};

struct Kept {
  const char* name;
  std::string lines;  // of the scenario; with "runs", whole
  Intervention change;
  const char* says;  // a part of the command
};

Intervention Chmod(const std::string& path, FileMode bits) {
  Intervention change = Change(Kind::kChmod, kRefused, path);
  change.mode = bits;
  return change;
}

std::string Script(const std::string& lines, const std::string& test) {
  return "machine: {devices: [h100-80gb]}\nlayout: []\nuser: ollama\n" + lines +
         "runs:\n  - scanner: script\n    args: ['" + test + " && echo \"GPU 0: all\"; exit 0']\n";
}

std::vector<Kept> AllKinds() {
  const std::string cuda = kCuda;
  const std::string no_cublas = "{remove: " + cuda + "libcublas.so.12}";
  const std::string no_lt = "{remove: " + cuda + "libcublasLt.so.12}";
  const std::string elsewhere =
      "{copy: /opt/x/libcublasLt.so.12, from: " + cuda + "libcublasLt.so.12.8.4.1}";
  const std::string nodes =
      "tree:\n  - {chmod: /dev/nvidiactl, mode: \"0600\"}\n"
      "  - {chmod: /dev/nvidia0, mode: \"0600\"}\n  - {chmod: /dev/nvidia-uvm, mode: \"0640\"}\n";
  const std::string preloads =
      "tree:\n  - {library: /opt/swallows.so, fake: preload-returns-null}\n"
      "  - {library: /opt/harmless.so, fake: x11}\n"
      "  - {file: /etc/ld.so.preload, content: \"/opt/harmless.so\\n/opt/swallows.so\\n\"}\n";
  const std::string hidden = "env: {CUDA_VISIBLE_DEVICES: \"\"}\n";
  const std::string a_file = "tree: [{file: /opt/a, content: a, mode: \"0640\"}, ";
  return {
      {"link", "tree: [" + no_cublas + "]\n",
       Change(Kind::kLink, kLacked, cuda + "libcublas.so.12", "libcublas.so.12.8.4.1"),
       "sudo ln -s libcublas.so.12.8.4.1 "},
      {"link_in_the_place_of_a_file",
       "tree: [" + no_cublas + ", {file: " + cuda + "libcublas.so.12, content: \"\"}]\n",
       Change(Kind::kLink, kLacked, cuda + "libcublas.so.12", "libcublas.so.12.8.4.1"), "sudo mv "},
      {"copy", "tree: [" + no_cublas + "]\n",
       Change(Kind::kCopy, kLacked, cuda + "libcublas.so.12", cuda + "libcublas.so.12.8.4.1"),
       "sudo cp -p "},
      {"search", "tree: [" + no_lt + ", " + elsewhere + "]\n",
       Change(Kind::kSearch, kElsewhere, "/etc/ld.so.conf", "/opt/x"), "&& sudo ldconfig"},
      {"cache",
       "tree: [" + no_lt + ", {ldconfig: /etc/ld.so.cache}, " + elsewhere +
           ", {file: /etc/ld.so.conf.d/x.conf, content: \"/opt/x\\n\"}]\n",
       Change(Kind::kRefreshCache, kElsewhere, kLoaderCache),
       "/etc/ld.so.cache.was && sudo ldconfig"},
      {"no_cache",
       "tree: [" + no_lt + ", {remove: /etc/ld.so.cache}, " + elsewhere +
           ", {file: /etc/ld.so.conf.d/x.conf, content: \"/opt/x\\n\"}]\n",
       Change(Kind::kRefreshCache, kElsewhere, kLoaderCache), "sudo ldconfig"},
      {"chmod", "tree: [{chmod: " + cuda.substr(0, cuda.size() - 1) + ", mode: \"0711\"}]\n",
       Chmod(cuda.substr(0, cuda.size() - 1), 04), "sudo chmod o+r "},
      {"nodes", nodes, Chmod("/dev/nvidia*", 06), "sudo chmod o+rw /dev/nvidia*"},
      {"chown", Script("tree: [{file: /opt/a, content: a}]\n", "[ -O /opt/a ]"),
       Change(Kind::kChown, kLate, "/opt/a", "ollama"), "sudo chown ollama /opt/a"},
      {"group", Script(a_file + "{chown: /opt/a, group: video}]\n", "[ -r /opt/a ]"),
       Change(Kind::kGroup, kRefused, "/opt/a", "video"), "sudo usermod -aG video ollama"},
      {"remove", Script("tree: [{file: /opt/a, content: a}]\n", "[ ! -e /opt/a ]"),
       Change(Kind::kRemove, kAnything, "/opt/a"), "sudo mv /opt/a /root/opt_a"},
      {"remove_in_a_directory_that_is_listed",
       Script("tree: [{file: /opt/folder/a, content: a}]\n",
              "[ \"$(echo /opt/folder/*)\" = \"/opt/folder/*\" ]"),
       Change(Kind::kRemove, kAnything, "/opt/folder/a"), "/root/opt_folder_a"},
      {"directory", "env: {TMPDIR: /nowhere}\n",
       Change(Kind::kMakeDirectory, kVariable, "/nowhere"), "sudo install -d -m 1777 /nowhere"},
      {"preload", preloads,
       Change(Kind::kDropEntry, kMask, "/etc/ld.so.preload", "/opt/harmless.so\n"),
       "printf '%s\\n' /opt/harmless.so | sudo tee "},
      {"unset_in_a_service", hidden, Change(Kind::kUnsetVariable, kMask, "CUDA_VISIBLE_DEVICES"),
       "UnsetEnvironment=CUDA_VISIBLE_DEVICES"},
      {"set_in_a_service", "tree: [" + no_lt + ", " + elsewhere + "]\n",
       Change(Kind::kSetVariable, kElsewhere, "LD_LIBRARY_PATH", "/opt/a \"%b\\c':/opt/x"),
       "sudo systemctl restart ollama"},
      {"user_of_a_service",
       "tree: [{chmod: /usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04, mode: \"0600\"}]\n",
       Change(Kind::kUser, kUserTier, "user", "root"), "User=root"},
      {"unset_by_hand", Script("env: {A_MODE: slow}\n", "[ -z \"${A_MODE+set}\" ]"),
       Change(Kind::kUnsetVariable, kVariable, "A_MODE"), "unset A_MODE"},
      {"set_by_hand", Script("", "[ \"$A_MODE\" = \"very fast\" ]"),
       Change(Kind::kSetVariable, kVariable, "A_MODE", "very fast"), "export 'A_MODE=very fast'"}};
}

class KindsOfCommandsTest : public CommandsTest, public testing::WithParamInterface<Kept> {};

TEST_P(KindsOfCommandsTest, DoWhatTheChangeDoesAndAreUndone) {
  const Kept& kept = GetParam();
  const bool owners = kept.change.kind == Kind::kChown || kept.change.kind == Kind::kGroup;
  if (owners && !TheRunner().CanSetOwners()) GTEST_SKIP() << "this machine has one user here";
  const bool whole = kept.lines.starts_with("machine");
  const FlatCase flat = FlatOf(whole ? WholeCaseOf(kept.lines) : CaseOf(kept.lines));
  FlatCase mended = flat;
  ASSERT_TRUE(Apply(kept.change, mended));
  const Commands commands = CommandsFor(kept.change, flat, whole ? "" : "ollama");
  EXPECT_THAT(commands.apply, HasSubstr(kept.says));
  const bool by_hand = whole && kept.change.kind <= Kind::kUnsetVariable;
  const std::string variable = by_hand ? kept.change.subject : "";
  Stage(flat);
  const std::optional<int64_t> before = Count();
  EXPECT_NE(before, 1);
  Do(commands.apply, variable);
  EXPECT_EQ(Count(), 1) << commands.apply;
  Do(commands.undo, variable);
  EXPECT_EQ(Count(), before) << commands.undo;
  // And the model of the change is what the command does.
  Stage(mended);
  EXPECT_EQ(Count(), 1) << ToString(kept.change);
}

INSTANTIATE_TEST_SUITE_P(All, KindsOfCommandsTest, testing::ValuesIn(AllKinds()),
                         [](const auto& one) { return std::string(one.param.name); });

// What is undone is as it was: nodes that were shut in different ways, too.
TEST_F(CommandsTest, EachModeComesBack) {
  const FlatCase flat =
      FlatOf(CaseOf("tree:\n  - {chmod: /dev/nvidiactl, mode: \"0600\"}\n"
                    "  - {chmod: /dev/nvidia-uvm, mode: \"0604\"}\n"));
  const Commands commands = CommandsFor(Chmod("/dev/nvidia*", 06), flat, "ollama");
  Stage(flat);
  Do(commands.apply, "");
  Do(commands.undo, "");
  const auto mode = [&](const char* path) {
    struct stat found = {};
    EXPECT_EQ(stat(Path(path).c_str(), &found), 0);
    return found.st_mode & 07777;
  };
  EXPECT_EQ(mode("/dev/nvidiactl"), 0600U);
  EXPECT_EQ(mode("/dev/nvidia-uvm"), 0604U);
}

// The layout of a struct is no file, and nobody's to mend.
TEST_F(CommandsTest, WhatHasNoPathHasNoCommands) {
  const FlatCase flat = FlatOf(CaseOf("env: {A: \"1\"}\n"));
  for (const Kind kind : {Kind::kLayout, Kind::kDeviceAnswers, Kind::kDropFault}) {
    Intervention change;
    change.kind = kind;
    const Commands commands = CommandsFor(change, flat, "");
    EXPECT_EQ(commands.apply, "");
    EXPECT_EQ(commands.undo, "");
  }
}

// Of an answer with two changes, as `why` gives it: all that it prints, in its order, and all
// undone.
TEST_F(CommandsTest, OfAnAnswerOfTwoChangesAllIsDoneAndAllIsUndone) {
  const FlatCase flat =
      FlatOf(CaseOf("env: {CUDA_VISIBLE_DEVICES: \"\"}\ntree: [{remove: " + std::string(kCuda) +
                    "libcublas.so.12}]\n"));
  WhyOptions options;
  options.weigh = false;
  options.most_answers = 1;
  const WhyReport report = WhyOf(flat, options);
  ASSERT_FALSE(report.answers.empty());
  const std::vector<Commands>& commands = report.answers.front().commands;
  ASSERT_EQ(commands.size(), 2U);
  Stage(flat);
  EXPECT_EQ(Count(), 0);
  for (const Commands& one : commands) {
    EXPECT_EQ(Count(), 0) << "each is needed";
    Do(one.apply, "");
  }
  EXPECT_EQ(Count(), 1);
  for (auto one = commands.rbegin(); one != commands.rend(); ++one) Do(one->undo, "");
  EXPECT_EQ(Count(), 0);
}

}  // namespace
}  // namespace gpustage
