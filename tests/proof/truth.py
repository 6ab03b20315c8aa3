"""Holds what `gpustage trace` prints to a run that nothing of ours watches: truth.py BUILD [--seed N] [--sample N] [--resume FILE] [PATH…]

Each case runs twice. Once watched: its steps, rules, copies, errnos, versions, codes and silences are what trace prints. Once bare: strace
says what the kernel was asked, LD_DEBUG what ld.so did, the journal what the fakes answered, the log what was printed. Every statement is
looked up there. One that is false is told with its case; one that nothing here can check is counted by its kind.
--sample N: N cases drawn by --seed (a number that is printed); without it all below PATH, or the whole collection.
--resume FILE: each round of cases is a line there, and a later call goes on behind the last.
Statuses: 0; 1 where a statement is false or a run has nothing to be held to; 75 where cases are left.
"""
import argparse
import collections
import concurrent.futures
import errno
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

CASES_A_ROUND = 24
NO_RESULT = -(1 << 63)
ERRNO = {os.strerror(number): name for number, name in errno.errorcode.items()}


# ---- what trace prints -------------------------------------------------------------------------------------------------------------

class Statement:
    def __init__(self, word, text, library, pid):
        self.word, self.text, self.library, self.pid = word, text, library, pid


def statements(block):
    """The sentences of one run's text, put together again where they were wrapped."""
    lines = block.rstrip("\n").split("\n")[1:]
    answer, i = [], 0
    while i < len(lines) and lines[i]:
        answer.append(lines[i])
        i += 1
    found = [Statement("answer", " ".join(answer), "", 0)]
    library, tail, pid = "", False, 0
    for line in lines[i:]:
        if not line.strip():
            continue
        at = re.match(r"  (not observable|silent|lacks|before libc|outside|next): (.*)", line)
        if at:
            tail = True
            found.append(Statement(at[1], at[2], library, 0))
        elif re.match(r"  \S", line):
            library = line.strip()
            pid = 0
        elif not tail and re.match(r"    \S", line):
            word, text = line[4:15].strip(), line[17:]
            brief = re.match(r"    (\S.*? \d+|no process) {2,}(\S.*)", line)
            if brief and not re.match(r"(file|listed|matched|opened|loaded|entry point|initialised|counted|needs|lost|because|which copy|"
                                      r"shadows|link|try|note|ld\.so says)\b", line[4:]):
                word, text = "brief", brief[2]
                pid = int(brief[1].split()[-1]) if brief[1] != "no process" else 0
            elif word in ("opened", "loaded", "entry point", "initialised", "counted"):
                who = re.match(r"\S.*?(\d+)\s", text + " ")
                pid = int(who[1]) if who else pid
            found.append(Statement(word, text, library, pid))
        else:
            found[-1].text += " " + line.strip()
    # What stands before the first step of a row belongs to its process too.
    later = {}
    for one in reversed(found):
        if one.word in ("file", "shadows") and one.pid == 0:
            one.pid = later.get(one.library, 0)
        elif one.pid:
            later[one.library] = one.pid
    return found


# ---- what a bare run did -----------------------------------------------------------------------------------------------------------

class Block:
    """One search of ld.so: for a name, on behalf of a file."""

    def __init__(self, name, by):
        self.name, self.by, self.tries, self.found = name, by, [], None


class Process:
    def __init__(self):
        self.programs, self.environment, self.inner = [], {}, None
        self.asked, self.listed = [], []  # (path, errno), paths
        self.ld = ""
        self.blocks, self.bound, self.errors, self.begun = [], [], [], set()

    def read_ld(self):
        rule, block = "", None
        for line in self.ld.split("\n"):
            line = re.sub(r"^\s*\d+:\t", "", line)
            if at := re.match(r"file=(.*?) \[\d+\];  (?:needed|dynamically loaded) by (.*?) \[", line):
                block = Block(at[1], at[2])
                self.blocks.append(block)
            elif at := re.match(r" search path=(.*?)\t\t\((.*)\)", line):
                rule = {"LD_LIBRARY_PATH": "LD_LIBRARY_PATH", "system search path": "default directory"}.get(at[2], at[2].split()[0])
            elif line.startswith(" search cache="):
                rule = "ld.so.cache"
            elif (at := re.match(r"  trying file=(.*)", line)) and block:
                block.tries.append((at[1], rule))
            elif (at := re.match(r"file=(.*?) \[\d+\];  generating link map", line)) and block:
                block.found = block.tries[-1][0] if block.tries else at[1]
            elif at := re.match(r"calling init: (.*)", line):
                self.begun.add(at[1])
            elif at := re.match(r"binding file (.*?) \[\d+\] to (.*?) \[\d+\]: \w+ symbol `(.*?)'", line):
                self.bound.append(at.groups())
            elif ": error: " in line or "error while loading" in line:
                self.errors.append(line)


def unescape(text):
    return re.sub(r"\\(x[0-9a-f]{2}|[0-7]{1,3}|.)", lambda at: {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}.get(at[1]) or
                  (chr(int(at[1], 8)) if at[1][0].isdigit() else chr(int(at[1][1:], 16)) if at[1][0] == "x" else at[1]), text)


def whole_lines(trace):
    """Calls that strace shows in two lines are put together again."""
    lines, unfinished = [], {}
    for line in open(trace, errors="replace"):
        pid, _, rest = line.rstrip("\n").partition(" ")
        rest = rest.lstrip()
        if at := re.match(r"<\.\.\. \w+ resumed>(.*)", rest):
            if pid in unfinished:
                lines[unfinished.pop(pid)][1] += at[1]
            continue
        if rest.endswith("<unfinished ...>"):
            rest = rest[:-len("<unfinished ...>")].rstrip()
            unfinished[pid] = len(lines)
        lines.append([pid, rest])
    return lines


def bare_runs(trace):
    """By (case, run): its processes in the order in which they became a program."""
    runs, now, of, helpers = {}, None, {}, set()
    # Who is made in a box is told by its number there, and is seen by its own: the next that was not seen before.
    born, seen = [], set()
    quoted = r'"((?:[^"\\]|\\.)*)"'
    for pid, line in whole_lines(trace):
        if at := re.match(r"access\(\"/truth/(begin/|end)((?:[^\"\\]|\\.)*)\"", line):
            now = None
            if at[1] == "begin/":
                now = runs.setdefault(tuple(unescape(at[2]).split("\t")), [])
                of, born = {}, []
            continue
        if now is None:
            seen.add(pid)
            continue
        if at := re.match(r"(clone3?|fork|vfork)\((.*)\) += (\d+)", line):
            if pid in of and "CLONE_THREAD" not in at[2]:
                now.append(Process())
            if pid in of:
                born.append((at[3], of[pid] if "CLONE_THREAD" in at[2] else now[-1]))
            elif pid in helpers:
                born.append((at[3], None))
            continue
        if not born and pid not in of:
            seen.add(pid)  # gpustage's own, and the scanner before it is one
        if pid not in of and pid not in helpers and pid not in seen and born:
            told = next((one for one in born if one[0] == pid), born[0])
            born.remove(told)
            if told[1] is None:
                helpers.add(pid)
            else:
                of[pid] = told[1]
        if at := re.match(r"execve\(" + quoted + r", \[(.*?)\], \[(.*)\]\) += 0", line):
            if at[1].endswith("ldconfig"):
                helpers.add(pid)
                continue
            if pid not in of:
                of[pid] = Process()
                now.append(of[pid])
            if not of[pid].programs:  # the order in which they became a program
                now.remove(of[pid])
                now.append(of[pid])
            of[pid].programs.append(unescape(at[1]))
            if base(unescape(at[1])).startswith("ld-"):  # ld.so itself, as ldd starts it: its program is a library
                of[pid].programs += [word for word in map(unescape, re.findall(quoted, at[2])) if word.startswith("/")]
            of[pid].environment = dict(entry.split("=", 1) for entry in map(unescape, re.findall(quoted, at[3])) if "=" in entry)
            continue
        process = of.get(pid)
        if process is None:
            continue
        if line.startswith("writev("):
            text = unescape("".join(re.findall(r'iov_base="((?:[^"\\]|\\.)*)"', line)))
            if at := re.match(r"\s*(\d+):\t", text):
                process.inner = int(at[1])
            if at or "/tmp/ld." in line:
                process.ld += text
        elif at := re.match(r"getdents64\(\d+<(.*?)>.*\) += ", line):
            process.listed.append(re.sub(r".*/tree-\d+(?=/|$)", "", at[1]) or "/")
        elif at := re.match(r"\w+\((?:(?:AT_FDCWD|\d+)(?:<(.*?)>)?, )?" + quoted + r".*\) += (-?\d+)(?: (E[A-Z0-9]+))?", line):
            path = unescape(at[2])
            if not path.startswith("/"):
                path = re.sub(r".*/tree-\d+(?=/|$)", "", at[1] or "") + "/" + path
            process.asked.append((os.path.normpath(path), at[4] or "0"))
    for processes in runs.values():
        for process in processes:
            process.read_ld()
    return runs


# ---- one held to the other ---------------------------------------------------------------------------------------------------------

def base(path):
    return path.rsplit("/", 1)[-1]


def same_path(a, b):
    return os.path.normpath(a) == os.path.normpath(b)


class Run:
    """One run, watched and bare, and the statements about it."""

    def __init__(self, watched, processes, told):
        self.events = {event["id"]: event for event in watched["timeline"]}
        self.told = told
        self.processes = processes
        self.looked = {one["path"]: one for one in told["looked"]}
        self.log = "\n".join(told["log"])
        self.by_pid = self.match(watched["timeline"], processes)
        self.inner = {process.inner: process for process in processes if process.inner}

    @staticmethod
    def match(timeline, processes):
        """Who of the one run is who of the other: the k-th process of a program."""
        by_pid, taken = {}, collections.Counter()
        for event in timeline:
            if event["kind"] != "exec" or event["value"] != 0:
                continue
            same = [process for process in processes if event["subject"] in process.programs]
            k = taken[event["subject"]]
            taken[event["subject"]] += 1
            if k < len(same):
                by_pid[event["pid"]] = same[k]
        return by_pid

    def who(self, pid):
        return [self.by_pid[pid]] if pid in self.by_pid else self.processes

    def calls(self, pid=0):
        ours = {process.inner for process in self.who(pid)}
        return [(name, value) for who, name, value in self.told["journal"] if pid == 0 or who in ours or None in ours]

    def rule_is(self, process, path, rule):
        """Whether ld.so came to this path by this rule, there."""
        at = re.match(r"(.*)\[(\d+)\]$", rule)
        # A directory of two lists has the name of the one that was made first: the program's own.
        kinds = {at[1] if at else rule} | ({"RUNPATH"} if at else set())
        # Where ld.so is the program, the library's own lists are made first, and give their name to a directory of both.
        if at and any(base(program).startswith("ld-") for program in process.programs):
            kinds |= {"RUNPATH", "RPATH"}
        for block in process.blocks:
            for tried, by in block.tries:
                if not same_path(tried, path) or by not in kinds:
                    continue
                if not at:
                    return True
                entries = re.split("[:;]", process.environment.get("LD_LIBRARY_PATH", ""))
                entry = entries[int(at[2]) - 1] if int(at[2]) <= len(entries) else None
                if entry is not None and (tried.startswith((entry or ".").rstrip("/") + "/")):
                    return True
        return False

    # Each check: a pattern, and a function of its match and the statement that says whether it is so.
    def checks(self):
        rule = r"(?:by|in a) (LD_LIBRARY_PATH\[\d+\]|RPATH|RUNPATH|ld\.so\.cache|default directory)"

        def some(pid, test):
            return any(test(process) for process in self.who(pid)) or any(test(process) for process in self.processes)

        def node(at, one):
            # A node that says by its content how it fails is opened by the kernel, and refuses in the journal.
            return some(one.pid, lambda process: (at[1], ERRNO.get(at[2], "?")) in process.asked) or \
                any(path == at[1] and os.strerror(number) == at[2] for _, path, number in self.told["nodes"])

        def refused(at, one):
            looked = self.looked.get(at[3])
            owner = looked and f"{looked['mode'] & 0o7777:04o} {looked['owner']}"
            return looked is not None and owner == at[4] and (at[6] or at[3]) is not None

        def places(name, number, counts, by=None):
            wanted = collections.Counter()
            for kind, count in re.findall(r"([A-Za-z_.]+(?: directories)?) (\d+)", counts):
                wanted["default directory" if kind == "default directories" else kind] += int(count)

            def is_so(process):
                for block in process.blocks:
                    if block.name != name or len(block.tries) != int(number) or (by and not same_path(block.by, by) and base(block.by) != base(by)):
                        continue
                    if not counts or may_be(block, wanted):
                        return True
                return False
            return is_so

        # ld.so's words give a directory of two lists the name of the list that had it first.
        def may_be(block, wanted):
            certain, seen, free = collections.Counter(), set(), 0
            for path, kind in block.tries:
                if path in seen:
                    free += 1
                else:
                    certain[kind] += 1
                seen.add(path)
            return not certain - wanted and sum((wanted - certain).values()) == free

        def code(at, one):
            return any(name == at[1] and value == int(at[2]) for name, value in self.calls())

        def result(at, one):
            wanted = NO_RESULT if at[2].startswith("did") else int(at[2].split("= ")[1])
            return any(name == at[1] and (value == wanted or (wanted == NO_RESULT and value < -(1 << 31))) for name, value in self.calls())

        def need(at, one):
            name, where, by = at[1], at[2], at[3]
            return some(one.pid, lambda process: self.rule_is(process, where + "/" + name, by))

        def link(at, one):
            looked = [pair for known in self.looked.values() for pair in known["links"]]
            return [at[1], at[2]] in looked

        def copy(at, one):
            path, end = at[1], at[2]
            if end and self.looked.get(path, {}).get("end") != end:
                return False
            return some(one.pid, lambda process: self.rule_is(process, path, at[3]))

        def variable(at, one):
            return some(one.pid, lambda process: process.environment.get(at[1]) == at[2])

        def line(at, one):
            text = at[1].removesuffix("…")
            return self.has_line(text)

        def versions(at, one):
            if self.told["kernel_driver"] != at[2]:
                return False
            names = [end["end"] for end in self.looked.values()]
            return any(name.endswith(".so." + at[1]) for name in names) or at[1] in self.told["versions"].values()

        def untried(at, one):
            named = re.search(r"(\S+) was lost at", one.text)  # the answer's library, which has no heading
            names = [one.library] if one.library else [path for path in self.looked if named and base(path) == named[1]]
            tried = any(same_path(block.name, name) or same_path(block.found or "", name)
                        for name in names for process in self.processes for block in process.blocks)
            return not tried and any(self.looked.get(name, {}).get("error") == 0 for name in names)

        def unseen(at, one):
            near = [path for process in self.processes for path in process.listed] + \
                [path for process in self.processes for path, _ in process.asked]
            return not any(same_path(path, at[1]) or path.startswith(at[1] + "/") for path in near)

        def absent(at, one):
            return self.looked.get(at[1], {}).get("error") in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)

        def shut(at, one):
            return self.looked.get(at[1], self.looked.get(one.library, {})).get("error") not in (0, None)

        def asked_for(path, error):
            return any(same_path(name, path) and how == error for process in self.processes for name, how in process.asked)

        def refused_path(at, one):
            return asked_for(at[1], ERRNO.get(at[2], "?"))

        def vain(at, one):
            return asked_for(at[1], "ENOENT") and self.looked.get(at[2], {}).get("error") == 0

        def program(at, one):
            answers = [(os.path.dirname(path), how) for process in self.processes for path, how in process.asked if base(path) == at[1]]
            return len({folder for folder, how in answers if how == "ENOENT"}) >= int(at[2]) and all(how != "0" for _, how in answers)

        def named(at, one):
            blocks = [block for process in self.processes for block in process.blocks]
            return at[1] in self.log and not any(base(block.found or "").startswith(at[1]) for block in blocks)

        def instead(at, one):
            return absent(at, one) and self.looked.get(at[2], {}).get("error") == 0

        def versionless(at, one):
            return some(one.pid, lambda process: any(block.name == at[1] for block in process.blocks)) and \
                self.looked.get(at[2], {}).get("error") == 0

        def mapped_at(path):
            return any(same_path(block.found or "", path) for process in self.processes for block in process.blocks)

        def mapped_there(at, one):
            return all(mapped_at(path) for path in re.findall(r"/[^\s,;]+", at[1]))

        def gone(at, one):
            return asked_for(at[1], "ENOENT") or self.looked.get(at[1], {}).get("error") == errno.ENOENT

        def refused_file(at, one):
            return asked_for(at[1], ERRNO.get(at[2], "?"))

        def no_symbol(at, one):
            symbols = re.findall(r"[\w@.]+", at[1].replace(" and ", " "))
            bound = {symbol for process in self.who(one.pid) for _, _, symbol in process.bound}
            return not any(symbol.partition("@")[0] in bound for symbol in symbols if not symbol.isdigit() and symbol != "more")

        def no_driver(at, one):
            return not any(name == "vkCreateInstance" and value == 0 for name, value in self.calls(one.pid))

        def folders(at, one):
            return len({path for process in self.processes for path, how in process.asked
                        if path.endswith("/vulkan/icd.d") and how != "0"}) >= int(at[1])

        def manifests(at, one):
            return all(asked_for(path, "0") for path in re.findall(r"/\S+?\.json", at[1]))

        def no_entry(at, one):
            return not any(symbol.startswith("ggml_backend_init") and same_path(to, one.library)
                           for process in self.who(one.pid) for _, to, symbol in process.bound)

        def not_there(at, one):
            return self.looked.get(one.library, {}).get("error") == errno.ENOENT if one.library else None

        def dropped(at, one):
            return self.told["devices"] == 0 and any(name == at[1] for name, _ in self.calls())

        def declared(at, one):
            return any((path + "/").startswith(at[1] + "/") for process in self.processes for path, _ in process.asked)

        # Where a node was refused and then given, nothing is lost by it.
        def nothing(at, one):
            for process in self.who(one.pid):
                nodes = [ask for ask in process.asked if re.match(r"/dev/(nvidia|dri/render|kfd|dxg)", ask[0])]
                if any(error != "0" and (path, "0") not in nodes for path, error in nodes):
                    return False
            return not self.told["nodes"]

        return [
            (r"it can be listed and opened, and no process (?:tried it|opened any backend)", untried),
            (r"no process looked into (/\S+?)(?=$|;| \()", unseen),
            (r"there is no directory (/\S+) to be listed", absent),
            (r"(\S+) is listed but cannot be opened by uid \d+", shut),
            (r"(/\S+) could not be listed by uid \d+", shut),
            (r"(/\S+) was looked for in 1 place, and was not found", gone),
            (r"(?<!\S)(/(?!dev/|proc/|sys/)\S+) could not be opened: ([A-Z][A-Za-z ]+?)(?= \(#|$|,|;)", refused_file),
            (r"no library that was loaded has ((?:\w[\w@.]*, )*\w[\w@.]*(?: and (?:\d+ more|\w[\w@.]*))?), which", no_symbol),
            (r"needs (\w+), and no library that was loaded has it", no_symbol),
            (r"no Vulkan driver was started in its process", no_driver),
            (r"there is no directory of Vulkan manifests: (\d+) were asked for", folders),
            (r"no driver was loaded of what was read: (.*)$", manifests),
            (r"it was loaded, and no entry point such as ggml_backend_init was looked up and found", no_entry),
            (r"\S+ is not there: no name in (/\S+) is a backend's", not_there),
            (r"counted a device, and the scanner reported none of it; its last call was (\w+)", dropped),
            (r"^(/\S+), a directory that the scanner declares", declared),
            (r"the Vulkan driver is ((?:/[^\s,;:]+(?:, | and )?)+)", mapped_there),
            (r"^\S+ is (/\S+\.so\S*)$", mapped_there),
            (r"(/\S+) was refused: ([A-Z][A-Za-z ]+?)(?= \(#|$|,)", refused_path),
            (r"(/\S+) was asked for, and is not there(?: \(#\d+\))?; (/\S+) is(?=$|,|\.)", vain),
            (r"the program (\S+) was looked for in (\d+) folders? of PATH, and is not there", program),
            (r"the log speaks of (\S+?)(?: \(#\d+\))?, and no process came to one", named),
            (r"(/\S+) is not there; (/\S+) is, and nobody tried it", instead),
            (r"it was asked for as (\S+), without a version; (/\S+) is another one", versionless),
            (r"^nothing below it was seen", nothing),
            (r"(/(?:dev|proc|sys)/\S+) (?:is not there|could not be opened): ([A-Z][A-Za-z ]+?)(?= \(#|$|,|;| and)", node),
            (r"uid (\d+) may not (enter|list|read and write|read) (/\S+) \((\d{4} \S+?:\S+?)\)(, on the way to (/\S+))?", refused),
            (r"([^\s,]+) was looked for in (\d+) places? \(([^)]*)\)", lambda at, one: some(one.pid, places(at[1], at[2], at[3]))),
            (r"(\S+), needed by (\S+?)(?: \(which \S+ needs\))?, was not found in (\d+) places? \(([^)]*)\)",
             lambda at, one: some(one.pid, places(at[1], at[3], at[4], at[2]))),
            (r"(\S+), which (\S+) asks for, was looked for in (\d+) places? \(([^)]*)\)",
             lambda at, one: some(one.pid, places(at[1], at[3], at[4], at[2]))),
            (r"^(\S+)\s+not found(?:, for (\S+))?; (\d+) places?: (.*)$",
             lambda at, one: one.word != "needs" or some(one.pid, places(at[1], at[3], at[4], at[2]))),
            (r"^(\S+)\s+in (/\S*)  " + rule, lambda at, one: one.word != "needs" or need(at, one)),
            (r"\b([a-z]+[A-Z_]\w*) gave (-?\d+)\b(?! device)", code),
            (r"\b([a-z]\w+) succeeded\b", lambda at, one: (at[1], 0) in self.calls()),
            (r"\b([a-zA-Z_]\w+)\((?:[^()]|\([^()]*\))*\) (= -?\d+|did not return)", result),
            (r"(/\S+) is a link to (\S+?)(?=$|,|;| \()", link),
            (r"(/\S+\.so\S*)(?: -> (/\S+))?(?:, found|  ) ?" + rule, copy),
            (r"\b([A-Z_]+(?:VISIBLE_DEVICES|LIBRARY|PRELOAD|CAPABILITIES)|VK_[A-Z_]+) is \"([^\"]*)\"", variable),
            (r"the library is of version (\S+) and the kernel's module of (\S+?)(?=$|,| \()", versions),
            (r"[Ii]ts last line is \"(.*?)\" \(#", line),
            (r"the loader says \"(.*?)\" \(#", line),
            (r"the log says: (.*?)(?=$| \(#)", line),
            (r"the scanner passed \S+ over: (.*?)(?=$|; [A-Z_]+ is| \(#|, and (?:the|no|its) (?:log|end) )", line),
        ]

    def has_line(self, text):
        """Whether it was printed, whatever numbers were in it."""
        plain = lambda words: re.sub(r"\d+(\.\d+)?(ms|µs|s|%)?|0x[0-9a-f]+", "0", words)
        return text in self.log or plain(text) in plain(self.log)

    def of_step(self, one):
        """Whether a step befell, in a process of its name."""
        library, name = one.library, base(one.library)
        def mapped(process):
            return any(block.found and (same_path(block.found, library) or base(block.found) == name) for block in process.blocks)
        def asked(process):
            return any(same_path(block.name, library) or block.name == name for block in process.blocks)
        if one.word == "opened":
            return any(asked(process) or mapped(process) or library in process.programs for process in self.who(one.pid))
        if one.word == "loaded":
            # Another name of a file that is there already is asked for, and not mapped again.
            end = self.looked.get(library, {}).get("end")
            again = end and any(asked(process) and self.looked.get(block.found, {}).get("end", block.found) == end
                                for process in self.who(one.pid) for block in process.blocks if block.found)
            return again or any(mapped(process) for process in self.who(one.pid)) or any(library in process.programs for process in self.processes)
        if one.word == "listed":
            # strace shows where a link to a directory ends.
            folder = os.path.dirname(library)
            end = self.looked.get(folder, {}).get("end", folder)
            return any(same_path(listed, one) for process in self.processes for listed in process.listed for one in (folder, end))
        if one.word == "matched":
            return any(same_path(path, library) for process in self.processes for path, _ in process.asked) or \
                any(same_path(block.name, library) for process in self.processes for block in process.blocks)
        if one.word == "entry point":
            at = re.search(r"(?<!= )\b([A-Za-z_]\w*) \(#\d+\)", one.text)
            return at is None or any(to == library or same_path(to, library) or base(to) == name
                                     for process in self.who(one.pid) for _, to, symbol in process.bound if symbol == at[1])
        return None

    def refers(self, one):
        """Each (#n) is an event of the kind that the statement is about."""
        kinds = {"listed": {"list", "open"}, "matched": {"open", "look", "search", "exec"}, "opened": {"search", "load"}, "loaded": {"load", "symbol"},  # of a second name of the same file its symbols alone are seen
                
                 "entry point": {"symbol", "call"}, "initialised": {"call"}, "counted": {"call"}}
        wrong = []
        for number in map(int, re.findall(r"\(#(\d+)\)", one.text)):
            event = self.events.get(number)
            if event is None or (one.word in kinds and event["kind"] not in kinds[one.word]):
                wrong.append(f"#{number} is {event and event['kind']}")
        return wrong

    def answer(self, one):
        if one.text.startswith("No device."):
            return self.told["devices"] == 0
        if at := re.match(r"(\d+) devices?(?:: (.*?))?\.(?: |$)", one.text):
            return self.told["devices"] == int(at[1])
        return None

    COMPLAINS = re.compile(r"fail|cannot|could not|couldn't|error|unable|skipping|filtering|not found|no such|not exist|level=(?:WARN|ERROR)", re.I)

    def silent(self, one):
        """yes: no line that complains names the library. no: the line that says so was printed."""
        if "(nothing failed)" in one.text:  # a device that could be had was had
            return self.told["devices"] != 0 or self.told["machine"] <= 0
        if at := re.match(r"yes \((\S+\.so\S*) was lost at", one.text):
            return not any(at[1] in line and self.COMPLAINS.search(line) for line in self.told["log"])
        if at := re.search(r"\(#(\d+)\b(?: says: (.*)\))?", one.text):
            event = self.events.get(int(at[1]))
            if event is None or event["kind"] not in ("log", "output"):
                return event is not None
            # The whole line has times and ports; what is quoted of it has not.
            return self.has_line(event["subject"]) or bool(at[2] and self.has_line(at[2].strip("…")))
        return None

    def judge(self, one):
        """(kinds that were checked, sentences of what is false)"""
        kinds, false = [], []
        def hold(kind, is_so):
            if is_so is None:
                return
            kinds.append(kind)
            if not is_so:
                false.append(kind)
        if one.word == "answer":
            hold("devices", self.answer(one))
        if one.word == "silent":
            hold("silent", self.silent(one))
        hold("step " + one.word, self.of_step(one))
        if one.word == "brief":
            for step in ("listed", "opened", "loaded"):
                if re.search(rf"\b{step}(?!\*)(,|$)", one.text):
                    hold("step " + step, self.of_step(Statement(step, "", one.library, one.pid)))
        if one.word in ("shadows",):
            other = one.text.removeprefix("another copy is ").split(" of version ")[0]
            hold("copy", self.looked.get(other, {}).get("error") == 0 and
                 not any(same_path(block.found or "", other) for process in self.who(one.pid) for block in process.blocks))
        if one.word == "before libc":
            library = one.text.split(" from ")[-1]
            for function, how in re.findall(r"(\w+) \((#?\w+)\)", one.text):
                # What nobody called follows from who is there, and before whom.
                hold("interposer", any(block.found == library for process in self.processes for block in process.blocks) if how == "derived" else
                     any(to == library and symbol == function for process in self.processes for _, to, symbol in process.bound))
        if one.word == "outside":
            if at := re.match(r"(/\S+), of this machine's kernel", one.text):
                hold("outside", any(path == at[1] for process in self.processes for path, _ in process.asked))
        if one.word == "ld.so says":
            hold("ld.so", self.ld_says(one.text))
        if one.word not in ("not observable", "next", "try"):
            for pattern, test in self.checks():
                for at in re.finditer(pattern, one.text):
                    hold(test.__name__ if test.__name__ != "<lambda>" else "places", test(at, one))
        for wrong in self.refers(one):
            kinds.append("event")
            false.append(wrong)
        return kinds, false

    def ld_says(self, text):
        """Its own words of that run; what it says to dlopen alone, it did: looked for in vain, or opened and not mapped, or mapped and never begun."""
        if text in self.log:
            return True
        name, _, words = text.partition(": ")
        parts = [part for part in words.split(": ") if part]
        for process in self.processes:
            if any(all(part in error for part in parts) for error in process.errors):
                return True
            for block in process.blocks:
                if base(block.name) != base(name):
                    continue
                if block.found:  # mapped, and then refused: what it asks for is nowhere, or there is no room for it
                    if block.found not in process.begun and not words.startswith("cannot open"):
                        return True
                    continue
                opened = any((os.path.normpath(path), "0") in process.asked for path, _ in block.tries or [(block.name, "")])
                refused = any((os.path.normpath(path), ERRNO.get(words.split(": ")[-1], "?")) in process.asked
                              for path, _ in block.tries or [(block.name, "")])
                # A file of another machine is passed over, and the end of the search is that there is none.
                if refused or (opened and (not words.startswith("cannot open") or words.endswith(os.strerror(errno.ENOENT)))):
                    return True
        return False


def paths_in(block):
    """Paths that a text names, to be looked at in the tree; also the libraries of its rows, and their folders."""
    joined = re.sub(r"\n\s+", " ", block)
    paths = {path.rstrip(".,:;") for path in re.findall(r"(?<![\w.])/[\w./+@-]+", joined)}
    return sorted((paths | {os.path.dirname(path) for path in paths if ".so" in path}) - {"/"})


def split_text(text, runs):
    """By run, in their order."""
    blocks, start = [], 0
    heads = [f"{run['id']} [{run['run']}]\n" for run in runs]
    for i, head in enumerate(heads):
        start = text.index(head, start)
        end = text.find("\n" + heads[i + 1], start) if i + 1 < len(heads) else len(text)
        blocks.append(text[start:end])
        start = end
    return blocks


def chosen(options, program):
    listed = subprocess.run([program, "list", "--format", "json", *options.paths], capture_output=True, text=True, check=True).stdout
    ids = sorted(case["id"] for case in json.loads(listed)["cases"])
    if options.sample and options.sample < len(ids):
        return sorted(random.Random(options.seed).sample(ids, options.sample))
    return ids


def one_round(few, options, program, bare):
    """What came of these cases, as plain values: a line of the file of --resume."""
    told_of = {"ids": few, "compared": 0, "checked": collections.Counter(), "unchecked": collections.Counter(), "false": [], "late": [],
               "lacking": []}
    with tempfile.TemporaryDirectory(prefix="gpustage-truth-") as folder:
        evidence, trace, wish = folder + "/evidence", folder + "/strace", folder + "/list"
        env = dict(os.environ, NO_COLOR="1", GPUSTAGE_CALLED_AS="gpustage")
        subprocess.run([program, "run", "-q", "-j2", "--evidence-dir", evidence, *few], env=env, capture_output=True)
        if not os.path.isdir(evidence):
            return told_of
        text = subprocess.run([program, "trace", evidence], env=env, capture_output=True, text=True).stdout
        watched = json.loads(subprocess.run([program, "trace", evidence, "--json"], env=env, capture_output=True, text=True).stdout)["runs"]
        blocks = split_text(text, watched)
        with open(wish, "w") as out:
            for run, block in zip(watched, blocks):
                out.write("\t".join([run["id"], run["run"], *paths_in(block)]) + "\n")
        done = subprocess.run(["strace", "-f", "-y", "--seccomp-bpf", "-s", "9999", "-o", trace, "-e", "abbrev=!execve", "-e",
                               "trace=%file,getdents64,clone,clone3,vfork,fork,writev", bare, wish], env=env, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr.strip(), file=sys.stderr)
        told = {(one["id"], one["run"]): one for one in map(json.loads, done.stdout.splitlines())}
        processes = bare_runs(trace)
    for run, block in zip(watched, blocks):
        key = (run["id"], run["run"])
        if not run["timeline"]:
            continue
        if key not in told or key not in processes:
            told_of["lacking"].append(f"{key[0]} [{key[1]}]")
            continue
        if told[key]["outcome"].startswith("timed out") and not block.count("timed out"):
            told_of["late"].append(f"{key[0]} [{key[1]}]")  # strace is slow
            continue
        told_of["compared"] += 1
        both = Run(run, processes[key], told[key])
        for one in statements(block):
            kinds, wrong = both.judge(one)
            told_of["checked"].update(kinds)
            if not kinds and one.word not in ("next", "try", "not observable"):
                told_of["unchecked"][one.word] += 1
                if options.verbose:
                    print(f"unchecked  {key[0]} [{key[1]}]  {one.word}: {one.text}")
            for kind in wrong:
                told_of["false"].append(f"{key[0]} [{key[1]}] {base(one.library)}: {one.word}: {one.text}\n    false: {kind}")
                print(told_of["false"][-1], flush=True)
    return told_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--resume", type=pathlib.Path, help="a file that keeps what was held; what is in it is not held again")
    parser.add_argument("--minutes", type=float, default=0, help="begin nothing after this time, and end with 75; 0: no end")
    parser.add_argument("--verbose", action="store_true", help="the statements that nothing checked, too")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        print("no strace here (Debian's package of that name)")
        return 77
    program, bare = str(options.build / "harness/gpustage"), str(options.build / "tests/proof/truth_bare")
    ids = chosen(options, program)
    rounds = []
    if options.resume and options.resume.exists():
        rounds = [json.loads(line) for line in options.resume.read_text().splitlines()]
    held = {one for done in rounds for one in done["ids"]}
    todo = [one for one in ids if one not in held]
    print(f"seed {options.seed}: {len(ids)} cases" + (f", {len(ids) - len(todo)} of them held before" if held else ""), flush=True)
    end = time.monotonic() + options.minutes * 60
    # Each has a folder of its own, and strace keeps one core at most.
    parts = [todo[start:start + CASES_A_ROUND] for start in range(0, len(todo), CASES_A_ROUND)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        of_time = lambda few: one_round(few, options, program, bare) if not options.minutes or time.monotonic() < end else None
        for done in pool.map(of_time, parts):
            if done is None:
                continue
            rounds.append(done)
            if options.resume:
                with open(options.resume, "a") as out:
                    out.write(json.dumps(done) + "\n")
    checked, unchecked = (sum((collections.Counter(done[key]) for done in rounds), collections.Counter()) for key in ("checked", "unchecked"))
    false, late, lacking = ([one for done in rounds for one in done.get(key, [])] for key in ("false", "late", "lacking"))
    print(f"{sum(done['compared'] for done in rounds)} runs; {sum(checked.values())} statements held, {len(false)} of them false: " +
          ", ".join(f"{kind} {count}" for kind, count in checked.most_common()))
    print("not checked: " + ", ".join(f"{kind} {count}" for kind, count in unchecked.most_common()))
    if late:
        print("not compared, for the bare run did not end in its time: " + ", ".join(late))
    if lacking:
        print("not compared, for the bare run was not to be had: " + ", ".join(lacking))
    if not checked:
        print("nothing was compared")
        return 1
    if left := len(ids) - sum(len(done["ids"]) for done in rounds):
        print(f"{left} cases are left: the same command goes on")
        return 75
    return 1 if false or lacking else 0


if __name__ == "__main__":
    sys.exit(main())
