"""The whole product against its peers, on the same small cases: harness/dev bench peers

Each case is a tree of 20 entries (2 directories, 12 files, 6 links), 3 variables, one run of one subject, and 2 lines that it must print.
Every harness gets them as its users write them: gpustage, testscript and lit a file a case, pytest one parametrized test, bats one file of
tests; "matrix" is one scenario file of gpustage whose matrix makes the cases over one tree. In each round every harness runs all cases
once, in turn, each at the better of one and two jobs, found before the first round. A ratio is to the fastest peer of the same round.
A peer that cannot be had keeps its row, with the reason.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
FILES, LINKS, READ = 12, 6, 6
PEERS = ("testscript", "lit", "pytest", "bats")


class Missing(Exception):
    """Why a harness cannot be had here."""


# ---- The cases, as each wants them ------------------------------------------------------------------------------------

def mode_of(n):
    return "fast" if n % 2 else "slow"


def lines_of(n):
    return f"subject: number {n} in mode {mode_of(n)}", f"subject: sum {sum(2 * (n + i) for i in range(READ))}"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def scenario_tree(n):
    tree = ["  - {dir: /opt/subject/lib}", "  - {dir: /opt/subject/links}"]
    tree += [f'  - {{file: /opt/subject/lib/file-{i}, content: "number {n + i}\\n"}}' for i in range(FILES)]
    tree += [f"  - {{symlink: /opt/subject/links/file-{i}, to: ../lib/file-{i}}}" for i in range(LINKS)]
    return "tree:\n" + "\n".join(tree) + "\n"


SCANNER = """scanner: subject
about: reads its tree and says two lines
program: {path: ./subject}
at: /usr/local/bin/subject
argv: [/usr/local/bin/subject]
fits: subject
devices: {read: lines, stream: stdout, match: '^GPU (?P<name>.+)$'}
log: {stream: stdout, format: plain}
"""


def write_gpustage(folder, count, subject):
    write(folder / "parts/scanners/subject.yaml", SCANNER)
    shutil.copy(subject, folder / "parts/scanners/subject")
    for n in range(count):
        number, total = lines_of(n)
        write(folder / "files" / f"case-{n}.yaml", f"""claim: the subject reads its tree, {n}
machine: {{devices: []}}
{scenario_tree(n)}env: {{SUBJECT_TREE: /opt/subject, SUBJECT_NUMBER: "{n}", SUBJECT_MODE: {mode_of(n)}}}
runs: [{{scanner: subject}}]
expect: [{{outcome: {{exited: 0}}, log: {{has: ["{number}", "{total}"]}}}}]
""")
    numbers = ", ".join(f'"{n}"' for n in range(0, 2 * (count // 2), 2))
    write(folder / "matrix" / "cases.yaml", f"""claim: the subject reads its tree
machine: {{devices: []}}
{scenario_tree(0)}env: {{SUBJECT_TREE: /opt/subject}}
matrix:
  number: {{set: env.SUBJECT_NUMBER, to: [{numbers}]}}
  mode: {{set: env.SUBJECT_MODE, to: [slow, fast]}}
runs: [{{scanner: subject}}]
expect:
  - {{outcome: {{exited: 0}}, log: {{has: [{{re: "^subject: number [0-9]+ in mode"}}, "{lines_of(0)[1]}"]}}}}
""")


def write_testscript(folder, count):
    for n in range(count):
        number, total = lines_of(n)
        script = ["env SUBJECT_TREE=$WORK", f"env SUBJECT_NUMBER={n}", f"env SUBJECT_MODE={mode_of(n)}", "mkdir links"]
        script += [f"symlink links/file-{i} -> ../lib/file-{i}" for i in range(LINKS)]
        script += ["exec $SUBJECT", f"stdout '^{number}$'", f"stdout '^{total}$'", ""]
        files = "".join(f"-- lib/file-{i} --\nnumber {n + i}\n" for i in range(FILES))
        write(folder / f"case_{n}.txt", "\n".join(script) + files)


def write_lit(folder, count):
    write(folder / "lit.cfg", """import os
import lit.formats
config.name = "bench"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".test"]
config.test_exec_root = os.environ["BENCH_SCRATCH"]
config.substitutions.append(("%subject", os.environ["SUBJECT"]))
""")
    for n in range(count):
        number, total = lines_of(n)
        run = ["rm -rf %t", "mkdir -p %t/lib %t/links"]
        run += [f"echo 'number {n + i}' > %t/lib/file-{i}" for i in range(FILES)]
        run += ["ln -s " + " ".join(f"../lib/file-{i}" for i in range(LINKS)) + " %t/links"]
        run += [f"env SUBJECT_TREE=%t SUBJECT_NUMBER={n} SUBJECT_MODE={mode_of(n)} %subject > %t/out"]
        run += [f"grep -x '{number}' %t/out", f"grep -x '{total}' %t/out"]
        write(folder / f"case-{n}.test", "".join(f"RUN: {line}\n" for line in run))


def write_pytest(folder, count):
    write(folder / "test_subject.py", f"""import os
import re
import subprocess

import pytest


@pytest.mark.parametrize("n", range({count}))
def test_subject(n, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "links").mkdir()
    for i in range({FILES}):
        (tmp_path / f"lib/file-{{i}}").write_text(f"number {{n + i}}\\n")
    for i in range({LINKS}):
        (tmp_path / f"links/file-{{i}}").symlink_to(f"../lib/file-{{i}}")
    mode = "fast" if n % 2 else "slow"
    env = dict(os.environ, SUBJECT_TREE=str(tmp_path), SUBJECT_NUMBER=str(n), SUBJECT_MODE=mode)
    said = subprocess.run([os.environ["SUBJECT"]], env=env, capture_output=True, text=True, check=True).stdout
    assert re.search(f"^subject: number {{n}} in mode {{mode}}$", said, re.M)
    assert re.search(f"^subject: sum {{sum(2 * (n + i) for i in range({READ}))}}$", said, re.M)
""")


def write_bats(folder, count):
    text = []
    for n in range(count):
        number, total = lines_of(n)
        text.append(f"""@test "case {n}" {{
  cd "$BATS_TEST_TMPDIR" && mkdir lib links
  for i in {{0..{FILES - 1}}}; do echo "number $(({n} + i))" >lib/file-$i; done
  ln -s {" ".join(f"../lib/file-{i}" for i in range(LINKS))} links
  export SUBJECT_TREE=$PWD SUBJECT_NUMBER={n} SUBJECT_MODE={mode_of(n)}
  run "$SUBJECT"
  [ "$status" -eq 0 ]
  [ "${{lines[0]}}" = '{number}' ]
  [ "${{lines[1]}}" = '{total}' ]
}}
""")
    write(folder / "cases.bats", "\n".join(text))


# ---- The harnesses: fetched below the build tree, never into the system ---------------------------------------------------

def output_of(command, **how):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, timeout=300, **how)
    except FileNotFoundError:
        raise Missing(f"there is no {command[0]} here")
    except subprocess.TimeoutExpired:
        raise Missing(f"{command[0]} did not end in 300 s")
    if done.returncode != 0:
        raise Missing(f"{' '.join(command[:4])} ended with {done.returncode}: {(done.stdout.strip().splitlines() or [''])[-1][:120]}")
    return done.stdout


def fetch_python(store):
    folder = store / "python"
    wanted = (HERE / "requirements.txt").read_text()
    if not (folder / ".pin").exists() or (folder / ".pin").read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        output_of([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "--no-compile",
                   "--target", str(folder), "-r", str(HERE / "requirements.txt")])
        write(folder / ".pin", wanted)
    return folder


def fetch_testscript(store):
    program = store / "testscript.test"
    output_of(["go", "test", "-c", "-o", str(program), "."], cwd=HERE / "testscript")
    return program


def fetch_bats(store):
    folder = store / "bats"
    if not (folder / "usr/bin/parallel").exists():
        folder.mkdir(parents=True, exist_ok=True)
        output_of(["apt-get", "download", "-q", "bats", "parallel"], cwd=folder)
        for package in folder.glob("*.deb"):
            output_of(["dpkg", "-x", str(package), str(folder)])
    return folder


def version_of(store, name):
    if name in ("lit", "pytest"):
        return dict(re.findall(r"^(\S+)==(\S+)", (HERE / "requirements.txt").read_text(), re.M))[name]
    if name == "testscript":
        return re.search(r"go-internal (\S+)", (HERE / "testscript/go.mod").read_text())[1]
    return next((store / "bats").glob("bats_*.deb")).name.split("_")[1]


class Harness:
    """A row: command(jobs) is what is timed, `passed` what its output must have."""

    def __init__(self, name, command, passed, jobs=(1, 2), **environment):
        self.name, self.command, self.passed, self.jobs, self.environment = name, command, passed, jobs, environment
        self.missing, self.best, self.version = "", jobs[-1], ""
        self.seconds, self.cpu = [], []

    def run(self, scratch, jobs):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        environment = dict(os.environ, TMPDIR=str(scratch), BENCH_SCRATCH=str(scratch), **self.environment)
        with open(scratch.parent / "said", "wb+") as said:
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run(self.command(jobs), env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
            wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            said.seek(0)
            text = said.read().decode(errors="replace")
        if done.returncode != 0 or not re.search(self.passed, text, re.M):
            sys.exit(f"{self.name} ended with {done.returncode}; only what passes can be timed:\n{text[-2000:]}")
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def harnesses(cases, store, program, subject, count):
    own = dict(SUBJECT=str(subject))
    rows = [Harness("bare exec", lambda jobs: [str(subject), "--starts", str(count), str(jobs)], r"", SUBJECT_TREE=str(cases / "bare"),
                    SUBJECT_NUMBER="0", SUBJECT_MODE="slow")]

    def peer(name, make, passed, fetch, **environment):
        row = Harness(name, None, passed, **own, **environment)
        try:
            row.command = make(fetch(store))
            row.version = version_of(store, name)
        except Missing as why:
            row.missing = str(why)
        rows.append(row)

    def python(module, *arguments):
        def make(folder):
            start = f"import sys; sys.path.insert(0, {str(folder)!r}); from {module} import main; sys.exit(main())"
            return lambda jobs: [sys.executable, "-c", start, *arguments] + (["-j", str(jobs)] if module == "lit.main" else
                                                                            ["-n", str(jobs)] if jobs > 1 else [])
        return make

    peer("testscript", lambda test: lambda jobs: [str(test), "-test.v", f"-test.parallel={jobs}"], r"^PASS$", fetch_testscript,
         BENCH_SCRIPTS=str(cases / "testscript"))
    peer("lit", python("lit.main", str(cases / "lit")), rf"Passed *: *{count}\b", fetch_python)
    peer("pytest", python("pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(cases / "pytest"), str(cases / "pytest")),
         rf"^{count} passed", fetch_python, PYTHONPATH=str(store / "python"), PYTHONDONTWRITEBYTECODE="")
    bats_path = f"{store}/bats/usr/bin:{os.environ['PATH']}"
    peer("bats", lambda folder: lambda jobs: ["bash", str(folder / "usr/bin/bats"), "--tap", "-j", str(jobs), str(cases / "bats")],
         rf"^ok {count} ", fetch_bats, PATH=bats_path)
    for level in ("none", "all"):
        for kind in ("files", "matrix"):
            command = [str(program), "run", str(cases / "gpustage" / kind), "--fixtures", str(cases / "gpustage/parts"), "--evidence", level,
                       "--quiet", "--jobs"]
            rows.append(Harness(f"gpustage {level}, {kind}", lambda jobs, c=command: [*c, str(jobs)], rf"^{count} passed"))
    return rows


# ---- Rounds and what came of them ----------------------------------------------------------------------------------------

def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def ratios(row, others):
    fastest = [min(times) for times in zip(*(other.seconds for other in others))]
    return [mine / theirs for mine, theirs in zip(row.seconds, fastest)]


def table(rows, count, rounds, about):
    peers = [row for row in rows if row.name in PEERS and not row.missing]
    lines = [f"{about}; {count} cases, {rounds} rounds; median (least to most).", "",
             "| harness | jobs | seconds | processor ms a case | to the fastest peer |", "|---|---|---|---|---|"]
    for row in rows:
        name = f"{row.name} {row.version}".strip()
        if row.missing:
            lines.append(f"| {name} | | not here: {row.missing} | | |")
            continue
        ratio = spread(ratios(row, peers), 2) if peers else "no peer is here"
        lines.append(f"| {name} | {row.best} | {spread(row.seconds, 2)} | {spread([1000 * cpu / count for cpu in row.cpu], 2)} | {ratio} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("subject", type=pathlib.Path)
    parser.add_argument("store", type=pathlib.Path)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--about", default="", help="commit and date")
    parser.add_argument("--only", default="", help="rows whose names have this regular expression")
    parser.add_argument("--against", type=pathlib.Path, help="another gpustage, with rows of its own")
    given = parser.parse_args()
    count = given.cases // 2 * 2
    store, cases = given.store.resolve(), given.store.resolve() / "cases"
    shutil.rmtree(cases, ignore_errors=True)
    subject = given.subject.resolve()
    write_gpustage(cases / "gpustage", count, subject)
    write_testscript(cases / "testscript", count)
    write_lit(cases / "lit", count)
    write_pytest(cases / "pytest", count)
    write_bats(cases / "bats", count)
    for i in range(FILES):
        write(cases / f"bare/lib/file-{i}", f"number {i}\n")
    (cases / "bare/links").mkdir()
    for i in range(LINKS):
        (cases / f"bare/links/file-{i}").symlink_to(f"../lib/file-{i}")

    rows = harnesses(cases, store, given.program.resolve(), subject, count)
    if given.against:
        for row in harnesses(cases, store, given.against.resolve(), subject, count)[len(PEERS) + 1:]:
            row.name = row.name.replace("gpustage", "the other")
            rows.append(row)
    rows = [row for row in rows if re.search(given.only, row.name)]
    here = [row for row in rows if not row.missing]
    scratch = store / "scratch"
    for row in here:  # not counted: it also warms what is cached
        row.best = min(row.jobs, key=lambda jobs: min(row.run(scratch, jobs)[0] for _ in range(2)))
    for number in range(given.rounds):
        for i in range(len(here)):
            row = here[(number + i) % len(here)]
            wall, cpu = row.run(scratch, row.best)
            row.seconds.append(wall)
            row.cpu.append(cpu)
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(cases, ignore_errors=True)
    print(table(rows, count, given.rounds, given.about))
    result = {"about": given.about, "cases": count, "rounds": given.rounds,
              "rows": [{"name": row.name, "version": row.version, "jobs": row.best, "missing": row.missing, "seconds": row.seconds,
                        "processor_seconds": row.cpu} for row in rows]}
    write(store / "peers.json", json.dumps(result, indent=1) + "\n")


main()
