"""What dies comes back, and the clock ticks on."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from midipool_demo import jack_look
from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.report import listen
from midipool_demo.stage import CLOCK_PORT, Player, Stage
from midipool_demo.tick_meter import TickMeter
from tests.e2e.conftest import LONG_PERIOD, needs_jackd
from tests.e2e.listening import Daw, clocks, has
from tests.e2e.timelines import newest_timeline
from tests.e2e.waiting import wait_until

CUE = b"\xf2\x00\x01"

pytestmark = [pytest.mark.jack, pytest.mark.idle]


def wait_more_clocks(player: Player, count: int) -> None:
    before = clocks(player.meter.snapshot().events[0])
    player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= before + count)


def engine_pid(client: Background) -> int:
    children = Path(f"/proc/{client.process.pid}/task/{client.process.pid}/children")
    return int(children.read_text().split()[0])


def members(stage: Stage) -> list[str]:
    try:
        return [m["name"] for m in stage.status()["members"] if m["connected"]]
    except OSError:
        return []


def test_a_killed_server_takes_the_timeline_over_and_no_tick_is_missing(stage: Stage) -> None:
    stage.conduct("start")
    for player in stage.players:
        wait_more_clocks(player, 48)
    before = newest_timeline(stage)
    assert stage.server is not None
    stage.server.stop(signal.SIGKILL)
    for player in stage.players:
        wait_more_clocks(player, 24)
    stage.start_server()
    wait_until(lambda: len(members(stage)) == 2)
    for player in stage.players:
        wait_more_clocks(player, 48)
    assert newest_timeline(stage) == before
    for player in stage.players:
        ticks = listen(player, before)
        assert (ticks.missing, ticks.extra, ticks.out_of_order) == (0, 0, 0)
        assert Daw().hear(player.meter.snapshot().events[0]).log == ["F2 0", "FA"]
    # The room obeys again.
    stage.conduct("stop")
    for player in stage.players:
        player.meter.wait_until(lambda heard: has(b"\xfc", heard.events[0]))


def test_a_server_with_a_state_dir_comes_back_with_its_room_in_phase(tmp_path: Path) -> None:
    needs_jackd()
    options = ("--state-dir", str(tmp_path / "state"))
    file = tmp_path / "room.yaml"
    with Stage(
        ("drums", "bass"), server_options=options, home=tmp_path, period=LONG_PERIOD
    ) as stage:
        drums, bass = stage.players
        stage.conduct("songs", "add", "Blue", "--tempo", "90")
        stage.conduct("save", str(file), by=drums)
        text = file.read_text()
        assert "name: Blue" in text
        assert "drums:" in text
        file.write_text(text.replace("tempo: 120", "tempo: 132  # faster"))
        stage.conduct("load", str(file), by=drums)
        stage.conduct("start")
        wait_more_clocks(drums, 24)
        before = newest_timeline(stage)
        assert before.mbpm == 132_000
        bass.client.send(signal.SIGKILL)
        wait_until(lambda: members(stage) == ["drums"])
        for left in (["drums"], []):
            if not left:
                drums.client.send(signal.SIGKILL)
                wait_until(lambda: members(stage) == [])
            assert stage.server is not None
            stage.server.stop(signal.SIGKILL)
            stage.start_server()
            wait_until(lambda: members(stage) == left)  # noqa: B023
            # Nobody but the folder can have told it of who is away, nor, at last, of the song.
            assert {member["name"] for member in stage.status()["members"]} == {"drums", "bass"}
            assert newest_timeline(stage) == before
            if left:
                wait_more_clocks(drums, 24)
                ticks = listen(drums, before)
                assert (ticks.missing, ticks.extra, ticks.out_of_order) == (0, 0, 0)
        [history] = (tmp_path / "state" / "history").iterdir()
        assert any('"Blue"' in path.read_text() for path in history.iterdir())


def test_a_killed_engine_is_back_with_its_connections_and_on_the_right_tick(stage: Stage) -> None:
    player = stage.players[0]
    with TickMeter(player.jack.env) as daw_meter:
        # Only this meter's program connects by itself; this one must be connected for it.
        name = f"meter-{daw_meter.pid}:in_1"
        wait_until(lambda: daw_meter.sample_rate > 0)
        jack_look.connect(player.jack.env, CLOCK_PORT, name)
        stage.conduct("start")
        wait_more_clocks(player, 48)
        wait_until(lambda: name in jack_look.connections(player.jack.env, CLOCK_PORT))
        time_for_a_report = clocks(player.meter.snapshot().events[0]) + 24
        player.meter.wait_until(lambda h: clocks(h.events[0]) >= time_for_a_report)
        os.kill(engine_pid(player.client), signal.SIGKILL)
        wait_until(lambda: name in jack_look.connections(player.jack.env, CLOCK_PORT))
    wait_more_clocks(player, 48)
    daw = Daw().hear(player.meter.snapshot().events[0])
    assert daw.log[:2] == ["F2 0", "FA"]
    assert daw.log[-1] == "FB"
    # On the right tick: what the bytes say is what the timeline says.
    ticks = listen(player, newest_timeline(stage))
    assert 0 < ticks.missing < 96
    assert daw.clocks[-1][1] == ticks.numbers[-1]


def test_a_jack_server_that_comes_back_gets_its_ports_and_the_clock(stage: Stage) -> None:
    player = stage.players[0]
    stage.conduct("start")
    wait_more_clocks(player, 24)
    player.jack.stop(signal.SIGKILL)
    player.client.wait_for_output("the MIDI ports are gone")
    with JackServer(name=player.jack.name, period=player.jack.period) as jack:
        jack.wait_ready()
        with TickMeter(jack.env, CLOCK_PORT) as meter:
            meter.wait_until(lambda h: clocks(h.events[0]) >= 24)
            stage.conduct("locate", "9")
            heard = meter.wait_until(
                lambda h: h.events[0][-1][1] == b"\xf8" and has(CUE, h.events[0])
            )
        daw = Daw().hear(heard.events[0])
    # The meter may come too late for the first cue; what counts is that it ticks and obeys again.
    assert daw.log[-3:] == ["FC", "F2 128", "FB"]
    assert 128 * 6 in [tick for _, tick in daw.clocks]
    assert player.client.alive
    assert stage.players[1].client.alive


def test_without_udp_the_clock_comes_over_the_websocket() -> None:
    needs_jackd()
    with Stage(("drums", "bass"), server_options=("--no-udp",), period=LONG_PERIOD) as stage:
        stage.conduct("start")
        for player in stage.players:
            wait_more_clocks(player, 100)
        for member in stage.status()["members"]:
            assert member["status"]["probes"] == "websocket"
        for player in stage.players:
            ticks = listen(player, newest_timeline(stage))
            assert (ticks.missing, ticks.extra) == (0, 0)
            assert abs(float(np.median(ticks.late_us))) < 3000


def test_a_killed_client_leaves_no_device_running(stage: Stage) -> None:
    stage.conduct("start")
    first, second = stage.players
    wait_more_clocks(first, 24)
    first.client.send(signal.SIGKILL)
    first.meter.wait_until(lambda heard: heard.events[0][-1][1] == b"\xfc")
    wait_more_clocks(second, 24)
    assert listen(second, newest_timeline(stage)).missing == 0


def test_a_client_that_is_stopped_for_a_while_plays_from_its_spool(stage: Stage) -> None:
    stage.conduct("start")
    player = stage.players[0]
    wait_more_clocks(player, 24)
    player.client.send(signal.SIGSTOP)
    wait_more_clocks(player, 48)
    player.client.send(signal.SIGCONT)
    wait_more_clocks(player, 48)
    ticks = listen(player, newest_timeline(stage))
    assert (ticks.missing, ticks.extra) == (0, 0)


def test_ctrl_c_ends_a_client_in_order(stage: Stage) -> None:
    stage.conduct("start")
    first = stage.players[0]
    wait_more_clocks(first, 24)
    assert first.client.stop(signal.SIGINT) == 0
    first.meter.wait_until(lambda heard: heard.events[0][-1][1] == b"\xfc")
    wait_until(lambda: members(stage) == ["bass"])
    assert len(stage.status()["members"]) == 1
