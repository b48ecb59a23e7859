"""A small VST3 plug-in (plugin/small.c), built where a test wants it."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "plugin/small.c"
LATENCY_FRAMES = 64
FLAGS = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def small_plugin(folder: Path) -> Path:
    """Two channels, `gain` and 64 frames of latency; `harm` of 1 crashes, of 0.5 hangs."""
    if sys.platform != "linux":
        pytest.skip("the plug-in is built for Linux alone")
    bundle = folder / "small.vst3"
    library = bundle / "Contents/x86_64-linux/small.so"
    library.parent.mkdir(parents=True)
    subprocess.run(["cc", *FLAGS, "-fvisibility=hidden", "-o", library, SOURCE], check=True)
    return bundle
