"""What it costs to be watched, in microseconds: harness/dev bench costs

One program times, from inside, opens of a file, loads of small libraries and first calls of functions that ld.so binds lazily (BINDS in one
library), without a box and in one at each level of evidence; and gpustage times a run of a small subject, from its start to its end, which is
held to a bare exec of the same subject. All of a round run in turn; what a level adds is held to `none` of the same round.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
OPENS, LOADS, BINDS = 2000, 60, 1000
LEVELS = ("none", "libs", "files", "all")
RUNS = 100


def compile_c(target, source, *options):
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", str(target), str(source), *options], check=True)


def make(folder):
    """The scenarios, and the same tree for the program without a box."""
    parts, tree = folder / "parts/scanners", folder / "tree"
    parts.mkdir(parents=True)
    tree.mkdir()
    compile_c(parts / "costs", HERE / "costs.c", "-ldl")
    compile_c(parts / "subject", HERE / "subject.c")
    names = [f"bench_function_{i}" for i in range(BINDS)]
    (folder / "lib.c").write_text("int bench_variable;\n")
    (folder / "callee.c").write_text("".join(f"int {name}(void) {{ return 1; }}\n" for name in names))
    (folder / "caller.c").write_text("".join(f"int {name}(void);\n" for name in names) + "int call_all(void) {\n  int n = 0;\n" +
                                     "".join(f"  n += {name}();\n" for name in names) + "  return n;\n}\n")
    shared = ("-shared", "-fPIC", "-fplt", "-Wl,-z,lazy")
    compile_c(tree / "lib0.so", folder / "lib.c", *shared)
    compile_c(tree / "callee.so", folder / "callee.c", *shared, "-Wl,-soname,callee.so")
    compile_c(tree / "caller.so", folder / "caller.c", *shared, str(tree / "callee.so"), "-Wl,-rpath,$ORIGIN")
    for i in range(1, LOADS):
        shutil.copy(tree / "lib0.so", tree / f"lib{i}.so")
    (tree / "file").write_text("")
    placed = [f"  - {{library: /opt/costs/{name}, file: ./tree/{name}}}" for name in ("lib0.so", "callee.so", "caller.so")]
    placed += [f"  - {{copy: /opt/costs/lib{i}.so, from: /opt/costs/lib0.so}}" for i in range(1, LOADS)]
    for name, words in (("costs", f"/opt/costs, \"{OPENS}\", \"{LOADS}\""), ("subject", "")):
        (parts / f"{name}.yaml").write_text(f"""scanner: {name}
about: says a line
program: {{path: ./{name}}}
at: /usr/local/bin/{name}
argv: [/usr/local/bin/{name}{', ' + words if words else ''}]
fits: {name}
devices: {{read: lines, stream: stdout, match: '^GPU (?P<name>.+)$'}}
log: {{stream: stdout, format: plain}}
""")
    head = "machine: {devices: []}\nexpect: [{outcome: {exited: 0}}]\n"
    (folder / "costs.yaml").write_text(f"claim: costs are told\n{head}runs: [{{scanner: costs}}]\ntree:\n  - {{file: /opt/costs/file, content: \"\"}}\n" +
                                       "\n".join(placed) + "\n")
    numbers = ", ".join(f'"{n}"' for n in range(RUNS))
    (folder / "subject.yaml").write_text(f"""claim: the subject runs
{head}runs: [{{scanner: subject}}]
env: {{SUBJECT_TREE: /nowhere, SUBJECT_MODE: usual}}
matrix: {{number: {{set: env.SUBJECT_NUMBER, to: [{numbers}]}}}}
""")


def told(line):
    return {name: float(ns) / 1000 for name, ns in re.findall(r"(open|load|bind|call) (\d+)", line)}


def run(program, folder, name, level):
    report = folder / "report.json"
    done = subprocess.run([str(program), "run", str(folder / f"{name}.yaml"), "--fixtures", str(folder / "parts"), "--evidence", level, "--jobs", "1",
                           "--quiet", "--report", f"json={report}"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"only what passes can be timed:\n{done.stdout[-1500:]}{done.stderr[-500:]}")
    return json.loads(report.read_text())["cases"]


def bare_exec(folder):
    """Milliseconds of a start of the subject, by the one that makes RUNS of them."""
    environment = dict(os.environ, SUBJECT_TREE="/nowhere", SUBJECT_NUMBER="0", SUBJECT_MODE="usual")
    start = os.times().elapsed
    subprocess.run([str(folder / "parts/scanners/subject"), "--starts", str(10 * RUNS), "1"], env=environment, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (os.times().elapsed - start) / (10 * RUNS)


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("store", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--about", default="")
    given = parser.parse_args()
    program, folder = given.program.resolve(), given.store.resolve() / "costs"
    shutil.rmtree(folder, ignore_errors=True)
    make(folder)
    rounds = []
    for number in range(given.rounds):
        said = subprocess.run([str(folder / "parts/scanners/costs"), str(folder / "tree"), str(OPENS), str(LOADS)], capture_output=True, text=True, check=True)
        one = {"no box": told(said.stdout), "bare exec": bare_exec(folder)}
        for i in range(len(LEVELS)):
            level = LEVELS[(number + i) % len(LEVELS)]
            one[level] = told(run(program, folder, "costs", level)[0]["log"][0])
            one[level]["run"] = 1000 * statistics.median(case["duration_ms"] for case in run(program, folder, "subject", level))
        rounds.append(one)
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)

    print(f"{given.about}; microseconds, {given.rounds} rounds; median (least to most).\n")
    print("| what | no box | none | libs | files | all |\n|---|---|---|---|---|---|")
    for what, name in (("an open and its close", "open"), ("a load of a small library", "load"), ("a first call, bound lazily", "bind"),
                       ("a further call", "call")):
        print(f"| {what} | " + " | ".join(spread([one[where][name] for one in rounds]) for where in ("no box", *LEVELS)) + " |")
    print(f"| a run of a small subject; no box: exec | {spread([1000 * one['bare exec'] for one in rounds], 0)} | " +
          " | ".join(spread([one[level]["run"] for one in rounds], 0) for level in LEVELS) + " |")
    print("| the same, to a bare exec | 1 | " +
          " | ".join(spread([one[level]["run"] / one["bare exec"] / 1000 for one in rounds]) for level in LEVELS) + " |")
    print(f"\nAdded by watching: a notified open {spread([one['files']['open'] - one['none']['open'] for one in rounds])}, "
          f"a load under LD_AUDIT {spread([one['libs']['load'] - one['none']['load'] for one in rounds])}, "
          f"a bind under LD_AUDIT {spread([one['libs']['bind'] - one['none']['bind'] for one in rounds])}.")
    (given.store / "costs.json").write_text(json.dumps({"about": given.about, "rounds": rounds}, indent=1) + "\n")


main()
