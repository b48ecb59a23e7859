"""What the docs say is there, is there."""

import argparse
import contextlib
import io
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

import midipool_client.cli
import midipool_server.cli
from midipool.click import ClickSettings
from midipool.daw.control import loop_area_bytes
from midipool.meter import Loop
from midipool_client.ports import PORT_WORDS
from midipool_demo import __main__ as demo
from tests.bench import __main__ as bench

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = set(ROOT.glob("docs/*.in.md"))
PAGES = [ROOT / "README.md", *sorted({*ROOT.glob("docs/*.md")} - TEMPLATES)]
PAGE_NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
# Up to what is no part of a command any more.
OURS = r"\./run bench \w+|\./run \w+|midipool-client|midipool-server"
COMMAND = re.compile(rf"(?:^|[\s`])({OURS})\b([^`|#\n]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def in_code(text: str) -> Iterator[str]:
    """What stands in code blocks and in `code`."""
    blocks = re.compile(r"^```.*?^```$|^(?: {4}.+\n)+", re.MULTILINE | re.DOTALL)
    for block in blocks.findall(text):
        # A command may go on in the next line.
        yield block.replace("\\\n", " ")
    yield from re.findall(r"`[^`\n]+`", blocks.sub("", text))


def commands(text: str) -> Iterator[tuple[str, str]]:
    """(command, the rest of its line) of our commands."""
    for code in in_code(text):
        yield from COMMAND.findall(code)


def run_commands() -> set[str]:
    """The commands that `./run help` names."""
    usage = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True)
    lines = re.findall(r"^  (\w+(?: \| \w+)*)\b", usage.stdout, re.MULTILINE)
    return {word for line in lines for word in line.split(" | ")} | {"help"}


def anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(h) for h in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)}


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Every long option of a parser and of its commands."""
    found = set(OPTION.findall(parser.format_help()))
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found |= options_of(below)
    return found


def help_of(main: Callable[[], int], *words: str) -> set[str]:
    """The options that `--help` shows."""
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(shown):
        patch.setattr(sys, "argv", ["run", *words, "--help"])
        with pytest.raises(SystemExit):
            main()
    return set(OPTION.findall(shown.getvalue()))


@pytest.fixture(scope="module")
def known_options() -> dict[str, set[str]]:
    """The options of each of our commands."""
    client = options_of(midipool_client.cli._parser())
    server = options_of(midipool_server.cli._parser())
    return {
        "midipool-client": client,
        "./run client": client,
        "midipool-server": server,
        "./run server": server,
        "./run demo": help_of(demo.main),
        **{f"./run bench {name}": help_of(bench.main, name) for name in bench.NAMES},
    }


def test_the_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_check_sees_a_page_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in (ROOT / "docs").glob("*.py"):
        (tmp_path / source.name).write_text(source.read_text())
    (tmp_path / "page.in.md").write_text("# Errors\n\n{{ error codes }}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    generate = runpy.run_path(str(tmp_path / "generate.py"))
    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate["main"]() == 0
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate["main"]() == 0
    page = tmp_path / "page.md"
    page.write_text(page.read_text().replace("name_taken", "name_given"))
    assert generate["main"]() == 1
    assert "docs/page.md is out of date" in capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"""(?:src|href)="([^"]+)""", text)
    for link in links:
        if re.match(r"\w+:", link):
            continue
        path, _, place = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not place or place in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_every_run_command_exists(page: Path) -> None:
    text = page.read_text()
    there = run_commands()
    assert {"demo", "test", "server"} <= there
    assert set(re.findall(r"\./run ([a-z]+)", text)) <= there
    named = re.findall(r"\./run bench ([a-z|]+)", text)
    assert {name for names in named for name in names.split("|")} <= {*bench.NAMES}


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_every_option_exists(page: Path, known_options: dict[str, set[str]]) -> None:
    text = page.read_text()
    for command, rest in commands(text):
        if command in known_options:
            assert {*OPTION.findall(rest)} <= known_options[command], (command, rest)
    # An option by itself, as in `--midi jack`, is one of some command's.
    every = set().union(*known_options.values())
    alone = [c for c in in_code(text) if c.startswith("`--")]
    assert {option for code in alone for option in OPTION.findall(code)} <= every


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_every_client_command_in_a_block_can_be_typed(page: Path) -> None:
    parser = midipool_client.cli._parser()
    typed = re.compile(r"^(?: {4})?(?:\./run client|midipool-client) (.+)$", re.MULTILINE)
    for words in typed.findall(page.read_text().replace("\\\n", " ")):
        parser.parse_args(shlex.split(words, comments=True))


def test_the_loop_message_is_the_one_that_the_code_reads() -> None:
    text = (ROOT / "docs" / "leading.md").read_text()
    for loop in (Loop(5, 9), None):
        assert loop_area_bytes(loop).hex(" ").upper() in text


def test_the_settings_of_click_and_ports_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "playing-together.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    told: dict[str, str] = {}
    for row in rows:
        names, values = re.findall(r"`(\w+)[`=]", row[1]), row[2].split(",")
        told |= dict(zip(names, map(str.strip, values), strict=False))
    for name, value in msgspec.to_builtins(ClickSettings()).items():
        wanted = "off" if value is False else f"{value:g}"
        assert told[name] == wanted, name
    assert {*re.findall(r"\[,(\w+)=", PORT_WORDS)} <= told.keys()


def test_every_test_that_the_plan_names_exists() -> None:
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "tests.md").read_text()))
    sources = [path.read_text() for path in ROOT.glob("tests/**/test_*.py")]
    there = {name for text in sources for name in re.findall(r"def (test_\w+)\(", text)}
    there |= {path.stem for path in ROOT.glob("native/tests/*_test.c")}
    assert {name for name in named if re.search("^test_|_test$", name)} <= there
