"""What the doctor says of the way to a server and of its clock, and the verdict."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from midipool.clock_sync import ClockSync
from midipool_client.doctor.finding import Finding, Report
from midipool_client.doctor.network import (
    ALL_STEPS,
    PROBES,
    STEPS,
    NetworkLook,
    Stopped,
    clock_error_us,
    judge_clock,
    judge_network,
    judge_probes,
)
from midipool_client.doctor.verdict import NO_URL, judge, port_error_us
from tests.client.doctor.looks import JACK, MIDI, REACHED, estimate, probed, trial, way
from tests.midipool.networks import MS, Network, jittery, quiet, samples_of

GOOD = Finding("kernel", "good", "fine")
WARNING = Finding("power saving", "warning", "it runs on its battery", "plug it in")
BAD = Finding("MIDI ports", "bad", "none", "start JACK")


def test_a_good_way_needs_no_advice() -> None:
    findings = judge_network(way())
    assert [(f.name, f.status, f.advice) for f in findings] == [
        (name, "good", "") for name in ALL_STEPS
    ]
    texts = dict(zip(ALL_STEPS, [finding.text for finding in findings], strict=True))
    assert "192.0.2.7" in texts["name"]
    assert "12.3 ms" in texts["TCP"]
    assert "2 rooms" in texts["HTTP"]
    assert "version 1; room 'jam': somebody is in it" in texts["WebSocket"]
    assert "50 of 50 answered, with kernel timestamps" in texts["clock probes"]
    assert "known to within 0.50 ms" in texts["clock"]


@pytest.mark.parametrize("step", STEPS)
def test_what_comes_behind_a_step_that_failed_is_not_judged(step: str) -> None:
    look = NetworkLook(REACHED, Stopped(step, "it is closed", "open it"))
    findings = judge_network(look)
    assert [finding.name for finding in findings] == list(ALL_STEPS)
    number = STEPS.index(step)
    statuses = [finding.status for finding in findings]
    assert statuses == ["good"] * number + ["bad"] + ["unknown"] * (len(ALL_STEPS) - number - 1)
    assert (findings[number].text, findings[number].advice) == ("it is closed", "open it")
    assert f"because {step} failed" in findings[-1].text


def test_what_a_server_says_cannot_write_on_the_terminal() -> None:
    stopped = Stopped("WebSocket", "refused: \x1b[2J" + "x" * 5000, "try again")
    text = judge_network(NetworkLook(REACHED, stopped))[STEPS.index("WebSocket")].text
    assert text.isprintable()
    assert len(text) <= 240


def test_a_room_that_nobody_is_in_is_fine() -> None:
    look = NetworkLook(replace(REACHED, room_exists=False), None, probed())
    assert "nobody is in it yet" in judge_network(look)[STEPS.index("WebSocket")].text


@pytest.mark.parametrize(
    ("answered", "websocket", "port", "status", "words"),
    [
        (50, 0, 8765, "good", "50 of 50"),
        (45, 0, 8765, "good", "45 of 50"),
        (44, 0, 8765, "warning", "44 of 50"),
        (0, 50, 8765, "warning", "UDP port 8765 does not answer"),
        (0, 50, 0, "warning", "answers none by UDP"),
        (0, 50, None, "unknown", "does not say which UDP port"),
    ],
)
def test_clock_probes(
    answered: int, websocket: int, port: int | None, status: str, words: str
) -> None:
    probes = probed(answered=answered, websocket=websocket)
    finding = judge_probes(NetworkLook(replace(REACHED, clock_port=port), None, probes))
    assert finding.status == status
    assert words in finding.text
    assert bool(finding.advice) == (status != "good")


def test_what_to_do_when_udp_is_blocked() -> None:
    blocked = judge_probes(way(probed(answered=0, websocket=50)))
    assert "let UDP 8765 through" in blocked.advice
    off = NetworkLook(replace(REACHED, clock_port=0), None, None)
    assert "--no-udp" in judge_probes(off).advice


def test_the_clock_is_not_judged_by_a_few_probes() -> None:
    assert judge_clock(None).status == "unknown"
    assert "somebody is in the room" in judge_clock(None).advice
    few = replace(probed(answered=11), estimate=estimate())
    assert "11 answers are too few" in judge_clock(few).text
    assert judge_clock(probed(answered=12)).status == "good"


def test_a_server_that_is_far_away() -> None:
    far = replace(probed(), round_trips_ns=[300 * MS] * PROBES)
    finding = judge_clock(far)
    assert (finding.status, finding.advice) == ("warning", "use a server that is nearer")


def test_the_figures_say_what_carried_the_probes() -> None:
    assert judge_clock(probed()).figures["carried_by"] == "udp"
    by_websocket = probed(answered=0, websocket=50)
    assert judge_clock(by_websocket).figures["carried_by"] == "websocket"


@pytest.mark.parametrize(
    "network",
    [
        Network(quiet(), quiet(), 30e-6),
        Network(quiet(2, 2000), quiet(2, 2000), 30e-6),
        Network(jittery(20, 3, 0.01), jittery(20, 3, 0.01), 30e-6),
        Network(jittery(40, 10, 0.02), jittery(40, 10, 0.02), 30e-6),
        Network(jittery(100, 50, 0.05), jittery(100, 50, 0.05), -50e-6),
    ],
    ids=["cable", "radio", "20±3", "40±10", "100±50"],
)
def test_the_clock_is_hardly_ever_further_off_than_is_said(network: Network) -> None:
    further = 0
    for seed in range(40):
        sync = ClockSync()
        samples = samples_of(network, 3, seed)[:PROBES]
        for sample in samples:
            sync.add(sample)
        now_ns = samples[-1].t4_ns
        found = sync.estimate(now_ns)
        assert found is not None
        error_us = abs(found.room_at(now_ns) - network.room_at(now_ns)) / 1000
        further += error_us > max(clock_error_us(found), 200)
    assert further <= 3


def test_how_late_bytes_are_at_the_port() -> None:
    jack = port_error_us(MIDI, trial(900))
    assert jack == pytest.approx(1e6 / 48_000)  # a frame, whatever threads do
    xruns = msgspec.structs.replace(MIDI, jack=msgspec.structs.replace(JACK, xruns=2))
    assert (port_error_us(xruns, None) or 0) > 128 * 1e6 / 48_000
    rtmidi = msgspec.structs.replace(MIDI, jack=None)
    assert port_error_us(rtmidi, trial(150)) == 150
    assert port_error_us(None, trial(150, realtime=False)) == 150
    assert port_error_us(rtmidi, None) is None


@pytest.mark.parametrize(
    ("jitter_ms", "port_us", "status", "within"),
    [
        (0.1, 21.0, "good", True),
        (2.7, 21.0, "good", True),  # 40 ms ± 10 ms
        (16.0, 21.0, "warning", False),  # 100 ms ± 50 ms
        (0.1, 1500.0, "warning", False),
        (0.1, None, "unknown", None),
    ],
)
def test_whether_a_millisecond_can_be_expected(
    jitter_ms: float, port_us: float | None, status: str, within: bool | None
) -> None:
    verdict = judge([GOOD], port_us, way(probed(estimate(jitter_ms))))
    assert verdict.status == status
    assert verdict.figures["p99_within_1_ms"] is within
    assert bool(verdict.advice) == (status != "good")


def test_what_no_probe_can_see_is_said() -> None:
    near = judge([GOOD], 21.0, way(probed(estimate(error_bound_ms=0.5))))
    assert "alike" not in near.text
    far = judge([GOOD], 21.0, way(probed(estimate(error_bound_ms=30))))
    assert "if delays there and back are alike" in far.text
    assert "at most 30.0 ms in all" in far.text


def test_it_is_said_where_to_begin() -> None:
    port = judge([WARNING], 1500.0, way())
    assert "begin with this machine; see power saving" in port.advice
    network = judge([GOOD], 21.0, way(probed(estimate(16.0))))
    assert "begin with the network" in network.advice


def test_without_a_clock_nothing_is_promised() -> None:
    verdict = judge([GOOD], 21.0, way(probed(answered=0)))
    assert verdict.status == "unknown"
    assert "the clock was not measured" in verdict.text


@pytest.mark.parametrize("network", [None, way()])
def test_what_is_bad_decides(network: NetworkLook | None) -> None:
    verdict = judge([GOOD, BAD, WARNING], 21.0, network)
    assert verdict.status == "bad"
    assert "MIDI ports" in verdict.text


@pytest.mark.parametrize("port_us", [21.0, 1500.0, None])
def test_without_a_server_it_says_how_to_look_at_one(port_us: float | None) -> None:
    verdict = judge([WARNING], port_us, None)
    assert verdict.advice == NO_URL
    assert verdict.status == ("good" if port_us == 21.0 else "warning")
    if port_us == 21.0:
        assert "power saving" in verdict.text


@pytest.mark.parametrize(
    ("checks", "verdict", "code"),
    [([GOOD, WARNING], GOOD, 0), ([GOOD, BAD], GOOD, 1), ([GOOD], BAD, 1), ([], WARNING, 0)],
)
def test_the_exit_code(checks: list[Finding], verdict: Finding, code: int) -> None:
    assert Report(checks, verdict).exit_code == code


def test_the_json() -> None:
    found: dict[str, Any] = Report([WARNING], GOOD).as_json()
    assert found.keys() == {"checks", "verdict"}
    assert found["checks"][0] == {
        "name": "power saving",
        "status": "warning",
        "text": "it runs on its battery",
        "advice": "plug it in",
        "figures": {},
    }
