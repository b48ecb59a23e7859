"""What to compile into midipool_native._rt. Run it to rebuild in place."""

import os
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
# What Python sees; each is an #include too (src/rt.h).
HEADERS = [
    "mp_rt.h",
    "mp_media.h",
    "mp_relay.h",
    "mp_media_socket.h",
    "mp_roc.h",
    "mp_audio.h",
    "mp_fx.h",
    "mp_effects.h",
    "mp_portaudio.h",
    "mp_roc_bridge.h",
    "mp_take.h",
]
STRICT = ["-Wall", "-Wextra", "-Werror"] if os.environ.get("MIDIPOOL_STRICT") else []

ffi = FFI()
for header in HEADERS:
    ffi.cdef((HERE / "src" / header).read_text())
ffi.set_source(
    "midipool_native._rt",
    '#include "rt.h"',
    sources=sorted(f"src/{path.name}" for path in (HERE / "src").glob("*.c")),
    include_dirs=["src"],
    libraries=["m", "dl", "pthread"],
    extra_compile_args=["-std=c11", "-O3", *STRICT],
)


def build() -> str:
    """Compile next to the package; returns the path of the module."""
    before = Path.cwd()
    os.chdir(HERE)  # cffi puts objects beside sources given relative to the current folder
    try:
        return str(ffi.compile(tmpdir=str(HERE)))
    finally:
        os.chdir(before)


if __name__ == "__main__":
    build()
