// Everything that a scenario, a layout or a scanner can say wrong, each with the whole message.
#include "tests/support/scenario_files.h"

namespace gpustage {
namespace {

struct Refused {
  const char* name;
  std::string text;  // of the scenario; "layout driver"/"tools" and the device "h100" are there
  const char* message;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

std::string NameOf(const testing::TestParamInfo<Refused>& row) { return row.param.name; }

const std::string kPlain = "claim: c\nlayout: [driver]\n";  // two lines

Refused Top(const char* name, const std::string& text, const char* message) {
  return {name, kPlain + text, message};
}
// Positions: line 3, from column 4 on for the tree operation, 4:5 for an expectation.
Refused Tree(const char* name, const std::string& op, const char* message) {
  return {name, kPlain + "tree:\n  - " + op + "\n", message};
}
Refused Expect(const char* name, const std::string& expectation, const char* message) {
  return {name, kPlain + "expect:\n  - " + expectation + "\n", message};
}
Refused Machine(const char* name, const std::string& machine, const char* message) {
  return {name, kPlain + "machine:\n  " + machine + "\n", message};
}
Refused Matrix(const char* name, const std::string& matrix, const char* message) {
  return {name, kPlain + "matrix:\n" + matrix, message};
}

class RefusedScenario : public testing::TestWithParam<Refused> {};

TEST_P(RefusedScenario, SaysWhereAndWhatWouldHaveBeenRight) {
  EXPECT_THAT(ScenarioFiles().Load(GetParam().text),
              FailsWith(std::string("scenarios/s.yaml:") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Top, RefusedScenario,
    testing::Values(
        Top("UnknownKey", "expcet: []\n", "3:1: unknown key \"expcet\"; did you mean \"expect\"?"),
        Top("FarFromAnyKey", "zzzzzzzz: x\n",
            "3:1: unknown key \"zzzzzzzz\"; it can be claim, source, tags, machine, layout, tree, "
            "env, user, "
            "working_directory, runs, matrix, expect or 1 more"),
        Refused{"NoClaim", "user: root\n", "1:1: a scenario needs \"claim\""},
        Refused{"EmptyClaim", "claim: \"\"\n", "1:8: expected a claim, got the empty string"},
        Refused{"ClaimIsAList", "claim: [a]\n", "1:8: expected a claim, got a list"},
        Refused{"NoMap", "- a\n", "1:1: expected a scenario, a map, got a list"},
        Refused{"NoScannerFits", "claim: c\n",
                "1:1: no scanner fits these layouts; name one in \"runs\""},
        Refused{"UnknownLayout", "claim: c\nlayout: [divers]\n",
                "2:10: unknown layout \"divers\"; did you mean \"driver\"?"},
        Refused{"LayoutIsText", "claim: c\nlayout: driver\n",
                "2:9: expected layout, a list, got \"driver\""},
        Refused{"LayoutIsAMap", "claim: c\nlayout: [{a: b}]\n",
                "2:10: unknown layout a map; it can be driver or tools"},
        Top("TagIsAList", "tags: [[a]]\n", "3:8: expected text in tags, got a list"),
        Top("OddUser", "user: a b\n",
            "3:7: a user \"a b\" may hold letters, digits and . _ - only"),
        Top("RelativeWorkingDirectory", "working_directory: srv\n",
            "3:20: a working directory must be absolute, got \"srv\""),
        Top("EnvIsAList", "env: [A]\n",
            "3:6: expected an environment, a map of names and values, got a list"),
        Top("EqualsSignInAName", "env: {A=B: c}\n",
            "3:7: \"A=B\" cannot be the name of a variable"),
        Top("NulInAVariable", "env: {A: \"\\0\"}\n", "3:10: a variable cannot hold a NUL byte"),
        Top("UnsetFalse", "env: {A: {unset: false}}\n",
            "3:10: expected the text of a variable, or {unset: true}"),
        Top("VariableIsAList", "env: {A: [b]}\n",
            "3:10: expected the text of a variable, or {unset: true}"),
        Top("XfailWithoutReason", "xfail: {when: {}}\n", "3:8: xfail needs \"reason\""),
        Top("XfailOnAnUnknownAxis", "xfail: {reason: r, when: {a: b}}\n",
            "3:27: unknown axis \"a\"; there is none")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Runs, RefusedScenario,
    testing::Values(
        Top("None", "runs: []\n", "3:7: no run; leave \"runs\" out for the scanners that fit"),
        Top("UnknownScanner", "runs: [{scanner: dlopne}]\n",
            "3:18: unknown scanner \"dlopne\"; did you mean \"dlopen\"?"),
        Top("NoScanner", "runs: [{name: a}]\n", "3:8: a run needs \"scanner\""),
        Top("RunIsText", "runs: [dlopen]\n", "3:8: expected a run, a map, got \"dlopen\""),
        Top("UnknownKey", "runs: [{scanner: dlopen, argv: x}]\n",
            "3:26: unknown key \"argv\"; did you mean \"args\"?"),
        Top("TwoOfOneName", "runs: [{scanner: dlopen}, {scanner: dlopen}]\n",
            "3:27: a second run \"dlopen\"; give one of them another \"name\""),
        Top("OddName", "runs: [{scanner: dlopen, name: a/b}]\n",
            "3:32: a run \"a/b\" may hold letters, digits and . _ - only")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Tree, RefusedScenario,
    testing::Values(
        Tree("UnknownOperation", "smylink: /a",
             "4:5: unknown operation \"smylink\"; did you mean \"symlink\"?"),
        Tree("OperationNotFirst", "{to: b, symlink: /a}",
             "4:6: unknown operation \"to\"; it can be dir, file, symlink, hard_link, copy, chmod, "
             "chown, remove or library"),
        Tree("OperationIsText", "dir /a",
             "4:5: expected an operation such as {dir: /opt}, got \"dir /a\""),
        Tree("EmptyMap", "{}", "4:5: expected an operation such as {dir: /opt}, got a map"),
        Tree("RelativePath", "dir: opt", "4:10: a path must be absolute, got \"opt\""),
        Tree("EmptyPath", "dir: \"\"", "4:10: expected a path, got the empty string"),
        Tree("LeavesTheRoot", "dir: /opt/../..",
             "4:10: a path may not hold \"..\": it could leave the root"),
        Tree("DoubleSlash", "dir: /opt//x",
             "4:10: a path \"/opt//x\" has a part too much; write it without \".\", \"//\" and a "
             "last \"/\""),
        Tree("LastSlash", "dir: /opt/",
             "4:10: a path \"/opt/\" has a part too much; write it without \".\", \"//\" and a "
             "last \"/\""),
        Tree("NulInAPath", "dir: \"/a\\0b\"", "4:10: a path cannot hold a NUL byte"),
        Tree("DecimalMode", "{dir: /a, mode: 755}",
             "4:21: mode 755 without quotes is a decimal number to others; write \"0755\""),
        Tree("StickyDecimalMode", "{dir: /a, mode: 1777}",
             "4:21: mode 1777 without quotes is a decimal number to others; write \"1777\""),
        Tree("ModeOfNines", "{dir: /a, mode: \"0999\"}",
             "4:21: expected a mode of 3 or 4 octal digits such as \"0755\", got \"0999\""),
        Tree("ModeInLetters", "{chmod: /a, mode: u+x}",
             "4:23: expected a mode of 3 or 4 octal digits such as \"0755\", got \"u+x\""),
        Tree("LongMode", "{chmod: /a, mode: \"00755\"}",
             "4:23: expected a mode of 3 or 4 octal digits such as \"0755\", got \"00755\""),
        Tree("ChmodWithoutMode", "chmod: /a", "4:5: chmod needs \"mode\""),
        Tree("ChownOfNobody", "chown: /a", "4:5: chown needs \"user\" or \"group\""),
        Tree("FileOfNothing", "file: /a",
             "4:5: a file needs \"content\" or \"size\"; content: \"\" is the empty file"),
        Tree("SmallerThanItsContent", "{file: /a, content: abc, size: 2}",
             "4:36: the content alone has 3 bytes"),
        Tree("HugeFile", "{file: /a, size: 65 MiB}", "4:22: a file has at most 64 MiB"),
        Tree("SizeInWords", "{file: /a, size: 1 MB}",
             "4:22: expected a size in bytes, such as 1073741824 or 1 GiB (KiB, MiB, GiB), got \"1 "
             "MB\""),
        Tree("SymlinkToNothing", "symlink: /a", "4:5: a symlink needs \"to\""),
        Tree("EmptyLink", "{symlink: /a, to: \"\"}",
             "4:23: expected the text of a link, got the empty string"),
        Tree("RelativeHardLink", "{hard_link: /a, to: b}",
             "4:25: the file to link must be absolute, got \"b\""),
        Tree("CopyOfNothing", "copy: /a", "4:5: a copy needs \"from\""),
        Tree("KeyOfAnother", "{remove: /a, mode: \"0755\"}",
             "4:18: unknown key \"mode\"; it can be remove")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Library, RefusedScenario,
    testing::Values(
        Tree("NoSource", "library: /a.so", "4:5: a library needs \"fake\", \"real\" or \"file\""),
        Tree("TwoSources", "{library: /a.so, fake: cudart-12, real: ggml-cuda-12}",
             "4:39: a library has \"fake\" already; only one of \"fake\", \"real\" or \"file\" can "
             "be there"),
        Tree("UnknownFake", "{library: /a.so, fake: cudart12}",
             "4:28: unknown fake \"cudart12\"; did you mean \"cudart-12\"?"),
        Tree("UnknownRealPart", "{library: /a.so, real: ggml-cuda-21}",
             "4:28: unknown real part \"ggml-cuda-21\"; did you mean \"ggml-cuda-12\"?"),
        Tree("NoSuchFile", "{library: /a.so, file: my.so}",
             "4:28: there is no file scenarios/my.so"),
        Tree("BrokenInNoWay", "{library: /a.so, fake: cudart-12, broken: {}}",
             "4:47: broken needs \"truncated\", \"empty\", \"text\", \"class\" or \"machine\""),
        Tree("BrokenFalse", "{library: /a.so, fake: cudart-12, broken: {empty: false}}",
             "4:55: write empty: true, or leave broken out"),
        Tree("BrokenTooLarge", "{library: /a.so, fake: cudart-12, broken: {truncated: 1 GiB}}",
             "4:59: at most 64 MiB can be left"),
        Tree("BrokenClass", "{library: /a.so, fake: cudart-12, broken: {class: 64}}",
             "4:55: unknown class \"64\"; it can be 32"),
        Tree("BrokenMachine", "{library: /a.so, fake: cudart-12, broken: {machine: amr64}}",
             "4:57: unknown machine \"amr64\"; did you mean \"arm64\"?"),
        Tree("UnknownWayToBeBroken", "{library: /a.so, fake: cudart-12, broken: {trunctated: 1}}",
             "4:48: unknown key \"trunctated\"; did you mean \"truncated\"?")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Machine, RefusedScenario,
    testing::Values(
        Machine("UnknownDevice", "devices: [h1000]",
                "4:13: unknown device \"h1000\"; did you mean \"h100\"?"),
        Machine("DevicesIsText", "devices: h100", "4:12: expected devices, a list, got \"h100\""),
        Machine("UnknownKey", "devices: [{profile: h100, memory: 1}]",
                "4:29: unknown key \"memory\"; it can be profile, name, uuid, pci, cc, prop_cc, "
                "memory_total, "
                "memory_free, nvml_memory_total, sm_count, integrated, attributes or 1 more"),
        Machine("NeitherProfileNorName", "devices: [{cc: 9.0}]",
                "4:13: a device without a profile needs \"name\""),
        Machine("CapabilityWithoutMinor", "devices: [{profile: h100, cc: 9}]",
                "4:33: expected a compute capability such as 9.0, got \"9\""),
        Machine("ShortUuid", "devices: [{profile: h100, uuid: GPU-0011}]",
                "4:35: expected a UUID such as GPU-00112233-4455-6677-8899-aabbccddeeff, got "
                "\"GPU-0011\""),
        Machine("UuidOfOtherLetters",
                "devices: [{profile: h100, uuid: GPU-0011223g-4455-6677-8899-aabbccddeeff}]",
                "4:35: expected a UUID such as GPU-00112233-4455-6677-8899-aabbccddeeff, "
                "got \"GPU-0011223g-4455-6677-8899-aabbccddeeff\""),
        Machine("LongPci", "devices: [{profile: h100, pci: 0123456789012345678901234567890123}]",
                "4:34: a PCI address is 34 bytes long; at most 31 fit"),
        Machine("MoreFreeThanThereIs", "devices: [{profile: h100, memory_free: 81 GiB}]",
                "4:42: memory_free 86973087744 is more than memory_total 85899345920"),
        Machine("MemoryInWords", "devices: [{profile: h100, memory_total: 80GB}]",
                "4:43: expected memory_total in bytes, such as 1073741824 or 1 GiB (KiB, MiB, "
                "GiB), got \"80GB\""),
        Machine("TooManyAtOnce", "devices: [{profile: h100, count: 33}]",
                "4:36: expected count, a whole number from 1 to 32, got \"33\""),
        Machine("TooManyTogether", "devices: [{profile: h100, count: 32}, h100]",
                "4:41: a machine has at most 32 devices"),
        Machine("UnknownAttribute", "devices: [{profile: h100, attributes: {192: 1}}]",
                "4:42: expected a CUdevice_attribute, a whole number from 0 to 191, got \"192\""),
        Machine("AttributesIsAList", "devices: [{profile: h100, attributes: [1]}]",
                "4:41: expected attributes, a map of CUdevice_attribute numbers, got a list"),
        Machine("CudaWithoutMinor", "cuda: 12",
                "4:9: expected a CUDA version such as 12.8, got \"12\""),
        Machine("LongDriver", "driver: \"12345678901234567890123456789012\"",
                "4:11: a driver version is 32 bytes long; at most 31 fit"),
        Machine("UnknownPropsLayout", "props_layout: cuda14",
                "4:17: unknown props_layout \"cuda14\"; did you mean \"cuda12\"?")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Fault, RefusedScenario,
    testing::Values(
        Machine("NoFunction", "faults: [{hang: true}]", "4:12: a fault needs \"function\""),
        Machine("NoAction", "faults: [{function: cuInit}]",
                "4:12: a fault needs \"return\", \"hang\", \"delay_ms\", \"crash\", \"abort\" or "
                "\"exit\""),
        Machine("TwoActions", "faults: [{function: cuInit, hang: true, return: 1}]",
                "4:43: a fault has \"hang\" already; only one of \"return\", \"hang\", "
                "\"delay_ms\", \"crash\", "
                "\"abort\" or \"exit\" can be there"),
        Machine("HangFalse", "faults: [{function: cuInit, hang: false}]",
                "4:37: write hang: true, or leave the fault out"),
        Machine("HangYes", "faults: [{function: cuInit, hang: yes}]",
                "4:37: expected hang, true or false, got \"yes\""),
        Machine("CallAndSpan", "faults: [{function: cuInit, hang: true, call: 1, to_call: 2}]",
                "4:49: \"call\" is one call; several are \"from_call\" and \"to_call\" without it"),
        Machine("SpanBackwards",
                "faults: [{function: cuInit, hang: true, from_call: 3, to_call: 2}]",
                "4:66: to_call 2 is before from_call 3"),
        Machine(
            "CallZero", "faults: [{function: cuInit, hang: true, call: 0}]",
            "4:49: expected the number of a call, a whole number from 1 to 2147483647, got \"0\""),
        Machine("StickyHang", "faults: [{function: cuInit, hang: true, sticky: true}]",
                "4:51: only a fault with \"return\" can be sticky"),
        Machine("ExitStatus", "faults: [{function: cuInit, exit: 256}]",
                "4:37: expected an exit status, a whole number from 0 to 255, got \"256\""),
        Machine("NameForACode", "faults: [{function: cuInit, return: CUDA_ERROR_UNKNOWN}]",
                "4:39: expected the code to return, a whole number from -2147483647 to 2147483647, "
                "got \"CUDA_ERROR_UNKNOWN\"")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Expect, RefusedScenario,
    testing::Values(
        Expect("UnknownKey", "devcies: 1",
               "4:5: unknown key \"devcies\"; did you mean \"devices\"?"),
        Expect("Nothing", "run: dlopen", "4:5: this expects nothing; say devices, log, outcome, …"),
        Expect("UnknownRun", "{run: dlopne, devices: 1}",
               "4:11: unknown run \"dlopne\"; did you mean \"dlopen\"?"),
        Expect("UnknownAxis", "{when: {cuda: 12}, devices: 1}",
               "4:13: unknown axis \"cuda\"; there is none"),
        Expect("NegativeCount", "devices: -1",
               "4:14: expected devices, a whole number from 0, got \"-1\""),
        Expect("CountInWords", "devices: one",
               "4:14: expected devices, a whole number from 0, got \"one\""),
        Expect("EmptyRange", "devices: {}", "4:14: expected a number, or at_least and at_most"),
        Expect("RangeBackwards", "devices: {at_least: 2, at_most: 1}",
               "4:37: at_most 1 is less than at_least 2"),
        Expect("UnknownDeviceField", "device: {nmae: x}",
               "4:14: unknown key \"nmae\"; did you mean \"name\"?"),
        Expect("DeviceWithoutField", "device: {index: 0}",
               "4:13: a device needs a field, such as name"),
        Expect("EmptyLog", "log: {}", "4:10: log needs \"has\", \"lacks\" or \"in_order\""),
        Expect("EmptyPatterns", "log: {has: []}", "4:16: \"has\" needs a pattern"),
        Expect("EmptyPattern", "log: {has: \"\"}",
               "4:16: expected a part of a log line, got the empty string"),
        Expect("BadExpression", "log: {has: [{re: \"(a\"}]}",
               "4:22: re is no RE2 expression: missing ): (a"),
        Expect("BadEscape", "log: {lacks: {re: '\\k'}}",
               "4:23: re is no RE2 expression: invalid escape sequence: \\k"),
        Expect("UnknownOutcome", "outcome: exit",
               "4:14: expected timed_out, {exited: 0} or {killed: SIGBUS}, got \"exit\""),
        Expect("UnknownSignal", "outcome: {killed: SIGBSU}",
               "4:23: unknown signal \"SIGBSU\"; did you mean \"SIGBUS\"?"),
        Expect("SignalWithoutSig", "outcome: {killed: BUS}",
               "4:23: expected a signal such as SIGBUS, a whole number from 1 to 64, got \"BUS\""),
        Expect("ExitStatus", "outcome: {exited: 300}",
               "4:23: expected an exit status, a whole number from 0 to 255, got \"300\""),
        Expect("LoadsNothing", "loads: []", "4:12: \"loads\" is an empty list"),
        Expect("LoadsWithoutLibrary", "loads: {from: /a}", "4:12: loads needs \"library\""),
        Expect("CallsWithoutFunction", "calls: {count: 1}", "4:12: calls needs \"function\""),
        Expect("LostNowhere", "lost: {library: a}", "4:11: lost needs \"at\""),
        Expect("UnknownStep", "lost: {library: a, at: open}",
               "4:28: unknown step \"open\"; it can be listed, matched, opened, "
               "loaded, entry point, initialised, counted or reported"),
        Expect("NearlyAStep", "reached: {library: a, step: initialized}",
               "4:33: unknown step \"initialized\"; did you mean \"initialised\"?")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Matrix, RefusedScenario,
    testing::Values(
        Matrix("UnknownTarget", "  a: {set: enviroment.A, to: [x]}\n",
               "4:12: an axis cannot set \"enviroment.A\"; it can be machine, layout, tree, env, "
               "user, working_directory or runs"),
        Matrix("NearlyATarget", "  a: {set: layuot, to: [x]}\n",
               "4:12: an axis cannot set \"layuot\"; did you mean \"layout\"?"),
        Matrix("NoTarget", "  a: {to: [x]}\n", "4:6: an axis needs \"set\""),
        Matrix("NoValues", "  a: {set: env.A}\n", "4:6: an axis needs \"to\""),
        Matrix("EmptyValues", "  a: {set: env.A, to: []}\n", "4:23: an axis needs a value"),
        Matrix("SameValueTwice", "  a: {set: env.A, to: [x, x]}\n",
               "4:27: axis \"a\" has two values \"x\""),
        Matrix("ListWithoutLabel", "  a: {set: layout, to: [[driver]]}\n",
               "4:25: a list needs a label for the case id: {as: NAME, value: …}"),
        Matrix("OddValue", "  a: {set: env.A, to: [\"x,y\"]}\n",
               "4:24: \"x,y\" cannot stand in a case id; write {as: NAME, value: \"x,y\"}"),
        Matrix("LabelWithoutValue", "  a: {set: env.A, to: [{as: x}]}\n",
               "4:24: a labelled value needs \"value\""),
        Matrix("OddAxis", "  a b: {set: env.A, to: [x]}\n",
               "4:3: an axis \"a b\" may hold letters, digits and . _ - only"),
        Matrix("UnknownDefault", "  a: {set: env.A, to: [cuda_v12], default: cuda_v13}\n",
               "4:44: unknown value \"cuda_v13\"; did you mean \"cuda_v12\"?"),
        Matrix("ExcludesAnUnknownAxis", "  link: {set: env.A, to: [x]}\n  exclude: [{lnik: x}]\n",
               "5:14: unknown axis \"lnik\"; did you mean \"link\"?"),
        Matrix("ExcludesAnUnknownValue",
               "  link: {set: env.A, to: [copy, hard]}\n  exclude: [{link: [hard, cpoy]}]\n",
               "5:27: unknown value \"cpoy\"; did you mean \"copy\"?"),
        Matrix("ExcludesNothing", "  a: {set: env.A, to: [x, y]}\n  exclude: [{a: x}, {a: x}]\n",
               "5:21: this excludes no cell"),
        Matrix("ExcludesAll", "  a: {set: env.A, to: [x]}\n  exclude: [{a: x}]\n",
               "5:13: this excludes the last cell"),
        Matrix("ExcludesEverythingAtOnce", "  a: {set: env.A, to: [x]}\n  exclude: [{}]\n",
               "5:13: an empty map excludes everything"),
        Matrix("IsAList", "  [a]\n", "4:3: expected a matrix, a map of axes, got a list"),
        Matrix("BelowAText", "  a: {set: layout.driver.x, to: [y]}\n",
               "4:12: \"driver\" cannot be set: what it is a part of is \"driver\", not a map"),
        Matrix("TreeOfText", "  a: {set: tree, to: [x]}\n",
               "4:23: expected a list of tree operations, got \"x\""),
        Matrix("ExpectationNeverApplies",
               "  a: {set: env.A, to: [x, y]}\n  b: {set: env.B, to: [p, q]}\n  exclude: [{a: x, "
               "b: p}]\n"
               "expect: [{devices: 1}, {when: {a: x, b: p}, devices: 1}]\n",
               "7:24: this expectation never applies: no case has this run in such a cell"),
        Matrix("NothingIsExpectedOfACell",
               "  a: {set: env.A, to: [x, y]}\nexpect: [{when: {a: x}, devices: 1}]\n",
               "5:9: nothing is expected of s@a=y"),
        Matrix("XfailNeverApplies",
               "  a: {set: env.A, to: [x, y]}\n  b: {set: env.B, to: [p, q]}\n  exclude: [{a: x, "
               "b: p}]\n"
               "xfail: {reason: r, when: {a: x, b: p}}\n",
               "7:8: this xfail never applies: no case is in such a cell"),
        Matrix("TooManyCells",
               "  a: {set: env.A, to: [0, 1, 2, 3, 4, 5, 6, 7]}\n  b: {set: env.B, to: [0, 1, 2, "
               "3, 4, 5, 6, 7]}\n"
               "  c: {set: env.C, to: [0, 1, 2, 3, 4, 5, 6, 7]}\n  d: {set: env.D, to: [0, 1, 2, "
               "3, 4, 5, 6, 7]}\n"
               "  e: {set: env.E, to: [0, 1]}\n",
               "4:3: the matrix has more than 4096 cells")),
    NameOf);

// ---- Layouts, devices and scanners: the error points into their file

struct RefusedFixture {
  const char* name;
  const char* file;
  std::string text;
  const char* message;
};
void PrintTo(const RefusedFixture& refused, std::ostream* out) { *out << refused.name; }

class RefusedFile : public testing::TestWithParam<RefusedFixture> {};

TEST_P(RefusedFile, IsNamedInTheError) {
  ScenarioFiles files;
  files.Write(GetParam().file, GetParam().text);
  EXPECT_THAT(files.Load("claim: c\nlayout: [driver]\nmachine: {devices: [h100]}\n"),
              FailsWith(std::string(GetParam().file) + ":" + GetParam().message));
}

RefusedFixture Scanner(const char* name, const std::string& lines, const char* message) {
  return {name, "scanners/dlopen.yaml",
          "scanner: dlopen\nabout: a\nprogram: {path: /bin/sh}\nargv: [a]\n" + lines, message};
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedFile,
    testing::Values(
        RefusedFixture{"LayoutOfAnotherName", "layouts/driver.yaml", "layout: divers\nabout: a\n",
                       "1:9: expected layout: driver, the name of the file, got \"divers\""},
        RefusedFixture{"LayoutWithoutAbout", "layouts/driver.yaml", "layout: driver\n",
                       "1:1: a layout needs \"about\""},
        RefusedFixture{"LayoutWithAnUnknownFake", "layouts/driver.yaml",
                       "layout: driver\nabout: a\ntree: [{library: /a, fake: cuda-divers}]\n",
                       "3:28: unknown fake \"cuda-divers\"; did you mean \"cuda-driver\"?"},
        RefusedFixture{"DeviceWithoutSource", "devices/h100.yaml",
                       "device: h100\nname: n\ncompute_capability: 9.0\nmemory_total: 1 GiB\n",
                       "1:1: a device file needs \"source\""},
        RefusedFixture{
            "DeviceOfAnotherName", "devices/h100.yaml",
            "device: h200\nname: n\ncompute_capability: 9.0\nmemory_total: 1 GiB\nsource: s\n",
            "1:9: expected device: h100, the name of the file, got \"h200\""},
        RefusedFixture{"ScannerOfAnotherName", "scanners/dlopen.yaml", "scanner: x\n",
                       "1:10: expected scanner: dlopen, the name of the file, got \"x\""},
        RefusedFixture{"ScannerWithoutProgram", "scanners/dlopen.yaml",
                       "scanner: dlopen\nabout: a\n", "1:1: a scanner needs \"program\""},
        RefusedFixture{"ScannerWithTwoPrograms", "scanners/dlopen.yaml",
                       "scanner: dlopen\nabout: a\nprogram: {path: /a, build: b}\n",
                       "3:21: a program has \"path\" already; only one of \"path\", \"build\", "
                       "\"fake\" or \"real\" can be there"},
        RefusedFixture{"ScannerWithoutArgv", "scanners/dlopen.yaml",
                       "scanner: dlopen\nabout: a\nprogram: {path: /bin/sh}\n",
                       "1:1: a scanner needs \"argv\""},
        Scanner("ScannerUnsetsAVariable", "env: {A: {unset: true}}\n",
                "5:7: a scanner starts from nothing, so there is nothing to unset"),
        Scanner("ScannerIsDoneOddly", "done: stop\n",
                "5:7: expected exit or {line: RE2}, got \"stop\""),
        Scanner("ScannerDoneExpression", "done: {line: \"[\"}\n",
                "5:14: line is no RE2 expression: missing ]: ["),
        Scanner("ScannerReadsOddly", "devices: {read: xml}\n",
                "5:17: unknown reader \"xml\"; it can be json, lines, count or none"),
        Scanner("ScannerLinesWithoutMatch", "devices: {read: lines}\n",
                "5:10: read: lines needs \"match\""),
        Scanner("ScannerJsonWithMatch", "devices: {read: json, match: a}\n",
                "5:30: read: json takes no \"match\""),
        Scanner("ScannerUnknownGroup", "devices: {read: lines, match: \"(?P<uid>x)\"}\n",
                "5:31: unknown group \"uid\" in match; did you mean \"uuid\"?"),
        Scanner("ScannerCountWithoutGroup", "devices: {read: count, match: \"[0-9]+\"}\n",
                "5:31: read: count needs a group (?P<count>…) in \"match\""),
        Scanner("ScannerUnknownStream", "log: {stream: stdin}\n",
                "5:15: unknown stream \"stdin\"; did you mean \"stdout\"?"),
        Scanner("ScannerUnknownFormat", "log: {format: slgo}\n",
                "5:15: unknown format \"slgo\"; did you mean \"slog\"?"),
        Scanner("ScannerUnknownNetwork", "network: internet\n",
                "5:10: unknown network \"internet\"; it can be none or loopback"),
        Scanner("ScannerTimeLimit", "time_limit: 1m\n",
                "5:13: expected seconds from 0.001 to 86400, got \"1m\""),
        Scanner("ScannerOutputLimit", "output_limit: 0\n",
                "5:15: expected output_limit in MiB, a whole number from 1 to 4096, got \"0\"")),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace gpustage
