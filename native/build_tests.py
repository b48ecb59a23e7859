"""Builds the C tests of native/tests under sanitizers, and runs them. Needs nothing but gcc.

Every program is a native/tests/*_test.c with all of native/src. `wrap:` in its first comment names
functions that it replaces (gcc -Wl,--wrap). Arguments choose programs by a part of their name.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
SOURCES = sorted((HERE / "src").glob("*.c"))
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O1"]
LIBRARIES = ["-lm", "-ldl", "-lpthread"]
SANITIZERS = {
    "address": ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"],
    "thread": ["-fsanitize=thread"],
}
OPTIONS = {"ASAN_OPTIONS": "abort_on_error=0", "TSAN_OPTIONS": "halt_on_error=1"}
TIMEOUT_S = 60
# In the head of a test. Under ThreadSanitizer it would take long and show nothing.
ONE_THREAD = "One thread only."
# ThreadSanitizer cannot place its shadow where the kernel spreads mappings too far.
UNLUCKY_LAYOUT = "unexpected memory mapping"

T = TypeVar("T")
R = TypeVar("R")


class Failed(Exception):
    """A compiler or a test was not content; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Program:
    """A test under a sanitizer."""

    source: Path
    sanitizer: str

    @property
    def binary(self) -> Path:
        """Where it is built."""
        return BUILD / self.sanitizer / self.source.stem

    @property
    def head(self) -> str:
        """What the test says of itself."""
        return self.source.read_text().split("*/")[0]

    @property
    def has_nothing_to_see(self) -> bool:
        """Whether it would be run for threads and has none."""
        return self.sanitizer == "thread" and ONE_THREAD in self.head

    def link(self) -> None:
        """Compile the test, and link it with the real-time core."""
        names = [name for line in re.findall(r"wrap: (.*)", self.head) for name in line.split()]
        wraps = [f"-Wl,--wrap={name}" for name in names]
        objects = [str(object_of(source, self.sanitizer)) for source in SOURCES]
        output = ["-o", str(self.binary)]
        gcc(self.sanitizer, [str(self.source), *objects, *output, *wraps, *LIBRARIES])

    def run(self) -> float:
        """Run it; returns the seconds it took."""
        began = time.monotonic()
        try:
            call([str(self.binary)])
        except Failed as error:
            if UNLUCKY_LAYOUT not in str(error):
                raise
            call(["setarch", "-R", str(self.binary)])
        return time.monotonic() - began


def call(command: list[str]) -> None:
    """Run a command; raises Failed with its output."""
    environment = os.environ | OPTIONS
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not end within {TIMEOUT_S} s") from None
    if done.returncode:
        raise Failed(f"{command[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}")


def gcc(sanitizer: str, arguments: list[str]) -> None:
    """Compile with the flags of every test."""
    call(["gcc", *FLAGS, *SANITIZERS[sanitizer], *arguments])


def object_of(source: Path, sanitizer: str) -> Path:
    """Where a source of the core is compiled to."""
    return BUILD / sanitizer / f"{source.stem}.o"


def compile_core(job: tuple[Path, str]) -> None:
    """Compile one source of the core."""
    source, sanitizer = job
    gcc(sanitizer, ["-c", str(source), "-o", str(object_of(source, sanitizer))])


def analyze(source: Path) -> None:
    """Let gcc look for paths to leaks, double frees and null pointers."""
    call(["gcc", *FLAGS, "-fanalyzer", "-c", str(source), "-o", os.devnull])


def every(pool: ThreadPoolExecutor, do: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """Do it with all of them, side by side; raises Failed for the first that fails."""
    return list(pool.map(do, things))


def report(program: Program) -> bool:
    """Build and run a program, and say in one line how it went."""
    name = f"{program.source.stem} ({program.sanitizer})"
    if program.has_nothing_to_see:
        sys.stdout.write(f"--    {name:34}has one thread only\n")
        return True
    try:
        program.link()
        line = f"ok    {name:34}{program.run():5.1f} s\n"
    except Failed as error:
        sys.stdout.write(f"FAILED {name}\n{error}\n")
        return False
    sys.stdout.write(line)
    return True


def main(wanted: list[str]) -> int:
    """Returns the exit code."""
    tests = sorted((HERE / "tests").glob("*_test.c"))
    tests = [test for test in tests if not wanted or any(part in test.stem for part in wanted)]
    for sanitizer in SANITIZERS:
        (BUILD / sanitizer).mkdir(parents=True, exist_ok=True)
    (BUILD / ".gitignore").write_text("*\n")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            every(pool, analyze, SOURCES)
            every(pool, compile_core, [(s, kind) for kind in SANITIZERS for s in SOURCES])
        except Failed as error:
            sys.stdout.write(f"FAILED {error}\n")
            return 1
        programs = [Program(test, kind) for kind in SANITIZERS for test in tests]
        return 0 if programs and all(every(pool, report, programs)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
