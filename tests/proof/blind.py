"""Cases for a reader who knows only what `gpustage trace` prints: blind.py BUILD --seed HEX [--count N] [--reports FILE] --out FOLDER

Draws runs that lost a device and whose scenario says what mends them, a scenario at most once. FOLDER/read/NN.txt is what trace
prints of one, with a number for its id and nothing of its scenario: a reader writes down the cause and the mend. FOLDER/key/NN.txt
is for the judge: the scenario's own text, or with --reports the root cause that its public thread came to.
--reports FILE: a list of reports {id, source, root_cause, fix}; only runs that show a report's root cause are drawn (what
tests/collection/root_causes.yaml says of a report, claimed of that very run: BUILD/tests/collection/report_cases), a report at most once.
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys


def cases(gpustage):
    """(case, run) of each run that a +fix stands beside."""
    text = subprocess.run([gpustage, "list", "--format", "json"], check=True, capture_output=True, text=True).stdout
    for case in json.loads(text)["cases"]:
        for run in case["runs"]:
            if not run.endswith("+fix") and run + "+fix" in case["runs"]:
                yield case, run


def reports_by_run(build, file):
    """{(case, run): [report]}"""
    import yaml  # PyYAML; only the reports need it
    reports = {report["id"]: report for report in yaml.safe_load(file.read_text(encoding="utf-8"))}
    by_run = {}
    for line in subprocess.run([build / "tests/collection/report_cases"], check=True, capture_output=True, text=True).stdout.splitlines():
        report, shown = line.split(" ", 1)
        by_run.setdefault(tuple(shown.split("\t")), []).append(reports[report])
    return by_run


def trace(gpustage, case, run):
    """The text of that run alone, its first line taken away; "" where nothing failed."""
    command = [gpustage, "trace", case["id"], "--filter", f"{case['id']} {run}"]
    text = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    for block in re.split(r"\n(?=\S+ \[)", text):
        first, _, rest = block.partition("\n")
        if first == f"{case['id']} [{run}]":
            # One that found all that the machine has lost nothing.
            whole = re.match(r"\d+ devices?\b", rest) and " of the machine's " not in rest.split("\n\n")[0].replace("\n", " ")
            return rest if "    lost " in rest and "(nothing failed)" not in rest and not whole else ""
    return ""


def anonymous(text, case):
    text = re.sub(r"^  next: .*(?:\n    .*)*\n", "", text, flags=re.M)
    for word in (case["id"], case["scenario"]):
        text = text.replace(word, "CASE")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seed", required=True, help="the first 8 hex digits of the commit")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--reports", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    gpustage = str(args.build / "harness/gpustage")

    by_run = reports_by_run(args.build, args.reports) if args.reports else {}
    drawn = sorted(cases(gpustage), key=lambda pair: (pair[0]["id"], pair[1]))
    random.Random(int(args.seed, 16)).shuffle(drawn)
    (args.out / "read").mkdir(parents=True)
    (args.out / "key").mkdir()
    taken, number = set(), 0
    for case, run in drawn:
        if number == args.count:
            break
        keys = by_run.get((case["id"], run), []) if args.reports else [{"id": case["scenario"]}]
        keys = [key for key in keys if key["id"] not in taken]
        if not keys or case["scenario"] in taken:
            continue
        text = trace(gpustage, case, run)
        if not text:
            continue
        taken.update({keys[0]["id"], case["scenario"]})
        number += 1
        (args.out / f"read/{number:02}.txt").write_text(f"case {number:02}\n{anonymous(text, case)}", encoding="utf-8")
        if args.reports:
            key = "".join(f"{name}: {keys[0].get(name)}\n" for name in ("id", "source", "root_cause", "fix"))
        else:
            key = f"axes: {case['axes']}\n\n{pathlib.Path(case['file']).read_text(encoding='utf-8')}"
        (args.out / f"key/{number:02}.txt").write_text(f"{case['id']} [{run}]\n{key}", encoding="utf-8")
    print(f"{number} of {args.count} drawn by {args.seed}")
    return 0 if number == args.count else 1


if __name__ == "__main__":
    sys.exit(main())
