"""File, environment and flags: what holds, where it is from, and what is told of mistakes."""

import argparse
import shlex
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool_server import cli
from midipool_server.settings import Effective, Settings, toml_file
from midipool_server.settings.declared import ALL, Setting
from midipool_server.settings.table import about

TEXT = """\
# for a small server
host = "127.0.0.2"

max_rooms = 20
log_format = "json"
"""


def test_a_flag_comes_before_the_environment_that_before_the_file_that_before_the_default() -> None:
    environment = {"MIDIPOOL_MAX_ROOMS": "30", "MIDIPOOL_MAX_MEMBERS": "8", "PATH": "/bin"}
    made = Effective.of(("server.toml", TEXT), environment, {"max_members": "4"})
    assert not made.problems
    settings = made.settings()
    assert (settings.host, settings.max_rooms, settings.max_members) == ("127.0.0.2", 30, 4)
    assert settings.port == Settings().port
    told = {name: (value, origin) for name, value, origin in made.rows()}
    assert told["host"] == ("127.0.0.2", "server.toml:2")
    assert told["max_rooms"] == ("30", "MIDIPOOL_MAX_ROOMS")
    assert told["max_members"] == ("4", "--max-members")
    assert told["port"] == ("8765", "default")
    assert list(told) == [field.name for field in msgspec.structs.fields(Settings)]


def test_what_is_empty_in_the_environment_is_not_said() -> None:
    assert Effective.of(None, {"MIDIPOOL_PORT": ""}, {}).settings().port == 8765


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        (
            'host = "a"\nmax_rooms = "many"',
            2,
            "max_rooms: must be a whole number from 1 to 1000000",
        ),
        ("\n\nport = 70000", 3, "port: must be a whole number from 1 to 65535, not 70000"),
        ("port = true", 1, "port: must be a whole number"),
        ("port = 8765.5", 1, "port: must be a whole number"),
        ('udp = "yes"', 1, "udp: must be true or false"),
        ('log_format = "xml"', 1, "log_format: must be text or json, not 'xml'"),
        ("drain_s = -1", 1, "drain_s: must be a number from 0 to 86400"),
        ("max-rooms = 3", 1, "there is no such setting: is max_rooms meant?"),
        ("port = 1\nwhatever = 3", 2, "whatever: there is no such setting"),
        ("[limits]\nrooms = 3", 1, "limits: there is no such setting"),
        ("port = 1\nport = 2", 2, "this is no TOML: cannot overwrite a value"),
        ("port = 1\nhost = ", 2, "this is no TOML: invalid value"),
        ("host = [\n1,\n", 3, "this is no TOML"),
        ('host = """\nport = 1\n"""\nport = 0', 4, "port: must be"),
        ("port = 65535", 1, "there is no port above 65535: choose a --media-port"),
        ("port = 65534", 1, "there is no port above 65535: choose a --stun-port"),
        ("media_port = 8765", 1, "UDP port 8765 is for clock probes: choose another --media-port"),
        ("stun_port = 8766", 1, "UDP port 8766 is for audio: choose another --stun-port"),
        ("metrics_port = 8765", 1, "TCP port 8765 is for the rooms"),
        ('host = "0.0.0.0"', 1, "0.0.0.0 is beyond this machine, and without TLS"),
        ('host = "jam.example"', 1, "give --tls-cert and --tls-key, or --behind-proxy, or"),
        ('tls_cert = "cert.pem"', 1, "a certificate and its key go together"),
        ('proxies = ["10.0.0.1", "proxy"]', 1, "must be addresses, or networks such as 10.0.0.0/8"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line_and_rule(
    text: str, line: int, rule: str
) -> None:
    [problem] = Effective.of(("server.toml", text), {}, {}).problems
    assert problem.where == f"server.toml:{line}"
    assert rule in problem.rule


@pytest.mark.parametrize(
    "text",
    [
        'host = "::1"',
        'host = "localhost"',
        'host = "0.0.0.0"\nplain_text = true',
        'host = "::"\nbehind_proxy = true',
        'host = "0.0.0.0"\ntls_cert = "c.pem"\ntls_key = "k.pem"',
    ],
)
def test_beyond_this_machine_there_is_tls_or_somebody_said_that_there_is_none(text: str) -> None:
    assert Effective.of(("server.toml", text), {}, {}).problems == []


def test_all_mistakes_are_told_at_once_each_where_it_was_made() -> None:
    environment = {"MIDIPOOL_UDP": "perhaps", "MIDIPOOL_MAX_ROMS": "3", "MIDIPOOL_LIBROC": "x"}
    made = Effective.of(("x.toml", "port = 0\nlist_rooms = 1"), environment, {"drain_s": "soon"})
    wheres = [problem.where for problem in made.problems]
    assert wheres == ["x.toml:1", "x.toml:2", "MIDIPOOL_UDP", "--drain-s"]
    assert [str(warning) for warning in made.warnings] == [
        "MIDIPOOL_MAX_ROMS: this is not a setting: is MIDIPOOL_MAX_ROOMS meant?"
    ]


def test_every_setting_is_a_key_a_variable_and_a_flag() -> None:
    for name, setting in ALL.items():
        default = "1" if setting.default is None else str(setting.default) or "x"
        if setting.is_switch:
            default = default.lower()
        for made in (
            Effective.of(None, {setting.variable: default}, {}),
            Effective.of(("f", f"{name} = {_toml(default, setting)}"), {}, {}),
        ):
            assert name in made.values or made.problems, name
        words = [f"--no-{name.replace('_', '-')}"] if setting.is_switch else [setting.flag, default]
        options = cli._parser().parse_args(words)
        assert name in vars(options)


def _toml(text: str, setting: Setting) -> str:
    return f'"{text}"' if isinstance(setting.default, str) else text


def test_a_secret_is_shown_to_nobody() -> None:
    hint = Annotated[Annotated[int, msgspec.Meta(ge=1, le=9)], about("a key", secret=True)]
    secret = Setting("key", hint, 0, "a key", True)
    assert secret.shown(7) == "********"
    assert secret.shown(0) == "(none)"
    with pytest.raises(InvalidValue) as caught:
        secret.of_text("hunter2")
    assert str(caught.value) == "key: must be a whole number from 1 to 9"


def test_a_list_is_an_array_in_the_file_and_has_commas_elsewhere() -> None:
    setting = Setting("names", Annotated[list[str], about("names")], [], "names", False)
    assert setting.of_text("a, b,") == setting.of_toml(["a", "b"]) == ["a", "b"]
    assert setting.shown(["a", "b"]) == "a, b"


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    made = Effective.of(("f", text), {}, {})
    assert made.problems or made.settings()


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.integers(), min_size=1))
def test_each_key_is_found_on_its_line(values: dict[str, int]) -> None:
    rows = []
    for name, value in values.items():
        rows += ["# a line between", "", f"{name} = [\n  {value},\n]"]
    said = toml_file.parse("\n".join(rows))
    lines = "\n".join(rows).split("\n")
    assert all(lines[said[name].line - 1] == f"{name} = [" for name in values)


def test_the_command_names_each_error_or_prints_what_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("MIDIPOOL_PORT", "MIDIPOOL_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "server.toml"
    file.write_text(TEXT)
    assert cli.main(["config", "check", str(file), "--port", "9000"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["setting", "value", "from"]
    assert ["port", "9000", "--port"] in [line.split() for line in shown]
    assert ["max_rooms", "20", f"{file}:4"] in [line.split() for line in shown]
    file.write_text("port = 0\n")
    monkeypatch.setenv("MIDIPOOL_CONFIG", str(file))
    assert cli.main(["config", "check"]) == 1
    said = capsys.readouterr()
    assert said.err == f"{file}:1: port: must be a whole number from 1 to 65535, not 0\n"
    assert said.out == ""
    # A server does not start with what it does not understand.
    assert cli.main(["--max-rooms", "3"]) == 2
    assert "port: must be" in capsys.readouterr().err
    assert cli.main(["--config", str(tmp_path / "none.toml")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_flags_stand_before_and_behind_a_command() -> None:
    for line in ("--port 9 config check f.toml", "config check f.toml --port 9"):
        options: argparse.Namespace = cli._parser().parse_args(shlex.split(line))
        assert options.port == "9"
        assert options.file == "f.toml"
