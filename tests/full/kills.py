#!/usr/bin/env python3
"""gpustage killed at random moments, and started where something is missing. See tests/full/kills.sh.

    kills.py TREE [--kills N] [--seed N] [--result FILE]

Who runs this is the subreaper of all that it starts: what a dead gpustage leaves behind is a child of this process.
"""
import argparse
import ctypes
import json
import os
import pathlib
import pty
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NOBODY = 65534
SIGNALS = ["KILL", "TERM", "INT", "HUP", "terminal closed"]
PATIENCE = 15  # seconds in which all is gone; it is waited for no longer than needed
LEND = """mount --make-rprivate /
for file in /etc/subuid /etc/subgid; do [ -e "$file" ] && mount --bind "$0" "$file"; done; exec "$@" """


class Place:
    """Who runs gpustage, and the TMPDIR of their own."""

    def __init__(self, tree, scratch, level):
        self.level = level
        self.tmp = scratch / f"tmp-{level}"
        self.tmp.mkdir()
        os.chmod(self.tmp, 0o700)
        self.before = []
        if level != "root":
            os.chown(self.tmp, NOBODY, NOBODY)
            self.before = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        if level == "sub":
            ids = scratch / "ids"
            ids.write_text("nobody:200000:65536\n")
            self.before = ["unshare", "--mount", "bash", "-c", LEND, str(ids), *self.before]
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.tmp), "TMPDIR": str(self.tmp), "NO_COLOR": "1"}
        self.words = [str(tree / "harness/gpustage"), "run", "first-steps", "--scanner", "ollama-model", "--scanner", "dlopen", "--jobs", "2"]

    def command(self):
        return [*self.before, *self.words]

    def run(self, **options):
        return subprocess.run(self.command(), env=self.environment, capture_output=True, timeout=300, **options)


def children():
    """Every process below this one."""
    found, todo = [], [os.getpid()]
    while todo:
        process = todo.pop()
        try:
            for task in os.listdir(f"/proc/{process}/task"):
                below = pathlib.Path(f"/proc/{process}/task/{task}/children").read_text().split()
                found += below
                todo += map(int, below)
        except OSError:
            pass
    return found


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def of_the_machine():
    """What a run must leave as it was."""
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as sockets:
        abstract = sorted(line.split()[-1] for line in sockets if " @" in line)
    # gpustage-box-PID-NUMBER; of a living one it is somebody else's.
    counts = [name for place in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup") if os.path.isdir(place) for name in os.listdir(place)
              if name.startswith("gpustage-box-") and not os.path.exists("/proc/" + name.split("-")[2])]
    return {"mounts": sorted(line.split()[4] for line in open("/proc/self/mountinfo")), "/dev/shm": sorted(os.listdir("/dev/shm")),
            "abstract sockets": [name for name in abstract if "gpustage" in name], "cgroups": counts}


def below(directory):
    return [os.path.join(folder, name) for folder, folders, files in os.walk(directory) for name in [*folders, *files]]


def soon(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def start_and_end(place, how, moment):
    """(exit status, whether it had ended before)"""
    if how == "terminal closed":
        process, terminal = pty.fork()
        if process == 0:
            os.execvpe(place.command()[0], place.command(), place.environment)
    else:
        process, terminal = subprocess.Popen(place.command(), env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid, -1
    end = time.monotonic() + moment
    status = None
    while time.monotonic() < end and status is None:
        if terminal >= 0:
            os.set_blocking(terminal, False)
            try:
                os.read(terminal, 65536)
            except OSError:
                pass
        gone, raw = os.waitpid(process, os.WNOHANG)
        status = os.waitstatus_to_exitcode(raw) if gone else None
        time.sleep(0.002)
    early = status is not None
    if terminal >= 0:
        os.close(terminal)
    elif not early:
        os.kill(process, getattr(signal, "SIG" + how))
    waited = time.monotonic() + PATIENCE
    while status is None and time.monotonic() < waited:
        gone, raw = os.waitpid(process, os.WNOHANG)
        status = os.waitstatus_to_exitcode(raw) if gone else None
        time.sleep(0.005)
    return status, early


def killed(place, count, random_, wrong):
    """Kills it so often, and says what was left."""
    begin = time.monotonic()
    whole = place.run()
    length = time.monotonic() - begin
    if whole.returncode != 0:
        wrong(f"{place.level}: undisturbed it ends with {whole.returncode}: {whole.stdout[-400:]} {whole.stderr[-400:]}")
        return {"kills": 0}
    said = {"kills": 0, "ended before": 0, "empty directory left": 0}
    before, allowed = of_the_machine(), set()
    while said["kills"] < count and said["ended before"] < 3 * count:
        how = SIGNALS[said["kills"] % len(SIGNALS)]
        status, early = start_and_end(place, how, random_.uniform(0, length))
        name = f"{place.level}, kill {said['kills']} ({how})"
        said["ended before" if early else "kills"] += 1
        if status is None:
            wrong(f"{name}: it did not end in {PATIENCE} s")
        elif status in (-signal.SIGABRT, -signal.SIGSEGV, 134, 139):
            wrong(f"{name}: it ended with {status}")
        if not soon(lambda: reap() or not children()):
            wrong(f"{name}: processes stay: {children()}")
        # What SIGKILL leaves is cleared by the next one that comes far enough to make its own.
        left = set(below(place.tmp))
        new = left - allowed
        if new and (early or how != "KILL" or len(new) > 1 or any(not os.path.isdir(entry) for entry in new)):
            wrong(f"{name}: {sorted(new)} stay, status {status}")
        said["empty directory left"] += len(new)
        allowed = left
        now = of_the_machine()
        for what in ("mounts", "/dev/shm", "abstract sockets"):
            if now[what] != before[what]:
                wrong(f"{name}: {what} were {before[what]} and are {now[what]}")
    last = place.run()
    left, now = below(place.tmp), of_the_machine()
    if last.returncode != 0 or left or now != before:
        wrong(f"{place.level}: after the next start, {last.returncode}, {left} stays; {now}")
    return said


# ---- Where something is missing ---------------------------------------------------------------------------------------------------


def limits(**wanted):
    def apply():
        for name, value in wanted.items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
    return apply


def judged(name, place, ran, wrong, good=(0, 1, 2, 3), left=0):
    """It ended by itself, with a sentence where it could do nothing, and left nothing."""
    text = (ran.stdout + ran.stderr).decode(errors="replace")
    bad = [word for word in ("has a bug", "bug at", "Sanitizer") if word in text]
    bad += [word for word in ("terminate called",) if word in ran.stderr.decode(errors="replace")]  # on stdout it is a scanner's
    if ran.returncode not in good or bad or (ran.returncode == 3 and not ran.stderr):
        wrong(f"{name}: status {ran.returncode} {bad}: {text[-300:]}")
    if not soon(lambda: reap() or not children()):
        wrong(f"{name}: processes stay: {children()}")
    if len(below(place.tmp)) > left:
        wrong(f"{name}: {below(place.tmp)} stay")
    return ran.returncode


def odd_places(place, scratch):
    """Names and values of TMPDIR, and a command that is to stand before it all."""
    yield "relative", "tmp-elsewhere", []
    yield "missing", str(scratch / "no such directory"), []
    for name, word in {"spaces": "a b", "comma": "a,b", "colon": "a:b", "quote": "a'b\"", "newline": "a\nb", "not UTF-8": b"a\xffb",
                       "backslash": "a\\040b", "long": "x" * 200 + "/" + "y" * 200 + "/" + "z" * 250}.items():
        directory = os.path.join(os.fsencode(scratch), b"odd", os.fsencode(word))
        os.makedirs(directory, exist_ok=True)
        if place.level != "root":
            os.chown(directory, NOBODY, NOBODY)
        yield name, directory, []
    link = scratch / f"link-{place.level}"
    link.symlink_to(place.tmp)
    yield "a link", str(link), []
    for name, options in {"of 1 MiB": "size=1m", "of 4 KiB": "size=4k", "without files": "nr_inodes=1", "read-only": "ro"}.items():
        directory = scratch / f"mount-{name}-{place.level}".replace(" ", "-")
        directory.mkdir()
        yield name, str(directory), ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o mode=1777,{options} tmpfs "$0" && exec "$@"', str(directory)]


def poor(place, scratch, wrong):
    """Statuses by surroundings."""
    said = {}

    def one(name, words=(), good=(0, 1, 2, 3), environment=(), **options):
        kept = place.environment
        place.environment = {**kept, **dict(environment)}
        try:
            ran = subprocess.run([*words, *place.command()], env=place.environment, capture_output=True, timeout=300, **options)
            said[name] = judged(f"{place.level}, {name}", place, ran, wrong, good)
        except subprocess.TimeoutExpired:
            wrong(f"{place.level}, {name}: not done in 300 s")
        finally:
            place.environment = kept

    (scratch / "odd").mkdir(exist_ok=True)
    for name, value, words in odd_places(place, scratch):
        one("TMPDIR " + name, words, environment=[("TMPDIR", value)], cwd=scratch)
    for count in (4, 6, 8, 12, 16, 24, 32, 64, 128):
        one(f"{count} descriptors", preexec_fn=limits(NOFILE=count))
    for megabytes in (30, *range(40, 124, 4), 200, 400, 1000):
        one(f"{megabytes} MB of addresses", preexec_fn=limits(AS=megabytes << 20))
    for kilobytes in (0, 1, 64, 1024):
        one(f"files of {kilobytes} KiB", preexec_fn=limits(FSIZE=kilobytes << 10))
    if place.level != "root":
        for count in (1, 5, 20, 60, 200):
            one(f"{count} processes", ["prlimit", f"--nproc={count}"])
    # The host's directories are hidden in a mount namespace of the command's own; what comes after `--` is run there.
    for path in ("/proc", "/dev/shm", "/sys", "/tmp", "/etc"):
        hide = f'mount -t tmpfs tmpfs {path} && exec "$@"'
        if path == "/tmp":
            hide = 'mount -t tmpfs -o ro tmpfs /var/tmp && exec "$@"'
        one("/var/tmp read-only" if path == "/tmp" else f"no {path}", ["unshare", "--mount", "sh", "-c", hide, "sh"])
    for name, target in {"full": "/dev/full", "none": "/no/such/folder/report.json"}.items():
        place.words += ["--report", "json=" + target]
        one(f"a report to a disk that is {name}", good=(2,))
        del place.words[-2:]
    return said


def main():
    options = argparse.ArgumentParser()
    options.add_argument("tree", type=pathlib.Path)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--levels", default="root,one,sub")
    options.add_argument("--result")
    words = options.parse_args()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    random_ = random.Random(words.seed)
    mistakes = []

    def wrong(text):
        mistakes.append(text)
        print("WRONG:", text, flush=True)

    result = {"seed": words.seed}
    scratch = pathlib.Path(tempfile.mkdtemp(dir="/var/tmp" if os.path.isdir("/var/tmp") else None))
    os.chmod(scratch, 0o755)
    try:
        levels = [level for level in words.levels.split(",") if level != "sub" or shutil.which("newuidmap")]
        for level in levels:
            place = Place(words.tree.resolve(), scratch, level)
            count = words.kills // 2 if level == "root" else words.kills // 2 // max(1, len(levels) - 1)
            if words.kills:
                result[level] = killed(place, count, random_, wrong)
                print(f"{level}: {result[level]}", flush=True)
            said = poor(place, scratch, wrong)
            result.setdefault(level, {})["poor surroundings"] = len(said)
            print(f"{level}, poor surroundings: " + ", ".join(f"{name} {status}" for name, status in said.items()), flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    result["wrong"] = len(mistakes)
    print(json.dumps(result))
    if words.result:
        pathlib.Path(words.result).write_text(json.dumps(result))
    return 1 if mistakes else 0


sys.exit(main())
