#!/usr/bin/env python3
"""64 MiB of any output cost at most 256 MiB of memory and 2 s after the run, with evidence kept, too. Of growth.sh.

    flood.py PROGRAM SCRATCH        prints a line a kind, then what was measured, as JSON

Seconds are those of gpustage's own processors, less those of a run of the same output that is not looked at; on a quiet machine the clock says the same.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

MOST_KB, MOST_SECONDS = 256 * 1024, 2.0
SUBJECT = r"""
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
static char block[1 << 16];
int main(int argc, char** argv) {
  const char kind = argc > 1 ? *argv[1] : 'l';
  const size_t line = kind == 'e' ? 1 : kind == 'o' ? 0 : 100;
  memset(block, 'x', sizeof block);
  if (kind == 'j') memcpy(block, "[", 1);
  for (size_t i = 0; line != 0 && i + line <= sizeof block; i += line) block[i + line - 1] = '\n';
  int to = 1;
  if (kind == 'u') to = dup2(open("/dev/null", O_WRONLY), 2); /* where nobody hears it */
  for (int i = 0; i < 63 * 16; ++i)
    for (size_t done = 0; done < sizeof block;) {
      const ssize_t n = write(to, block + done, sizeof block - done);
      if (n < 0) return 1;
      done += (size_t)n;
    }
  return 0;
}
"""
# first letter is what the subject is told
KINDS = {"empty lines": "lines", "lines of 100 bytes": "lines", "one line without an end": "lines", "json that is none": "json", "unheard": "lines"}


def run(program, folder, name, devices, options):
    (folder / "flood.yaml").write_text(
        f"scanner: flood\nabout: it prints without end\nprogram: {{path: ./flood}}\nat: /bin/flood\nargv: [/bin/flood]\nfits: nothing\n"
        f"devices: {{read: {devices}{', match: ^GPU' if devices == 'lines' else ''}}}\nlog: {{stream: stdout, format: plain}}\ntime_limit: 300\n")
    letter = {"empty": "e", "lines": "l", "one": "o", "json": "j", "unheard": "u"}[name.split()[0]]
    (folder / "s.yaml").write_text(f"claim: it prints\nmachine: {{devices: []}}\nlayout: []\nruns: [{{scanner: flood, args: [{letter}]}}]\n"
                                   "expect: [{outcome: {exited: 0}}]\n")
    words = [program, "run", folder / "s.yaml", "--scanner", folder / "flood.yaml", "--quiet", "--report", f"json={folder / 'r.json'}", *options]
    begin = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read().decode(errors="replace")
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    report = json.loads((folder / "r.json").read_text())["cases"][0]
    seconds = min(wall - report["duration_ms"] / 1000, used.ru_utime + used.ru_stime)
    return os.waitstatus_to_exitcode(status), used.ru_maxrss, seconds, said


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    (folder / "flood.c").write_text(SUBJECT)
    subprocess.run(["cc", "-O2", "-o", folder / "flood", folder / "flood.c"], check=True)
    measured, bad = {}, False
    for name, devices in KINDS.items():
        for kept, options in {"": [], ", evidence kept": ["--evidence-dir", folder / "evidence"]}.items():
            status, kilobytes, seconds, said = run(program, folder, name, devices, options)
            wrong = status not in (0, 1) or kilobytes > MOST_KB or seconds > MOST_SECONDS
            bad |= wrong
            measured[name + kept] = {"mb": kilobytes // 1024, "seconds": round(seconds, 2)}
            print(f"{name + kept}: {kilobytes // 1024} MB, {seconds:.2f} s after the run{', WRONG ' + said[-300:] if wrong else ''}", flush=True)
    print(json.dumps(measured))
    return bad


sys.exit(main())
