#!/usr/bin/env python3
"""Every option of harness/docs/commands.md, and every key of the schema of scenarios, is given by some test or scenario: one that no test
knows could be ignored, and nobody would see.

    options_test.py        options_test.py --self-test
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = {".cc", ".h", ".sh", ".py", ".md", ".yaml"}


def options(page):
    """{(verb, (names of one option))} of the tables of commands.md."""
    found, verb = set(), ""
    for line in page.splitlines():
        if line.startswith("## "):
            verb = line[3:].strip("` ")
        told = re.match(r"\| `((?:-{1,2}[a-z][a-z-]*(?:, )?)+)", line)
        if told:
            found.add((verb, tuple(told.group(1).split(", "))))
    return found


def keys(schema):
    """Names of properties, wherever they stand."""
    found = set()
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            found |= set(schema["properties"])
        for value in schema.values():
            found |= keys(value)
    elif isinstance(schema, list):
        for value in schema:
            found |= keys(value)
    return found


def nowhere(page, schema, tests, scenarios):
    lost = []
    for verb, names in sorted(options(page)):
        if not any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", tests) for name in names if name.startswith("--")):
            lost.append(f"gpustage {verb} {names[0]}: no test gives it")
    lost += [f"{key}: no test and no scenario says it" for key in sorted(keys(schema)) if not re.search(rf"\b{re.escape(key)}\b", tests + "\n" + scenarios)]
    return lost


def text_below(folder, suffixes, without=()):
    return "\n".join(path.read_text(errors="replace") for path in sorted((ROOT / folder).rglob("*"))
                     if path.suffix in suffixes and path.is_file() and path.name not in without)


def self_test():
    page = "## run\n| `--one, -o FILE` | x |\n| `--two` | x |\n"
    schema = {"properties": {"key": {"properties": {"below": {}}}}}
    assert nowhere(page, schema, '"--one" --two key below', "") == []
    assert nowhere(page, schema, '"--one" --two-more key', "x") == ["gpustage run --two: no test gives it", "below: no test and no scenario says it"]
    assert len(options((ROOT / "harness/docs/commands.md").read_text())) > 100


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    lost = nowhere((ROOT / "harness/docs/commands.md").read_text(), json.loads((ROOT / "harness/scenario/scenario.schema.json").read_text()),
                   text_below("tests", TESTS, {"options_test.py"}), text_below("scenarios", {".yaml"}) + text_below("fixtures", {".yaml"}))
    print("\n".join(lost))
    return 1 if lost else 0


sys.exit(main())
