"""html_many.py REPORT.json MANY.json N: the runs of a report again and again, under other names, N of them in all."""
import json
import sys

report = json.load(open(sys.argv[1]))
cases, many = report["cases"], []
for n in range(int(sys.argv[3])):
    case = dict(cases[n % len(cases)])
    # Of every few hundred one is bad, as in a real collection.
    if n % 300 and case["verdict"] != "pass":
        case = dict(next(c for c in cases if c["verdict"] == "pass"))
    case["axes"] = dict(case["axes"], number=str(n))
    case["scenario"] = f"many/scenario-{n % 250}"
    case["id"] = f"{case['scenario']}@" + ",".join(f"{k}={v}" for k, v in sorted(case["axes"].items()))
    case["log"] = case["log"] + [f"line of run {n}"]
    if n >= 200:
        case.pop("detail", None)
    many.append(case)
report["cases"] = sorted(many, key=lambda c: c["id"])
for verdict in report["totals"]:
    report["totals"][verdict] = sum(c["verdict"] == verdict for c in many)
report["selection"] = None
json.dump(report, open(sys.argv[2], "w"))
