#!/usr/bin/env python3
"""What `harness/dev full` left in tests/full.json: every part of tests/full is there, green, and at most 40 commits old.

    full_test.py [REPOSITORY]        full_test.py --self-test

A part that never ran stands there with the reason, {"never": WHY}, and is told; one that is not there at all is red. In a source tree without
git, and in a checkout without its history, ages are not known: skipped (77), unless a part is red.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

MOST_COMMITS = 40


def git(root, *words):
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def why_no_ages(root):
    top = git(root, "rev-parse", "--show-toplevel")
    if top is None or pathlib.Path(top).resolve() != root.resolve():
        return "this is no checkout of git"
    return "the checkout has no history" if git(root, "rev-parse", "--is-shallow-repository") == "true" else ""


def judge(root):
    """(lines to tell, lines that are wrong, why ages are not known)"""
    told, wrong, no_ages = [], [], why_no_ages(root)
    kept = json.loads((root / "tests/full.json").read_text())
    parts = {path.stem for path in (root / "tests/full").glob("*.sh")}
    wrong += [f"{name}: in tests/full.json, and there is no tests/full/{name}.sh" for name in sorted(kept.keys() - parts)]
    wrong += [f"{name}: not in tests/full.json: run harness/dev full {name}, or say why not: {{\"never\": WHY}}" for name in sorted(parts - kept.keys())]
    for name in sorted(parts & kept.keys()):
        part = kept[name]
        if part.get("never"):
            told.append(f"{name}: never run: {part['never']}")
            continue
        if part.get("status") != 0:
            wrong.append(f"{name}: red at {part.get('commit')} of {part.get('date')}, status {part.get('status')}")
            continue
        if no_ages:
            continue
        commit = str(part.get("commit", "")).removesuffix("+changes")
        age = git(root, "rev-list", "--count", f"{commit}..HEAD") if commit else None
        if age is None:
            wrong.append(f"{name}: green at {part.get('commit')}, a commit that is not known here")
        elif int(age) > MOST_COMMITS:
            wrong.append(f"{name}: green at {part['commit']} of {part['date']}, {age} commits ago; at most {MOST_COMMITS}")
        else:
            told.append(f"{name}: green at {part['commit']} of {part['date']}, {age} commits ago")
    return told, wrong, no_ages


def check(root):
    told, wrong, no_ages = judge(root)
    print("\n".join(told + wrong))
    if wrong:
        return 1
    if no_ages:
        print(f"skipped: how old they are is not known: {no_ages}")
        return 77
    return 0


def self_test():
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        (root / "tests/full").mkdir(parents=True)
        (root / "tests/full/part.sh").write_text("")

        def wanted(code, words, **part):
            (root / "tests/full.json").write_text(json.dumps({"part": part} if part else {}))
            told, wrong, no_ages = judge(root)
            got = 1 if wrong else 77 if no_ages else 0
            assert got == code and words in "\n".join(told + wrong + [no_ages]), (part, told, wrong, no_ages)

        green = {"date": "2026-01-01", "status": 0}
        wanted(77, "no checkout", commit="1234567", **green)
        wanted(1, "red at", commit="1234567", date="2026-01-01", status=1)
        wanted(1, "not in tests/full.json")
        commit = ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--allow-empty", "-m", "c"]
        assert git(root, "init", "--quiet") is not None and git(root, *commit) is not None
        first = git(root, "rev-parse", "--short", "HEAD")
        wanted(0, "0 commits ago", commit=first, **green)
        wanted(0, "0 commits ago", commit=first + "+changes", **green)
        wanted(1, "not known here", commit="1234567", **green)
        wanted(0, "never run: it takes a day", never="it takes a day")
        wanted(1, "red at", commit=first, date="2026-01-01", status=124)
        for _ in range(MOST_COMMITS):
            assert git(root, *commit) is not None
        wanted(0, "40 commits ago", commit=first, **green)
        assert git(root, *commit) is not None
        wanted(1, "41 commits ago; at most 40", commit=first, **green)
        (root / "tests/full/part.sh").unlink()
        wanted(1, "there is no tests/full/part.sh", commit=first, **green)
    return 0


if sys.argv[1:] == ["--self-test"]:
    sys.exit(self_test())
sys.exit(check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
