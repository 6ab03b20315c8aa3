"""Holds the table of harness/docs/reasons.md to the collection: each cell names a scenario whose claim has that step and cause of a library of
that family, or a note that says why there is none. Rows are all causes of cause.cc, and the codes that a start gives, by the names of the
public headers. reasons_test.py [--claims]: prints what the collection claims."""
import collections
import pathlib
import re
import sys

PAGE = pathlib.Path("harness/docs/reasons.md")
# Codes of a start, each of its API: what the issues of users name.
CODES = {"driver": [34, 100, 101, 801, 802, 803, 804, 805, 999], "NVML": [4, 9, 12, 15, 17, 18, 999], "runtime": [35]}
# A fact below a code, as words.cc tells it: a node, who may not, two versions, a library looked for, a copy, a variable.
FACT = re.compile(r'could not be opened|is not there|may not |is of version .* and the kernel|was looked for in|, found |another copy is| is "')
COLUMNS = {"CUDA backend": ["kBackend"], "Vulkan": ["kVulkanLoader"], "runtime": ["kRuntime"], "driver": ["kDriver"], "NVML": ["kManagement"],
           "libraries of CUDA's": ["kBlas"], "HIP": ["kHip"], "HSA": ["kHsa"]}


def family_of(name, table):
    name = name.rsplit("/", 1)[-1]
    if name.startswith("libggml-vulkan"):
        return "kVulkanLoader"
    if name.startswith("libggml-cuda"):
        return "kBackend"
    return next((family for begin, family in table if name.startswith(begin)), "")


def claims():
    """(scenario, family, step, cause, because) of each loss that is claimed, or remark."""
    table = re.findall(r'\{"([^"]+)", Family::(\w+)\}', pathlib.Path("harness/evidence/path/families.cc").read_text())
    found = []
    for file in sorted(pathlib.Path("scenarios").rglob("*.yaml")):
        for kind, body in re.findall(r"\b(lost|reached): \{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}", file.read_text()):
            entry = {key: value.strip('"') for key, value in re.findall(r'(\w+): ("(?:[^"\\]|\\.)*"|[^,]+)', body)}
            found.append((str(file.relative_to("scenarios"))[:-5], family_of(entry.get("library", ""), table),
                          entry.get("at", "" if kind == "lost" else "reported"), entry.get("cause", ""), entry.get("because", "")))
    return found


def main():
    known = claims()
    if sys.argv[1:] == ["--claims"]:
        by = collections.defaultdict(set)
        for scenario, family, step, cause, _ in known:
            by[step, cause, family].add(scenario)
        for key in sorted(by):
            print(*key, *sorted(by[key])[:4], sep="  ")
        return 0
    wrong, seen, cells = [], set(), 0
    text = PAGE.read_text()
    notes = dict(re.findall(r"^- \(([a-z])\) (.+)$", text, re.M))
    at = text.index("## Where each is shown")
    columns = []
    for line in text[at:text.index("\n## ", at + 5)].split("\n"):
        if not line.startswith("|") or line.startswith("|--"):
            continue
        if line.startswith("| step"):
            columns = [cell.strip() for cell in line.strip("|").split("|")][2:]
            wrong += [f"no family is called \"{name}\"" for name in columns if name not in COLUMNS]
            continue
        step, key, *row = [cell.strip() for cell in line.strip("|").split("|")]
        words = re.findall(r"`([a-z-]+)`", key)
        numbers = [int(number) for number in re.findall(r"\b\d+\b", key)]
        seen.update(words)
        seen.update((column, number) for column, cell in zip(columns, row) for number in numbers if "/" in cell or "(" in cell)
        for column, cell in zip(columns, row):
            cells += 1
            scenarios = re.findall(r"\b[\w.-]+/[\w.-]+", cell)
            if not scenarios:
                note = re.fullmatch(r"– \(([a-z])\)", cell)
                if not note or note[1] not in notes:
                    wrong.append(f"{step}, {key}, {column}: \"{cell}\" is no scenario and no note")
            for scenario in scenarios:
                fits = [one for one in known if one[0] == scenario and one[1] in COLUMNS.get(column, []) and step in ("–", one[2]) and
                        (one[3] in words or any(f"{number} (" in one[4] or f"gave {number}" in one[4] for number in numbers))]
                if not fits:
                    wrong.append(f"{step}, {key}, {column}: no claim of {scenario} says so")
                # A code alone is no reason, where a fact lies below it: a note says of a cell that none does.
                below = [one for one in known if one[0] == scenario and one[1] in COLUMNS.get(column, []) and step == one[2] and FACT.search(one[4])]
                if fits and numbers and not below and not re.search(r"\(([a-z])\)", cell):
                    wrong.append(f"{step}, {key}, {column}: {scenario} claims the code, and no fact below it")
    causes = re.findall(r'"([a-z-]+)"', pathlib.Path("harness/scenario/model/cause.cc").read_text().split("kWords")[1].split("};")[0])
    wrong += [f"no row has the cause {cause}" for cause in causes if cause not in seen and cause != "unknown"]
    wrong += [f"no cell has code {number} of the {api}" for api, numbers in CODES.items() for number in numbers if (api, number) not in seen]
    print("\n".join(wrong) if wrong else f"{cells} cells hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
