"""Two players on JACK servers of their own, heard by independent JACK clients."""

import itertools
import shutil
import time

import numpy as np
import pytest

from midipool_demo.background import Background
from midipool_demo.jack_look import connections
from midipool_demo.report import listen
from midipool_demo.stage import CLOCK_PORT, Player, Stage
from midipool_demo.tick_meter import TickMeter
from tests.e2e.listening import Daw, clocks, has
from tests.e2e.timelines import newest_timeline

pytestmark = [pytest.mark.jack, pytest.mark.idle]


def daw(player: Player) -> Daw:
    return Daw().hear(player.meter.snapshot().events[0])


def wait_clocks(player: Player, count: int) -> None:
    player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= count)


def test_start_tempo_locate_and_stop_reach_both_players_alike(stage: Stage) -> None:
    stage.conduct("tempo", "240")
    stage.conduct("start")
    for player in stage.players:
        wait_clocks(player, 48)
    stage.conduct("locate", "17.3")
    for player in stage.players:
        player.meter.wait_until(lambda heard: has(b"\xf2\x08\x02", heard.events[0]))
        wait_clocks(player, 96)
    stage.conduct("stop")
    for player in stage.players:
        player.meter.wait_until(lambda heard: heard.events[0][-1][1] == b"\xfc")
    first, second = (daw(player) for player in stage.players)
    # Bar 17, beat 3 is 66 beats, or 264 sixteenths, behind the start.
    assert first.log == ["F2 0", "FA", "FC", "F2 264", "FB", "FC"]
    assert first.log == second.log
    assert [tick for _, tick in first.clocks] == [tick for _, tick in second.clocks]


def test_ticks_keep_to_the_timeline_to_a_fraction_of_a_tick(stage: Stage) -> None:
    stage.conduct("start")
    for player in stage.players:
        wait_clocks(player, 150)
    for player in stage.players:
        ticks = listen(player, newest_timeline(stage))
        assert (ticks.missing, ticks.extra, ticks.out_of_order) == (0, 0, 0)
        # With long periods there are few wake-ups to tell the frames' times by, here and there:
        # a hundredth of a tick is the bound. ./run bench clock measures what is left.
        assert abs(float(np.median(ticks.late_us))) < 200.0


def test_a_late_joiner_enters_on_the_bar_line_and_nobody_else_notices(stage: Stage) -> None:
    stage.conduct("tempo", "240")
    stage.conduct("start")
    for player in stage.players:
        wait_clocks(player, 30)
    env = stage.players[0].jack.env
    port = CLOCK_PORT.replace("midiPool", "keys")
    words = ["join", stage.url, "--name", "keys", "--device-name", "keys", "--no-audio"]
    # The meter first: it waits for the port, and misses nothing.
    with TickMeter(env, port) as meter, Background.python("midipool_client", *words, env=env):
        heard = meter.wait_until(lambda h: clocks(h.events[0]) >= 30, timeout_s=15)
        late = Daw().hear(heard.events[0])
    assert late.log[0].startswith("F2 ")
    assert late.log[1:] == ["FB"]
    # In 4/4 a bar has 96 ticks.
    assert late.clocks[0][1] % 96 == 0
    assert late.clocks[0][1] > 0
    # On the same JACK server the same tick lies on the same frame, or next to it.
    early = {tick: frame for frame, tick in daw(stage.players[0]).clocks}
    apart = [abs(frame - early[tick]) for frame, tick in late.clocks if tick in early]
    assert len(apart) > 10
    assert float(np.median(apart)) <= 3
    for player in stage.players:
        assert daw(player).log == ["F2 0", "FA"]
        assert listen(player, newest_timeline(stage)).missing == 0


def test_a_loop_repeats_its_bars(stage: Stage) -> None:
    stage.conduct("tempo", "480")
    stage.conduct("loop", "2", "3")
    stage.conduct("start")
    player = stage.players[0]
    player.meter.wait_until(
        lambda heard: sum(data == b"\xf2\x10\x00" for _, data in heard.events[0]) >= 2
    )
    stage.conduct("loop", "off")
    heard = daw(player)
    assert heard.log[:8] == ["F2 0", "FA", "FC", "F2 16", "FB", "FC", "F2 16", "FB"]
    assert max(tick for _, tick in heard.clocks[: 96 * 3]) == 2 * 96 - 1


def test_a_meter_changes_on_the_bar_line_and_keeps_the_bar(stage: Stage) -> None:
    stage.conduct("tempo", "480")
    stage.conduct("start")
    player = stage.players[0]
    wait_clocks(player, 100)
    stage.conduct("meter", "7/8")
    player.meter.wait_until(lambda heard: has(b"\xfc", heard.events[0]))
    wait_clocks(player, 300)
    heard = daw(player)
    assert heard.log[:2] == ["F2 0", "FA"]
    assert heard.log[2] == "FC"
    ticks = [tick for _, tick in heard.clocks]
    jump = next(i for i, (a, b) in enumerate(itertools.pairwise(ticks)) if b != a + 1)
    # A bar has 96 ticks in 4/4 and 84 in 7/8; the next bar starts, and keeps its number.
    assert (ticks[jump] + 1) % 96 == 0
    assert ticks[jump + 1] == (ticks[jump] + 1) // 96 * 84


def test_jack_mclk_dump_reads_the_tempo(stage: Stage) -> None:
    if shutil.which("jack_mclk_dump") is None:
        pytest.skip("jack_mclk_dump is not installed: apt-get install jack-midi-clock")
    stage.conduct("tempo", "133.7")
    player = stage.players[0]
    with Background(["stdbuf", "-o0", "jack_mclk_dump", CLOCK_PORT], player.jack.env) as dump:
        wait_dump_client(player)
        stage.conduct("start")
        wait_clocks(player, 120)
        text = dump.wait_for_output("133.", 10)
    assert "start" in text


def wait_dump_client(player: Player) -> None:
    give_up = time.monotonic() + 10
    while "jack_mclk_dump" not in connections(player.jack.env, CLOCK_PORT):
        assert time.monotonic() < give_up
