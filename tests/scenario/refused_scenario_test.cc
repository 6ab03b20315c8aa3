// The frame of a scenario: its keys, runs, matrix and expectations.
#include "tests/scenario/refused.h"

namespace gpustage {
namespace {

Refused Matrix(const char* name, const std::string& matrix, const char* message) {
  return Top(name, "matrix:\n" + matrix, message);
}

Refused Expect(const char* name, const std::string& expectation, const char* message) {
  return Top(name, "expect:\n  - " + expectation + "\n", message);
}

TEST_P(RefusedScenario, SaysWhereAndWhatWouldHaveBeenRight) {
  EXPECT_THAT(ScenarioFiles().Load(GetParam().text),
              FailsWith(std::string("scenarios/s.yaml:") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Top, RefusedScenario,
    testing::Values(
        Top("TwoUnknownKeys", "expcet: []\nmachin: {}\n",
            "3:1: unknown key \"expcet\"; did you mean \"expect\"?; line 4: \"machin\"; did you "
            "mean "
            "\"machine\"?"),
        Top("UnknownKey", "expcet: []\n", "3:1: unknown key \"expcet\"; did you mean \"expect\"?"),
        Top("FarFromAnyKey", "zzzzzzzz: x\n",
            "3:1: unknown key \"zzzzzzzz\"; it can be claim, source, tags, machine, layout, tree, "
            "env, user, "
            "groups, working_directory, runs, matrix, expect, fix, suspects or xfail"),
        Top("ConstraintsAtTheTop", "constraints: []\n",
            "3:14: \"constraints\" stands in \"matrix\""),
        Refused{"AScanner", "scanner: mine\nabout: it counts\nargv: [/bin/mine]\n",
                "1:10: this file is no scenario: it defines a scanner: give it to run by --scanner "
                "FILE, or name it in \"runs\""},
        Refused{"ADevice", "device: mine\nname: NVIDIA X\ncompute_capability: 8.9\n",
                "1:9: this file is no scenario: it defines a device: name it in \"machine\" of a "
                "scenario"},
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
            "3:7: unknown user \"a b\"; it can be root, ollama, user, nobody or a number to 65534"),
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
    Matrix, RefusedScenario,
    testing::Values(
        Matrix("UnknownTarget", "  a: {set: enviroment.A, to: [x]}\n",
               "4:12: an axis cannot set \"enviroment.A\"; it can be machine, layout, tree, env, "
               "user, groups, working_directory or runs"),
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
               "4:19: cannot set \"driver\": it would be a key of \"driver\", which is no map"),
        Matrix("ItemOfAnEmptyList",
               "  a: {set: machine.devices.0.name, to: [x]}\nmachine: {devices: []}\n",
               "4:28: \"0\" cannot be set: the list is empty"),
        Matrix("ExcludesAText", "  a: {set: env.A, to: [x]}\n  exclude: [a]\n",
               "5:13: expected a map of axes and values, got \"a\""),
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
               "7:8: this xfail never applies: no case is in such a cell")),
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
        Expect("BuildIdOfOther", "loads: {library: a, build_id: xyz}",
               "4:35: expected a build-id in hex, as readelf -n prints it, got \"xyz\""),
        Expect("UnknownRuleOfASearch", "searches: {path: /a, by: RUNPTH}",
               "4:30: unknown rule \"RUNPTH\"; did you mean \"RUNPATH\"?"),
        Expect("SearchOfNoPath", "searches: {by: RUNPATH}", "4:15: searches needs \"path\""),
        Expect("SearchOfRelativePath", "searches: {path: a}",
               "4:22: where the loader looked must be absolute, got \"a\""),
        Expect("DlsymOfNothing", "dlsym: {answer: found}", "4:12: dlsym needs \"symbol\""),
        Expect("MissingFromSomebody", "dlsym: {symbol: f, answer: missing, from: a.so}",
               "4:47: a symbol that is missing comes from nobody"),
        Expect("LacksOfNobody", "lacks: {symbol: f}", "4:12: lacks needs \"library\""),
        Expect("TakesOfNothing", "takes: {from: a}", "4:12: takes needs \"function\""),
        Expect("UnknownWayToKnow", "lost: {library: a, at: loaded, known: heard}",
               "4:43: unknown way to know \"heard\"; it can be seen, derived or asked"),
        Expect(
            "DistributionOfOne", "distribution: {1: 50%}",
            "4:19: expected how often each number of devices is found, such as {0: 20%, 1: 80%}"),
        Expect(
            "DistributionOfText", "distribution: 50%",
            "4:19: expected how often each number of devices is found, such as {0: 20%, 1: 80%}"),
        Expect("ShareOfText", "distribution: {0: half, 1: 50%}",
               "4:23: expected a share of the starts such as 20%, above 0% and below 100%, got "
               "\"half\""),
        Expect("ShareWithoutPercent", "distribution: {0: 0.5, 1: 50%}",
               "4:23: expected a share of the starts such as 20%, above 0% and below 100%, got "
               "\"0.5\""),
        Expect("ShareOfNothing", "distribution: {0: 0%, 1: 100%}",
               "4:23: expected a share of the starts such as 20%, above 0% and below 100%, got "
               "\"0%\""),
        Expect("SharesOfLess", "distribution: {0: 20%, 1: 70%}",
               "4:19: these shares make 90%, not 100%"),
        Expect("ShareTwice", "distribution: {0: 20%, 00: 30%, 1: 50%}",
               "4:28: 0 devices have a share already"),
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
        Expect("LosesNothing", "lost: []", "4:11: \"lost\" is an empty list"),
        Expect("CallsWithoutFunction", "calls: {count: 1}", "4:12: calls needs \"function\""),
        Expect("LoadedByNoRule", "loads: {library: a, by: ldconfig}",
               "4:29: unknown rule \"ldconfig\"; it can be LD_LIBRARY_PATH, RPATH, RUNPATH, cache "
               "or default"),
        Expect("SilentMaybe", "silent: maybe",
               "4:13: expected silent, true or false, got \"maybe\""),
        Expect("ProcessWithoutRole", "process: {count: 1}", "4:14: a process needs \"role\""),
        Expect("EnvironmentWithoutName", "process: {role: a, environment: [=1]}",
               "4:37: expected NAME=value, or NAME for any value"),
        Expect("UnknownCause", "lost: {library: a, at: loaded, cause: not-elves}",
               "4:43: unknown cause \"not-elves\"; did you mean \"not-elf\"?"),
        Expect("LostNowhere", "lost: {library: a}", "4:11: lost needs \"at\""),
        Expect("UnknownStep", "lost: {library: a, at: open}",
               "4:28: unknown step \"open\"; did you mean \"opened\"?"),
        Expect("NearlyAStep", "reached: {library: a, step: initialized}",
               "4:33: unknown step \"initialized\"; did you mean \"initialised\"?")),
    NameOf);

}  // namespace
}  // namespace gpustage
