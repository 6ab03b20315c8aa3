"""Holds README.md and harness/docs to what is printed: pages.py BUILD_TREE [--walk DIR]

In a page, a block ```sh is run line by line and must end with 0, or with N where "# exit N" stands behind it; a block ```console is a
command behind "$ " and what it prints, where a "…" is any text, and one alone in a line any lines. A block behind
"<!-- file: NAME -->" is that file for all of the page, and one that is a scenario is run. A command in `backticks` must have the verb
and the options that it names. Links lead somewhere; commands.md is what the program writes.

With --walk nothing is run: DIR gets the files of all pages and walk.sh, which runs what they show from README on, line by line, with
whatever gpustage the PATH has; of a machine that has nothing else (tests/install/deb_test.sh, tests/full/roots.sh).
"""
import json
import os
import pathlib
import re
import shlex
import shutil, subprocess
import sys
import tempfile

BUILD = pathlib.Path(sys.argv[1]).resolve()
SOURCE = pathlib.Path.cwd()
PROGRAM = BUILD / "harness/gpustage"
PAGES = [SOURCE / "README.md", *sorted((SOURCE / "harness/docs").glob("*.md"))]
MOST_LINES_OF_README = 100
OURS = {"test", "full", "package", "image", "bench", "real"}  # of harness/dev itself: tests/dev_test.sh

wrong = []
ran = {"sh": 0, "console": 0, "scenario": 0, "inline": 0}


def complain(page, line, words):
    wrong.append(f"{page.relative_to(SOURCE)}:{line}: {words}")


def start(command, folder, called="gpustage"):
    environment = dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}", NO_COLOR="1", GPUSTAGE_CALLED_AS=called)
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def verbs():
    page = start("gpustage help --format markdown", WORK).stdout
    if page != (SOURCE / "harness/docs/commands.md").read_text():
        wrong.append("harness/docs/commands.md is not what `gpustage help --format markdown` prints")
    table = {}
    for part in page.split("\n## ")[1:]:
        name = part.split("\n", 1)[0]
        table[name] = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", part))
    return table


def blocks(text):
    """(line, tag, file, text) of each fenced block."""
    marked, inside, tag, file, lines, first = "", False, "", "", [], 0
    for number, line in enumerate(text.split("\n"), 1):
        fence = re.fullmatch(r"```(\w*)", line)
        if inside and fence:
            yield first, tag, file, "\n".join(lines) + "\n"
            inside = False
        elif inside:
            lines.append(line)
        elif fence:
            inside, tag, file, lines, first, marked = True, fence[1], marked, [], number, ""
        elif match := re.fullmatch(r"<!-- file: (\S+) -->", line):
            marked = match[1]


def even(text):
    """What differs from run to run: numbers of events, times, blanks at an end."""
    text = re.sub(r"#\d+", "#N", text)
    text = re.sub(r" +\d+ ms", " N ms", text)
    text = re.sub(r"in \d+\.\d s", "in N s", text)
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def matches(expected, seen):
    pattern = ""
    for line in expected:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("…")) + "\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in seen))


def commands(first, text):
    """(line, command, exit status) of a block of shell."""
    for offset, line in enumerate(text.split("\n")):
        words = line.split()
        if len(words) < 2 or words[0] not in ("gpustage", "harness/dev", ".build/harness/gpustage") or words[1] in OURS:
            continue
        status = re.search(r"# exit (\d+)", line)
        yield first + 1 + offset, line, int(status[1] if status else 0)


def check_sh(page, first, text):
    for number, line, status in commands(first, text):
        done = start(line, WORK)
        ran["sh"] += 1
        if done.returncode != status:
            complain(page, number, f"ended with {done.returncode}: {line}\n{done.stdout}{done.stderr}")


def check_console(page, first, text):
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, expected = part.partition("\n")
        done = start(command, WORK, command.split()[0])
        ran["console"] += 1
        if not matches(even(expected), even(done.stdout + done.stderr)):
            complain(page, first, f"`{command}` prints otherwise:\n{done.stdout}{done.stderr}")


def check_inline(page, text, table):
    prose = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.M | re.S)
    for match in re.finditer(r"`(?:gpustage|harness/dev) ([a-z-]+)([^`]*)`", prose):
        line = prose[: match.start()].count("\n") + 1
        verb, rest = match[1], match[2].split(" -- ")[0]
        ran["inline"] += 1
        if match[0].startswith("`harness") and verb in OURS:
            continue
        if verb not in table:
            complain(page, line, f"there is no command {verb}")
            continue
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest):
            if option not in table[verb]:
                complain(page, line, f"{verb} has no option {option}")
    for match in re.finditer(r"\]\(([^)#]+)(#[^)]*)?\)", prose):
        if "://" not in match[1] and not (page.parent / match[1]).exists():
            complain(page, prose[: match.start()].count("\n") + 1, f"leads nowhere: {match[1]}")


def lay_out():
    """A source tree as the pages speak of it, with the program behind both its names, and a log to explain."""
    (WORK / "bin").mkdir()
    (WORK / "harness").mkdir()
    (WORK / ".build").symlink_to(BUILD)
    (WORK / "bin/gpustage").symlink_to(PROGRAM)
    (WORK / "harness/dev").symlink_to(PROGRAM)
    shutil.copy(BUILD / "subjects/my_scanner", WORK / "my-scanner")
    recorded = SOURCE / "fixtures/recordings/ollama-0.17.4/scanner-not-loading/the-report.json"
    lines = json.loads(recorded.read_text())["lines"]
    of = json.loads(recorded.read_text())["recordings"]["scanner-not-loading/the-report@cause=B1-no-libcudart debug=1"]
    log = []
    for part in of["log"].split():  # "3" or "5-9"
        ends = part.split("-")
        log += lines[int(ends[0]) : int(ends[-1]) + 1]
    stamp = "time=2026-02-26T09:23:07.417Z "
    (WORK / "ollama.log").write_text("".join((stamp if line.startswith("level=") else "") + line + "\n" for line in log))


def walk():
    script = ["cd \"$(dirname \"$0\")\"; wrong=0; steps=0"]
    script += ["step() {  # PLACE STATUS COMMAND", "  steps=$((steps + 1)); bash -c \"$3\" >.said 2>&1 </dev/null; local status=$?"]
    script += ["  [[ $status == \"$2\" ]] || { wrong=$((wrong + 1)); echo \"$1: ended with $status: $3\"; tail -3 .said; }", "}"]
    for page in PAGES:
        name = page.relative_to(SOURCE)
        found = list(blocks(page.read_text()))
        for first, tag, file, body in found:
            if file:
                script.append(f"cat >{shlex.quote(file)} <<'END_OF_FILE'\n{body}END_OF_FILE")
        for first, tag, file, body in found:
            steps = []
            if file and re.search(r"^claim:", body, re.M):
                steps = [(first, f"gpustage run {file}", 0)]
            elif tag == "sh":
                steps = commands(first, body)
            elif tag == "console":
                steps = [(first, part.split("\n")[0], 0) for part in re.split(r"^\$ ", body, flags=re.M)[1:]]
            script += [f"step {name}:{line} {status} {shlex.quote(command)}" for line, command, status in steps]
    script += ['echo "$steps steps, $wrong wrong"', "exit $((wrong > 0))"]
    (WORK / "walk.sh").write_text("\n".join(script) + "\n")
    for name in ("bin/gpustage", ".build"):
        (WORK / name).unlink()
    (WORK / "bin").rmdir()
    (WORK / "harness/dev").unlink()
    (WORK / "harness/dev").write_text('#!/bin/sh\nexec gpustage "$@"\n')
    (WORK / "harness/dev").chmod(0o755)
    return 0


def main():
    lay_out()
    if len(sys.argv) > 2:
        return walk()
    table = verbs()
    for page in PAGES:
        text = page.read_text()
        found = list(blocks(text))
        for first, tag, file, body in found:
            if file:
                (WORK / file).write_text(body)
        for first, tag, file, body in found:
            if file and re.search(r"^claim:", body, re.M):
                done = start(f"gpustage run {file}", WORK)
                ran["scenario"] += 1
                if done.returncode != 0 or not re.search(r"^[1-9]\d* passed", done.stdout, re.M):
                    complain(page, first, f"{file} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
            elif tag == "sh":
                check_sh(page, first, body)
            elif tag == "console":
                check_console(page, first, body)
        check_inline(page, text, table)
    lines = len(PAGES[0].read_text().splitlines())
    if lines > MOST_LINES_OF_README:
        wrong.append(f"README.md has {lines} lines, and {MOST_LINES_OF_README} are the end")
    if not all(ran.values()):
        wrong.append(f"nothing was found of a kind: {ran}")
    print(*wrong, sep="\n\n")
    print(", ".join(f"{count} {kind}" for kind, count in ran.items()), f"of {len(PAGES)} pages;", f"{len(wrong)} wrong")
    return 1 if wrong else 0


if sys.argv[2:3] == ["--walk"]:
    WORK = pathlib.Path(sys.argv[3])
    WORK.mkdir()
    sys.exit(main())
with tempfile.TemporaryDirectory() as folder:
    WORK = pathlib.Path(folder)
    sys.exit(main())
