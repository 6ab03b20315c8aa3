#!/usr/bin/env python3
"""50,000 runs of programs that crash, hang, flood, fork without end and fill what they can, at --jobs 4. See tests/full/soak.sh.

    soak.py TREE [--runs N] [--minutes N] [--keep FILE] [--result FILE]

What each run does is known, and so is its verdict: half of the cases claim what happens, half of them something else, which must fail.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

# name: (words of tests/subjects/actor.c, what is so)
FAULTS = {
    "exits": ('[exit, "7"]', "outcome: {exited: 7}"),
    "counts": ('[out, "GPU\\nGPU\\n", exit, "0"]', "outcome: {exited: 0}, devices: 2"),
    "counts-none": ('[err, "no GPU\\n", exit, "1"]', "outcome: {exited: 1}, devices: 0"),
    "crashes": ("[out, \"GPU\\n\", crash]", "outcome: {killed: SIGSEGV}"),
    "aborts": ("[abort]", "outcome: {killed: SIGABRT}"),
    "kills-itself": ('[raise, "9"]', "outcome: {killed: SIGKILL}"),
    "no-such-file": ("[open, /no/such/file, exit, \"0\"]", 'outcome: {exited: 0}, log: {has: ["open ENOENT"]}'),
    "daemon": ('[daemon, exit, "3"]', "outcome: {exited: 3}"),
    "a-child-dies": ('[dies, "11", exit, "0"]', "outcome: {exited: 0}"),
    "unheard": ('[unheard, "nobody reads this", exit, "0"]', "outcome: {exited: 0}"),
    "ignores": ('[ignore, "15", exit, "5"]', "outcome: {exited: 5}"),
    "bytes": ('[out, "\\xFF\\xFE\\n", exit, "0"]', "outcome: {exited: 0}, devices: 0"),
    "no-mount": ('[mount, /, exit, "0"]', 'outcome: {exited: 0}, log: {has: ["mount EPERM"]}'),
    "no-network": ('[socket, "2", exit, "0"]', 'outcome: {exited: 0}, log: {has: ["socket EAFNOSUPPORT"]}'),
    "lists": ("[list, /dev, exit, \"0\"]", 'outcome: {exited: 0}, log: {has: ["entry null"]}'),
}
# name: (scanner, user, words, what is so): a neighbour that takes all it can.
NEIGHBOURS = {
    "hangs": ("actor", "nobody", "[hang]", "outcome: timed_out"),
    "stays": ("actor", "nobody", '[ignore, "15", daemon, hang]', "outcome: timed_out"),
    "floods": ("actor", "nobody", '[flood, "400000"]', "outcome: {killed: SIGKILL}"),
    "forks": ("actor", "nobody", '[forks, "3000", exit, "0"]', 'outcome: {exited: 0}, log: {has: ["forks some EAGAIN"]}'),
    "children": ("hostile", "nobody", '[children, "3000", /bin/hostile]', 'outcome: {exited: 0}, log: {has: ["EAGAIN"]}'),
    "children-of-root": ("hostile", "root", '[children, "3000", /bin/hostile]', 'outcome: {exited: 0}, log: {has: ["EAGAIN"]}'),
    "threads": ("hostile", "nobody", '[threads, "3000"]', 'outcome: {exited: 0}, log: {has: ["threads some"]}'),
    "descriptors": ("hostile", "nobody", "[descriptors]", 'outcome: {exited: 0}, log: {has: ["descriptors 1021 EMFILE"]}'),
    "memory": ("hostile", "nobody", '[data, "200"]', 'outcome: {exited: 0}, log: {has: ["data ENOMEM"]}'),
    "fills": ("hostile", "nobody", '[fill, /var/tmp/big, "300"]', 'outcome: {exited: 0}, log: {has: ["fill some ENOSPC"]}'),
    "fills-its-tree": ("hostile", "root", '[fill, /one, "1000", fill, /two, "1000", fill, /three, "1000", fill, /four, "1000"]',
                       'outcome: {exited: 0}, log: {has: ["fill some"]}'),
    "long-exec": ("hostile", "nobody", "[exec, exec]", "outcome: {exited: 0}"),
    "handles": ("hostile", "root", "[handle, /]", 'outcome: {exited: 0}, log: {has: ["handle EPERM"]}'),
}
SCANNER = """scanner: {name}
about: it does what it is told
program: {{path: {path}}}
at: /bin/{name}
argv: [/bin/{name}]
fits: nothing
devices: {{read: lines, stream: any, match: '^GPU'}}
log: {{stream: stdout, format: plain}}
time_limit: 120
output_limit: 4
memory_limit: 128
"""
TURNS = 60  # of each fault and claim in one start of gpustage


def scenario():
    text = "claim: what is known of a run is what is said of it\nmachine: {devices: []}\ntree: [{dir: /var/tmp, mode: \"1777\"}]\nmatrix:\n"
    text += f"  n: {{set: env.N, to: [{', '.join(f'{chr(34)}{n}{chr(34)}' for n in range(TURNS))}]}}\n"
    text += "  claims: {set: env.CLAIMS, to: [right, wrong]}\n  fault:\n    set: runs.r.args\n    to:\n"
    text += "".join(f"      - {{as: {name}, value: {words}}}\n" for name, (words, _) in FAULTS.items())
    text += "runs:\n  - {name: r, scanner: actor}\n"
    for place, (name, (scanner, user, words, known)) in enumerate(NEIGHBOURS.items()):
        limit = ", time_limit: 2" if known == "outcome: timed_out" else ""
        text += f"  - {{name: {name}, scanner: {scanner}, user: {user}, args: {words}{limit}, when: {{n: [\"{4 * place}\"], fault: [exits, counts, daemon]}}}}\n"
    text += "expect:\n"
    for name, (_, known) in FAULTS.items():
        text += f"  - {{run: r, when: {{fault: {name}, claims: right}}, {known}}}\n"
    text += "  - {run: r, when: {claims: wrong}, outcome: {exited: 99}}\n"
    for name, (_, _, _, known) in NEIGHBOURS.items():
        text += f"  - {{run: {name}, {known}}}\n"
    return text


def left(tmp):
    # gpustage-box-PID-NUMBER; of a living one it is somebody else's.
    counts = [name for place in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup") if os.path.isdir(place) for name in os.listdir(place)
              if name.startswith("gpustage-box-") and not os.path.exists("/proc/" + name.split("-")[2])]
    mounts = [line for line in open("/proc/self/mountinfo", encoding="utf-8", errors="replace") if " gpustage " in line or str(tmp) in line]
    return counts + mounts + os.listdir(tmp)


def turn(gpustage, folder, wrong):
    """One start of gpustage: (runs, kilobytes resident at most, seconds)"""
    tmp = folder / "tmp"
    tmp.mkdir(exist_ok=True)
    report = folder / "report.json"
    words = [gpustage, "run", folder / "soak.yaml", "--quiet", "--jobs", "4", "--report", f"json={report}"]
    for name in ("actor", "hostile"):
        words += ["--scanner", folder / f"{name}.yaml"]
    with open(folder / "said", "wb") as said:
        begin = time.monotonic()
        process = subprocess.Popen(words, stdout=said, stderr=said, env={**os.environ, "TMPDIR": str(tmp), "NO_COLOR": "1"})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 1:  # half of the claims are wrong
        wrong(f"gpustage ended with {process.returncode}: {(folder / 'said').read_text(errors='replace')[-600:]}")
        return 0, used.ru_maxrss, time.monotonic() - begin
    runs = 0
    for case in json.loads(report.read_text())["cases"]:
        runs += 1
        wanted = "fail" if case["run"] == "r" and "claims=wrong" in case["id"] else "pass"
        if case["verdict"] != wanted:
            wrong(f"{case['id']} [{case['run']}] {case['verdict']}, not {wanted}: {case.get('because')} {case.get('outcome')}")
    if left(tmp):
        wrong(f"left behind: {left(tmp)}")
    return runs, used.ru_maxrss, time.monotonic() - begin


def main():
    options = argparse.ArgumentParser()
    options.add_argument("tree", type=pathlib.Path)
    options.add_argument("--runs", type=int, default=50000)
    options.add_argument("--minutes", type=float, default=50)
    options.add_argument("--keep", type=pathlib.Path)
    options.add_argument("--result", type=pathlib.Path)
    words = options.parse_args()
    tree = words.tree.resolve()
    kept = [json.loads(line) for line in words.keep.read_text().splitlines()] if words.keep and words.keep.exists() else []
    mistakes = collections.Counter(sum((one["wrong"] for one in kept), []))
    end = time.monotonic() + 60 * words.minutes
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for scanner, path in (("actor", tree / "tests/subjects/actor"), ("hostile", tree / "tests/hostile/hostile_scanner")):
            (folder / f"{scanner}.yaml").write_text(SCANNER.format(name=scanner, path=path))
        (folder / "soak.yaml").write_text(scenario())
        os.environ["GPUSTAGE_ALLOW_FILE"] = str(tree)
        while sum(one["runs"] for one in kept) < words.runs and time.monotonic() < end:
            now = []
            runs, kilobytes, seconds = turn(tree / "harness/gpustage", folder, now.append)
            for text in now:
                print("WRONG:", text, flush=True)
            mistakes.update(now)
            kept.append({"runs": runs, "kb": kilobytes, "seconds": round(seconds, 1), "wrong": now})
            print(f"{sum(one['runs'] for one in kept)} runs, {kilobytes} kB at most, {seconds:.0f} s", flush=True)
            if words.keep:
                with open(words.keep, "a", encoding="utf-8") as file:
                    file.write(json.dumps(kept[-1]) + "\n")
            if runs == 0:
                break
    runs = sum(one["runs"] for one in kept)
    result = {"runs": runs, "starts": len(kept), "wrong": sum(mistakes.values()), "kb_first": kept[0]["kb"], "kb_last": kept[-1]["kb"],
              "seconds": round(sum(one["seconds"] for one in kept))}
    print(json.dumps(result))
    if words.result:
        words.result.write_text(json.dumps(result))
    if mistakes:
        return 1
    return 0 if runs >= words.runs else 75


sys.exit(main())
