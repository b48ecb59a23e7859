"""Imports go downwards only, and what is pure stays pure."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "midipool": ROOT / "midipool",
    "midipool_native": ROOT / "native" / "midipool_native",
    "midipool_server": ROOT / "server" / "midipool_server",
    "midipool_client": ROOT / "client" / "midipool_client",
    "midipool_demo": ROOT / "demo" / "midipool_demo",
}
# What a package may import, of all that is ours.
BELOW: dict[str, set[str]] = {
    "midipool": set(),
    "midipool_native": {"midipool"},
    "midipool_server": {"midipool", "midipool_native"},
    "midipool_client": {"midipool", "midipool_native"},
    "midipool_demo": {"midipool", "midipool_native", "midipool_server", "midipool_client"},
}
OURS = {*PACKAGES, "tests"}
SHIPPED = [name for name in PACKAGES if name != "midipool_demo"]
# Nothing that waits, reads a clock, or comes out differently each time.
IMPURE = {
    "asyncio",
    "concurrent",
    "datetime",
    "importlib",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "subprocess",
    "threading",
    "time",
}
CLOCK_READS = {
    "clock_gettime",
    "clock_gettime_ns",
    "monotonic",
    "monotonic_ns",
    "now",
    "now_ns",
    "perf_counter",
    "perf_counter_ns",
    "time_ns",
    "today",
    "utcnow",
}


def sources(package: str) -> list[Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


def imported(tree: ast.Module) -> Iterator[str]:
    """The top of every imported module's name; those inside of functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module is not None
            yield node.module.partition(".")[0]


def called(tree: ast.Module) -> Iterator[str]:
    """The last word of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def pure_modules() -> list[Path]:
    """All of `midipool`, and what says of itself that it is pure."""
    says_so = [
        path
        for package in ("midipool_server", "midipool_client")
        for path in sources(package)
        if " Pure" in (ast.get_docstring(parsed(path)) or "")
    ]
    assert len(says_so) >= 6
    return [*sources("midipool"), *says_so]


def test_every_package_is_here() -> None:
    top = [ROOT, *(ROOT / folder for folder in ("native", "server", "client", "demo"))]
    found = {path.parent.name for folder in top for path in folder.glob("*/__init__.py")}
    assert found == {*PACKAGES, "tests"}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_downwards_only(package: str) -> None:
    for path in sources(package):
        ours = {*imported(parsed(path))} & OURS
        assert ours <= BELOW[package] | {package}, path


def test_the_shared_package_needs_msgspec_and_nothing_else() -> None:
    for path in sources("midipool"):
        others = {*imported(parsed(path))} - sys.stdlib_module_names
        assert others <= {"midipool", "msgspec"}, path


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: path.stem)
def test_what_is_pure_waits_for_nothing_and_reads_no_clock(path: Path) -> None:
    tree = parsed(path)
    assert not {*imported(tree)} & IMPURE
    assert not {*called(tree)} & (CLOCK_READS | {"__import__", "open", "input", "print"})


@pytest.mark.parametrize("package", ["midipool_client", "midipool_server"])
def test_a_command_line_starts_without_aiohttp(package: str) -> None:
    code = f"import sys, {package}.cli; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("package", SHIPPED)
def test_every_package_is_typed(package: str) -> None:
    assert (PACKAGES[package] / "py.typed").exists()
