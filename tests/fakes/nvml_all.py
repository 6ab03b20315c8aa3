"""Calls each binding of nvidia-ml-py that asks something: of each board and each slice what takes a handle, with numbers for what
else it takes. What it is told is the fake's journal; this only must not end with an error of its own."""
import contextlib
import inspect
import re

import pynvml as N

SETS = re.compile("Set|Reset|Clear|Remove|Modify|Create|Destroy|Freeze|Activate|Discover|Write|Shutdown|Init|Update|Vgpu|vgpu|Gpm|EventSet|Unit|GpuInstanceGet|ComputeInstanceGet")
HANDLES = ("handle", "device", "nvmlDevice", "device1")


def handles():
    for i in range(N.nvmlDeviceGetCount()):
        handle = N.nvmlDeviceGetHandleByIndex(i)
        yield handle
        for place in range(8):
            try:
                yield N.nvmlDeviceGetMigDeviceHandleByIndex(handle, place)
            except N.NVMLError:
                pass


def ask(function, *arguments):
    with contextlib.suppress(Exception):  # NVML's, or the binding's own for numbers that it cannot take
        function(*arguments)


N.nvmlInit()
for name, function in sorted(vars(N).items()):
    if not name.startswith("nvml") or not inspect.isfunction(function) or SETS.search(name):
        continue
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD]
    if not needed:
        ask(function)
    elif needed[0].name in HANDLES:
        for one in handles():
            ask(function, one, *[one if p.name in HANDLES + ("device2",) else 0 for p in needed[1:]])
N.nvmlShutdown()
