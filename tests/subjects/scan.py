"""The same in Python: ctypes is how its users reach a driver."""

import ctypes
import glob
import os
import subprocess
import sys

failures = 0


def expect(held, what):
    global failures
    if not held:
        print("unexpected:", what, file=sys.stderr)
        failures += 1


def fails(call, *arguments):
    try:
        call(*arguments)
    except (OSError, AttributeError):
        return True
    return False


expect(len(os.listdir("/opt/scan")) > 0, "entries")
expect(fails(os.listdir, "/opt/none"), "a directory that is not there")
expect(os.path.isfile("/opt/scan/present"), "present")
expect(not os.path.exists("/opt/scan/absent"), "absent")
expect(not os.access("/dev/nvidia0", os.R_OK), "node")
expect(os.path.realpath("/opt/link") == "/opt/scan/present", "link")
expect(len(glob.glob("/opt/scan/libscan_*.so")) == 1, "glob")
outer = ctypes.CDLL("/opt/scan/libscan_outer.so")
expect(outer.scan_outer() == 1, "call")
expect(fails(getattr, outer, "scan_no_such_symbol"), "a symbol that is not there")
ctypes.CDLL("libscan_named.so")
ctypes.CDLL("libscan_cached.so")
expect(fails(ctypes.CDLL, "libscan_none.so.1"), "a library that is not there")
if len(sys.argv) < 2:
    expect(subprocess.call([sys.executable, "-S", "-E", sys.argv[0], "child"]) == 0, "child")
print("done")
sys.exit(failures)
