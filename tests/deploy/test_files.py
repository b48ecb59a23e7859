"""What is in deploy/ is what the server has, and what the tools for it accept."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from midipool_native.relay import RelayStats
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.operations.exposition import Exposition
from midipool_server.settings import Effective, Settings, together
from midipool_server.settings.declared import ALL

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent


def tool(name: str) -> str:
    """A program of this environment's or the system's; without it, the test is left out."""
    found = shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"there is no {name}")
    return found


def accepted(*words: str, **env: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **env})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def variables(service: dict[str, Any]) -> Effective:
    made = Effective.of(None, {k: str(v) for k, v in service["environment"].items()}, {})
    assert not made.problems
    assert not made.warnings
    return made


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_the_example_of_settings_is_right() -> None:
    made = Effective.of(("server.toml", (DEPLOY / "server.toml").read_text()), {}, {})
    assert made.problems == []
    assert made.settings().behind_proxy


# ---- systemd ----


def unit() -> dict[str, list[str]]:
    """Directives by name; a name may come more than once."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / "midipool-server.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_waits_longer_than_the_server_drains() -> None:
    settings = Effective.of(("f", (DEPLOY / "server.toml").read_text()), {}, {}).settings()
    assert float(unit()["TimeoutStopSec"][0]) > settings.drain_s + 5
    assert unit()["Type"] == ["notify"]
    # The server ends with 2 where its settings are wrong.
    assert unit()["RestartPreventExitStatus"] == ["2"]


def test_systemd_takes_the_unit_and_finds_it_well_shut_in(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    text = (DEPLOY / "systemd" / "midipool-server.service").read_text()
    here = tmp_path / "midipool-server.service"
    here.write_text(text.replace("/opt/midipool/bin/", f"{BIN}/"))
    assert "midipool-server" not in accepted(analyze, "verify", str(here))
    accepted(analyze, "security", "--offline=true", "--threshold=20", str(here))


def test_the_unit_calls_what_there_is(tmp_path: Path) -> None:
    for command in (*unit()["ExecStartPre"], *unit()["ExecStart"]):
        words = command.replace("/etc/midipool/server.toml", str(DEPLOY / "server.toml")).split()
        assert words[0] == "/opt/midipool/bin/midipool-server"
        if "check" in words:
            accepted(sys.executable, "-m", "midipool_server", *words[1:])
        else:
            assert words[1:] == ["--config", str(DEPLOY / "server.toml")]


# ---- containers ----


def test_the_dockerfile_is_sound() -> None:
    accepted(tool("hadolint"), str(DEPLOY / "Dockerfile"))
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    last = lines[[n for n, line in enumerate(lines) if line.startswith("FROM")][-1] :]
    user = next(line for line in last if line.startswith("USER"))
    assert int(user.split()[1]) > 0
    health = next(line for line in last if line.startswith("HEALTHCHECK"))
    assert json.loads(health.partition("CMD ")[2]) == ["midipool-server", "health"]
    for words in (line.split() for line in lines):
        if words[:1] == ["COPY"] and not words[1].startswith("--from"):
            assert all((ROOT / name).exists() for name in words[1:-1]), words
    env = dict(re.findall(r"(MIDIPOOL_\w+)=(\S+)", "\n".join(last)))
    # It listens everywhere, so whoever runs it says what does TLS.
    env["MIDIPOOL_BEHIND_PROXY"] = "true"
    assert Effective.of(None, env, {}).problems == []


def test_all_that_is_built_is_let_into_the_image() -> None:
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M)
    assert all(f"!{name}" in let_in for names in copied for name in names.split())


def test_the_compose_file_is_one(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    checked = PyCompose.from_yaml(text)
    checked.validate()
    checked.validate_networks()
    checked.validate_volumes()
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_yaml(text.replace("restart:", "restrat:", 1))
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (DEPLOY / source).exists(), volume


def test_udp_is_published_under_the_numbers_that_the_server_names(compose: dict[str, Any]) -> None:
    service = compose["services"]["midipool"]
    settings = variables(service).settings()
    named = {together.clock_port(settings), together.media_port(settings)}
    named.add(together.stun_port(settings))
    published = [port.removesuffix("/udp").split(":") for port in service["ports"]]
    assert {int(inside) for _, inside in published} == named
    assert all(outside == inside for outside, inside in published)
    # Rooms are joined through TLS only: TCP is not published.
    assert all(port.endswith("/udp") for port in service["ports"])
    caddy = compose["services"]["caddy"]
    assert caddy["environment"]["MIDIPOOL_UPSTREAM"] == f"midipool:{settings.port}"
    assert float(service["stop_grace_period"].removesuffix("s")) > settings.drain_s + 5
    assert settings.behind_proxy


# ---- metrics ----


class Nothing:
    """Stands for clock responder and relay."""

    def stats(self) -> Any:
        return self._stats

    def bytes(self) -> dict[str, int]:
        return {"in": 0, "out": 0}

    def __init__(self, stats: Any) -> None:
        self._stats = stats


@pytest.fixture(scope="module")
def told() -> set[str]:
    """The names of all that /metrics can tell."""
    relay: Any = Nothing(RelayStats(*[0] * len(fields(RelayStats))))
    host = RoomHost(Lobby("0" * 16), lambda: 0, lambda: 0, relay)
    text = Exposition(host, udp=Nothing((0, 0))).text().decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M))
    histograms = {n for n, kind in kinds.items() if kind == "histogram"}
    parts = {f"{n}_{part}" for n in histograms for part in ("bucket", "sum", "count")}
    return {*kinds, *parts} - histograms


def names_in(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)", " ", expression)
    words = set(re.findall(r"[a-z_]{3,}", bare))
    return {word for word in words if "_" in word and word != "histogram_quantile"}


def test_the_dashboard_asks_only_for_what_there_is(told: set[str]) -> None:
    board = json.loads((DEPLOY / "grafana" / "midipool.json").read_text())
    asked: set[str] = set()
    for panel in board["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            names = names_in(target["expr"])
            assert names, target
            assert names <= told, target["expr"]
            asked |= names
    # What is counted is shown, all but what only a build or a process says.
    ours = {name for name in told if name.startswith("midipool_")}
    shown = {*asked, *(f"{n.rsplit('_', 1)[0]}_{p}" for n in asked for p in ("sum", "count"))}
    assert ours - shown <= {"midipool_build_info"}
    places = [tuple(panel["gridPos"][key] for key in "xy") for panel in board["panels"]]
    assert len({*places}) == len(places)
    assert len({panel["id"] for panel in board["panels"]}) == len(places)


def test_the_alerts_ask_only_for_what_there_is(told: set[str], compose: dict[str, Any]) -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert names_in(rule["expr"]) <= told, rule
    scrape = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    [target] = scrape["scrape_configs"][0]["static_configs"][0]["targets"]
    settings: Settings = variables(compose["services"]["midipool"]).settings()
    assert target == f"midipool:{settings.metrics_port}"
    promtool = shutil.which("promtool")
    if promtool is not None:
        accepted(promtool, "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))


def test_grafanas_provisioning_finds_the_dashboard(compose: dict[str, Any]) -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    for file in folder.rglob("*.yml"):
        assert yaml.safe_load(file.read_text())["apiVersion"] == 1
    [provider] = yaml.safe_load((folder / "dashboards" / "midipool.yml").read_text())["providers"]
    volumes = compose["services"]["grafana"]["volumes"]
    assert any(volume.split(":")[1].startswith(provider["options"]["path"]) for volume in volumes)


def test_every_setting_that_deploy_names_exists() -> None:
    known = {setting.variable for setting in ALL.values()} | {"MIDIPOOL_CONFIG"}
    known |= {"MIDIPOOL_SITE", "MIDIPOOL_UPSTREAM"}
    for file in DEPLOY.rglob("*"):
        if file.is_file():
            named = set(re.findall(r"MIDIPOOL_[A-Z_]*[A-Z]\b", file.read_text()))
            assert named <= known, file
