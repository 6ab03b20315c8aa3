// What stands in a scenario or a layout: tree, libraries, machine and faults.
#include "tests/scenario/refused.h"

namespace gpustage {
namespace {

Refused Tree(const char* name, const std::string& op, const char* message) {
  return Top(name, "tree:\n  - " + op + "\n", message);
}

Refused Machine(const char* name, const std::string& machine, const char* message) {
  return Top(name, "machine:\n  " + machine + "\n", message);
}

std::string Repeated(const std::string& item, int times) {
  std::string list = item;
  for (int i = 1; i < times; ++i) list += ", " + item;
  return list;
}

class RefusedValue : public RefusedScenario {};

TEST_P(RefusedValue, SaysWhereAndWhatWouldHaveBeenRight) {
  EXPECT_THAT(ScenarioFiles().Load(GetParam().text),
              FailsWith(std::string("scenarios/s.yaml:") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Tree, RefusedValue,
    testing::Values(
        Tree("UnknownOperation", "smylink: /a",
             "4:5: unknown operation \"smylink\"; did you mean \"symlink\"?"),
        Tree("OperationNotFirst", "{to: b, symlink: /a}",
             "4:6: unknown operation \"to\"; it can be dir, file, symlink, hard_link, copy, chmod, "
             "chown, remove, library or ldconfig"),
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
    Library, RefusedValue,
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
        Tree(
            "BrokenInNoWay", "{library: /a.so, fake: cudart-12, broken: {}}",
            "4:47: broken names no way; it can be empty, truncated, text, git_lfs, class, machine, "
            "endian, soname, version_node, version_node_lacks, version_table, symbol_absent, "
            "undefined, needs, needs_version, rpath, runpath, stack, static_tls, "
            "constructor_prints, constructor_sleeps_ms, constructor_aborts or "
            "constructor_crashes"),
        Tree(
            "BrokenInAWord", "{library: /a.so, fake: cudart-12, broken: emtpy}",
            "4:47: expected ways to be broken, a map such as {empty: true}, got \"emtpy\"; did you "
            "mean \"empty\"?"),
        Tree("BrokenFalse", "{library: /a.so, fake: cudart-12, broken: {empty: false}}",
             "4:55: write empty: true, or leave broken out"),
        Tree("BrokenTooLarge", "{library: /a.so, fake: cudart-12, broken: {truncated: 1 GiB}}",
             "4:59: at most 64 MiB can be left"),
        Tree("BrokenClass", "{library: /a.so, fake: cudart-12, broken: {class: 64}}",
             "4:55: unknown class \"64\"; it can be 32"),
        Tree("BrokenMachine", "{library: /a.so, fake: cudart-12, broken: {machine: amr64}}",
             "4:57: unknown machine \"amr64\"; did you mean \"arm64\"?"),
        Tree("UnknownWayToBeBroken", "{library: /a.so, fake: cudart-12, broken: {trunctated: 1}}",
             "4:48: unknown key \"trunctated\"; did you mean \"truncated\"?"),
        Tree("TwoWaysToBeBroken",
             "{library: /a.so, fake: cudart-12, broken: {empty: true, endian: big}}",
             "4:61: \"empty\" leaves nothing for \"endian\" to change"),
        Tree("BothPaths", "{library: /a.so, fake: cudart-12, broken: {runpath: /a, rpath: /b}}",
             "4:61: a library has one of \"runpath\" and \"rpath\""),
        Tree("NeedsNothing", "{library: /a.so, fake: cudart-12, broken: {needs: []}}",
             "4:55: expected the name of a library, got an empty list"),
        Tree("ArchsOfARuntime", "{library: /a.so, fake: cudart-12, archs: [9.0]}",
             "4:46: only a fake ggml-cuda-… knows for which compute capabilities it was built"),
        Tree("WordOfAShell", "{link: /a, to: /b}",
             "4:6: unknown operation \"link\"; did you mean \"symlink\"?"),
        Tree("RemovesAll", "{remove: /}", "4:14: the root itself cannot be removed"),
        Tree("CacheElsewhere", "{ldconfig: /opt/cache}",
             "4:16: the loader reads /etc/ld.so.cache alone"),
        Tree("FileOfAProcess", "{file: /proc/versoin, content: x}",
             "4:12: \"/proc/versoin\" cannot be staged: below /proc it is what lies in "
             "/proc/driver, and the kernel's own files such as /proc/version; did you mean "
             "\"/proc/version\"?"),
        Tree("UnknownOwner", "{chown: /opt, user: olama}",
             "4:25: unknown user \"olama\"; did you mean \"ollama\"?"),
        Tree("UnknownGroup", "{chown: /opt, group: vedeo}",
             "4:26: unknown group \"vedeo\"; did you mean \"video\"?"),
        Tree("NoSymbolAbsent", "{library: /a.so, fake: cudart-12, broken: {symbol_absent: []}}",
             "4:63: expected a symbol, got an empty list"),
        Tree("VersionTableInWords",
             "{library: /a.so, fake: cudart-12, broken: {version_table: all}}",
             "4:63: unknown version_table \"all\"; it can be none"),
        Tree("TlsTooLarge", "{library: /a.so, fake: cudart-12, broken: {static_tls: 65 MiB}}",
             "4:60: at most 64 MiB can be asked for"),
        Tree("NoSleep", "{library: /a.so, fake: cudart-12, broken: {constructor_sleeps_ms: 0}}",
             "4:71: expected milliseconds, a whole number from 1 to 3600000, got \"0\""),
        Tree("MachineOfARealLibrary", "{library: /a.so, real: ggml-cuda-12, machine: {cuda: 12.8}}",
             "4:51: only a fake answers from a machine; this library is not one")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Machine, RefusedValue,
    testing::Values(
        Machine("UnknownDevice", "devices: [h1000]",
                "4:13: unknown device \"h1000\"; did you mean \"h100\"?"),
        Machine("DriverInWords", "driver: newest",
                "4:11: expected a driver version such as 580.159.04, got \"newest\""),
        Machine("KernelDriverWithADash", "kernel_driver: 570-86",
                "4:18: expected a driver version such as 580.159.04, got \"570-86\""),
        Machine("DevicesIsText", "devices: h100", "4:12: expected devices, a list, got \"h100\""),
        Machine("UnknownKey", "devices: [{profile: h100, memory: 1}]",
                "4:29: unknown key \"memory\"; did you mean memory_total or "
                "memory_free?"),
        Machine("NoTarget", "devices: [{profile: h100, gfx: gfx11}]",
                "4:34: expected a target of AMD's such as gfx1100 or gfx90a, got \"gfx11\""),
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
                "4:17: unknown props_layout \"cuda14\"; did you mean \"cuda12\"?"),
        Machine("UnknownNodes", "nodes: reel",
                "4:10: unknown kind of nodes \"reel\"; did you mean \"real\"?"),
        Machine("UnknownContainer", "container: docker",
                "4:14: unknown container \"docker\"; it can be none or nvidia")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Fault, RefusedValue,
    testing::Values(
        Machine("NoFunction", "faults: [{hang: true}]", "4:12: a fault needs \"function\""),
        Machine("NoAction", "faults: [{function: cuInit}]",
                "4:12: a fault needs \"return\", \"hang\", \"delay_ms\", \"crash\", \"abort\", "
                "\"exit\", \"lost\", \"memory_left\" or \"errno\""),
        Machine("TwoActions", "faults: [{function: cuInit, hang: true, return: 1}]",
                "4:43: a fault has \"hang\" already; only one of \"return\", \"hang\", "
                "\"delay_ms\", \"crash\", "
                "\"abort\", \"exit\", \"lost\", \"memory_left\" or \"errno\" can be there"),
        Machine("LostUntilACall",
                "faults: [{function: cuInit, from_call: 2, to_call: 3, lost: true}]",
                "4:54: what befalls a device begins with a call and ends with none"),
        Machine("LostFromACallOfNothing", "faults: [{from_call: 2, lost: true}]",
                "4:12: a fault with \"from_call\" needs \"function\""),
        Machine("EndsBeforeItBegins",
                "faults: [{function: cuInit, from_ms: 20, to_ms: 20, hang: true}]",
                "4:51: to_ms 20 is not after from_ms 20"),
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
        Machine("TooMany", "faults: [" + Repeated("{function: cuInit, hang: true}", 65) + "]",
                "4:11: a machine has at most 64 faults"),
        Machine("StickyHang", "faults: [{function: cuInit, hang: true, sticky: true}]",
                "4:51: only a fault with \"return\" can be sticky"),
        Machine("ExitStatus", "faults: [{function: cuInit, exit: 256}]",
                "4:37: expected an exit status, a whole number from 0 to 255, got \"256\""),
        Machine("NoSuchErrno", "faults: [{node: /dev/nvidiactl, errno: EPREM}]",
                "4:42: unknown errno \"EPREM\"; did you mean \"EPERM\"?"),
        Machine("ErrnoTooLarge", "faults: [{node: /dev/nvidiactl, errno: 200}]",
                "4:42: expected an errno, a whole number from 1 to 133, got \"200\""),
        Machine("ErrnoOfNothing", "faults: [{errno: EPERM}]",
                "4:12: a fault with \"errno\" needs \"node\""),
        Machine("ErrnoOfAFunction", "faults: [{function: cuInit, errno: EPERM}]",
                "4:23: a node that fails has no \"function\": \"errno\" goes with \"node\""),
        Machine("NodeThatReturns", "faults: [{node: /dev/nvidiactl, return: 1}]",
                "4:19: what a node does is its \"errno\"; the rest is a \"function\"'s"),
        Machine("NoSuchNode", "faults: [{node: /dev/nvidia-ctl, errno: EPERM}]",
                "4:19: no driver has a node \"/dev/nvidia-ctl\": there are /dev/nvidiactl, "
                "/dev/nvidia-uvm, /dev/nvidia0, /dev/kfd, /dev/dri/renderD128 and those of other "
                "numbers"),
        Machine("NodeOfNoDevice", "{devices: [h100], faults: [{node: /dev/nvidia1, errno: EIO}]}",
                "4:37: this machine has 1 devices of that driver, and no node \"/dev/nvidia1\""),
        Machine("NameOfNoCode", "faults: [{function: cuInit, return: CUDA_ERROR_UNKOWN}]",
                "4:39: expected the code to return, a number or a name such as "
                "CUDA_ERROR_NO_DEVICE, got \"CUDA_ERROR_UNKOWN\"; did you mean "
                "\"CUDA_ERROR_UNKNOWN\"?")),
    NameOf);

// What the kernel takes of a program's words (execve(2)), and what nobody means to write.
std::string Lines(const std::string& line, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += line + "\n";
  return text;
}
const std::string kArgs = "runs:\n  - scanner: dlopen\n    args:\n";

INSTANTIATE_TEST_SUITE_P(
    Limits, RefusedValue,
    testing::Values(Top("ManyOperations", "tree:\n" + Lines("  - {dir: /a}", 20001),
                        "20004:5: a tree has at most 20000 operations"),
                    Top("ManyWords", kArgs + Lines("      - a", 50001),
                        "50006:9: args has at most 50000 words"),
                    Top("LongWord", kArgs + Lines("      - " + std::string(131072, 'a'), 1),
                        "6:9: a word of args has at most 131071 bytes, and this one 131072"),
                    Top("LongWords", kArgs + Lines("      - " + std::string(131062, 'a'), 9),
                        "14:9: with this word args takes more than 1024 KiB"),
                    Top(
                        "ManyVariables",
                        [] {
                          std::string env = "env:\n";
                          for (int i = 0; i <= 10000; ++i)
                            env += "  A" + std::to_string(i) + ": a\n";
                          return env;
                        }(),
                        "10004:3: an environment has at most 10000 variables"),
                    Top("LongVariable", "env:\n  A: " + std::string(131070, 'a') + "\n",
                        "4:3: a variable has at most 131071 bytes, its name included")),
    NameOf);

}  // namespace
}  // namespace gpustage
