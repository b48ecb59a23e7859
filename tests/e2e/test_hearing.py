"""Players hear each other: what goes in at one end comes out at the other, in its channel."""

import itertools
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midipool_demo import jack_look
from midipool_demo.background import Background
from midipool_demo.stage import Player, Stage
from tests.bench.netstage import net_stage
from tests.e2e.conftest import LONG_PERIOD, needs_audio, needs_jackd
from tests.e2e.link.lans import lan_stage
from tests.e2e.listening import clocks
from tests.e2e.sound_daw import Floats, SoundDaw, correlations, noise
from tests.e2e.two_players import check_that_sound_is_as_it_was, reasons, wait_for_paths
from tests.e2e.waiting import wait_until
from tests.e2e.wire import Wire
from tests.netlab import Access, why_no_routers, why_unavailable

pytestmark = [pytest.mark.jack, pytest.mark.timeout(120)]
DRUMS_SEED, BASS_SEED = 10, 20
PERIOD = 512
LOOKED_AT = 2 * 48_000
FROM = "midiPool-audio:from_{}_{}"
MIX = "midiPool-audio:audio_receive_{}"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    needs_audio()
    audio = ("--profile", "safe")
    with Stage(("drums", "bass"), home=tmp_path, period=PERIOD, audio=audio) as made:
        yield made


def hearing(stage: Stage, listener: str, heard: str) -> dict[str, Any]:
    """How one hears another; nothing while it does not."""
    found: list[dict[str, Any]] = stage.status()["hears"].get(listener, [])
    return next((h for h in found if h["member"] == heard and h["latency_ms"] is not None), {})


def both_hear(stage: Stage) -> bool:
    return bool(hearing(stage, "drums", "bass") and hearing(stage, "bass", "drums"))


def audio_engine_pid(player: Player) -> int:
    """The audio engine of a player's client."""
    client = player.client.process.pid
    for child in Path(f"/proc/{client}/task/{client}/children").read_text().split():
        if b"midipool_client.audio.engine" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AssertionError("no audio engine runs")


def loudness(sound: Floats) -> float:
    """RMS of a second: of all of the noise, wherever that begins."""
    return float(np.sqrt(np.mean(sound[-48_000:] ** 2)))


def loudness_between(sound: Floats, low_hz: int, high_hz: int) -> float:
    """RMS of a part of the spectrum, of a second."""
    spectrum = np.fft.rfft(sound[-48_000:])[low_hz:high_hz]
    return float(np.sqrt(np.mean(np.abs(spectrum) ** 2)))


def check_what_is_filtered(filtered: Floats) -> None:
    """Noise of up to 4 kHz went through a low-pass at 500 Hz."""
    whole = noise(DRUMS_SEED)
    low, high = (
        loudness_between(filtered, *band) / loudness_between(whole, *band)
        for band in ((50, 250), (2_000, 4_000))
    )
    assert abs(20 * np.log10(low)) < 1.5
    # 12 dB an octave: 24 dB at 2 kHz, 36 dB at 4 kHz.
    assert -33 < 20 * np.log10(high) < -24


def check_that_the_graph_is_followed(stage: Stage, file: Path) -> None:
    """Drums play noise, and bass hears it at unity: until it is not linked any more."""
    _, bass = stage.players
    ports = [FROM.format("drums", 1), MIX.format(1)]
    sender = next(m["sender"] for m in stage.status()["members"] if m["name"] == "drums")
    with Wire() as wire, SoundDaw(bass.env, BASS_SEED, file, *ports) as listening:
        assert wire.sound_of(sender, 0.2) > 5
        stage.conduct("link", "drums", "bass", "--low-pass", "500")
        filtered_s = time.monotonic()
        wire.sound_of(sender, 1.2)
        stage.conduct("unlink", "drums", "bass")
        wait_until(lambda: wire.sound_of(sender, 0.2) == 0, 5)
        wait_until(lambda: stage.status()["hears"].get("bass") == [])
        assert wire.sound_of(sender, 0.5) == 0
        stage.conduct("link", "drums", "bass", "--gain", "-6", "--low-pass", "off")
        linked_s = time.monotonic()
        wait_until(lambda: (hearing(stage, "bass", "drums").get("level_db") or -99) > -40)
        heard = listening.end(2.0)
        latency_s = hearing(stage, "bass", "drums")["latency_ms"] / 1000
    from_port, mix = heard[:, 0], heard[:, 1]
    begin = round((filtered_s + 0.15 - listening.began_s) * 48_000)
    check_what_is_filtered(from_port[begin : begin + 48_000])
    silent = np.flatnonzero(np.convolve(np.abs(from_port) > 0, np.ones(4_800), "valid") < 0.5)
    assert len(silent), "nothing was silent for a tenth of a second"
    # Of what is played from the link on all is heard, without waiting for a block to begin.
    played_s = (silent[-1] + 4_800) / 48_000 - latency_s + listening.began_s
    assert (played_s - linked_s) * 48_000 < 2_000
    for port in (from_port, mix):
        assert abs(loudness(port[-48_000:]) / loudness(noise(DRUMS_SEED)) - 10 ** (-6 / 20)) < 0.03
        assert np.median(correlations(port[-48_000:], noise(DRUMS_SEED))) > 0.85


def check_that_hosts_are_obeyed(stage: Stage, folder: Path) -> None:
    """Who came first mutes the other: it is silent there, and hears. Put out it does neither."""
    first = stage.status()["members"][0]["name"]
    host, other = sorted(stage.players, key=lambda player: player.name != first)
    from_other, from_host = FROM.format(other.name, 1), FROM.format(host.name, 1)
    with (
        SoundDaw(host.env, DRUMS_SEED, folder / "host.npy"),
        SoundDaw(other.env, BASS_SEED, folder / "out.npy", from_host) as at_other,
        SoundDaw(host.env, 50, folder / "muted.npy", from_other) as at_host,
    ):
        wait_until(lambda: (hearing(stage, host.name, other.name).get("level_db") or -99) > -40)
        stage.conduct("mute", other.name, by=host)
        other.client.wait_for_output("a host has muted you")
        muted = at_host.end(1.5)[:, 0]
        stage.conduct("kick", other.name, "--reason", "noise", by=host)
        other.client.wait_for_output(f"{host.name} put you out of the room: noise")
        wait_until(lambda: [m["name"] for m in stage.status()["members"]] == [host.name])
        out = at_other.end(1.0)[:, 0]
    for heard in (muted, out):
        assert max(loudness(piece) for piece in np.array_split(heard, 20)) > 0.02
    assert np.abs(muted[-24_000:]).max() == 0
    assert np.abs(out[-24_000:]).max() == 0


def test_what_one_plays_the_other_hears_in_its_channel(stage: Stage, tmp_path: Path) -> None:
    drums, bass = stage.players
    ports = [FROM.format("drums", n) for n in (1, 2)] + [MIX.format(n) for n in (1, 2)]
    wait_until(lambda: both_hear(stage))
    with (
        SoundDaw(drums.env, DRUMS_SEED, tmp_path / "drums.npy"),
        SoundDaw(bass.env, BASS_SEED, tmp_path / "bass.npy", *ports) as listening,
    ):
        # Loud at the other end, and then for long enough to look at.
        wait_until(lambda: (hearing(stage, "bass", "drums").get("level_db") or -99) > -30)
        first = clocks(bass.meter.snapshot().events[0])
        stage.conduct("start")
        bass.meter.wait_until(lambda heard: clocks(heard.events[0]) >= first + 48 * 4)
        recorded = listening.end()
        if os.geteuid() == 0:
            check_that_the_graph_is_followed(stage, tmp_path / "graph.npy")
    recorded = recorded[-LOOKED_AT:]
    left, right = noise(DRUMS_SEED), noise(DRUMS_SEED + 1)
    for port, own, other in (
        (0, left, right),
        (1, right, left),
        (2, left, right),
        (3, right, left),
    ):
        assert np.median(correlations(recorded[:, port], own)) > 0.85, ports[port]
        assert np.median(correlations(recorded[:, port], other)) < 0.5, ports[port]
    # It begins anew when what is sent changes, with who listens.
    wait_until(lambda: 0 < hearing(stage, "bass", "drums").get("latency_ms", 0) < 400)
    wait_until(lambda: hearing(stage, "bass", "drums")["path"] == "direct")
    assert hearing(stage, "bass", "drums")["answer"] == "accepted"
    check_that_hosts_are_obeyed(stage, tmp_path)


def test_a_killed_audio_engine_comes_back_and_the_clock_does_not_notice(stage: Stage) -> None:
    player = stage.players[0]
    wait_until(lambda: both_hear(stage))
    own = [MIX.format(1), FROM.format("bass", 2), "midiPool-audio:audio_send_1"]
    jack_look.connect(player.jack.env, own[0], "system:playback_1")
    jack_look.connect(player.jack.env, own[1], "system:playback_2")
    jack_look.connect(player.jack.env, "system:capture_1", own[2])
    wait_until(lambda: all(jack_look.connections(player.jack.env, port) for port in own))
    stage.conduct("start")
    player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= 48)
    old = audio_engine_pid(player)
    os.kill(old, signal.SIGKILL)
    player.client.wait_for_output("the audio engine ended: it is started anew")
    wait_until(lambda: player.client.output().count("audio: JACK") == 2)
    # Its datagrams are under counters that nobody has seen: the other one hears it again.
    wait_until(lambda: not hearing(stage, "drums", "bass") or both_hear(stage))
    wait_until(lambda: both_hear(stage))
    assert audio_engine_pid(player) != old
    wait_until(lambda: all(jack_look.connections(player.jack.env, port) for port in own))
    before = clocks(player.meter.snapshot().events[0])
    player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= before + 48)
    frames = [f for f, data in player.meter.snapshot().events[0] if data == b"\xf8"]
    steps = [b - a for a, b in itertools.pairwise(frames)]
    assert max(steps) < 1500, "at 120 BPM a tick comes every 1,000 frames"


def test_long_periods_of_several_others_are_decoded_in_time(tmp_path: Path) -> None:
    needs_audio()
    names = ("drums", "bass", "keys", "horn")
    pairs = list(itertools.permutations(names, 2))
    with Stage(names, home=tmp_path, period=LONG_PERIOD, audio=("--profile", "safe")) as stage:
        wait_until(lambda: all(hearing(stage, *pair) for pair in pairs), 40)
        before = [hearing(stage, *pair)["counts"] for pair in pairs]

        def since(what: str) -> list[int]:
            now = [hearing(stage, *pair).get("counts", {what: 0}) for pair in pairs]
            return [n[what] - b[what] for n, b in zip(now, before, strict=True)]

        wait_until(lambda: min(since("frames")) > LOOKED_AT, 30)
        missing, played = since("missing_frames"), since("frames")
    shares = [gone / all_of_it for gone, all_of_it in zip(missing, played, strict=True)]
    assert max(shares) < 0.03, shares


@pytest.mark.idle
def test_without_libroc_the_clock_works_and_audio_says_what_to_do(tmp_path: Path) -> None:
    needs_jackd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDIPOOL_LIBROC", str(tmp_path / "none.so"))
        with Stage(("drums",), home=tmp_path, period=PERIOD, audio=()) as stage:
            [player] = stage.players
            assert "libroc" in player.client.wait_for_output("no audio: ")
            stage.conduct("start")
            player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= 48)


@pytest.mark.netns
@pytest.mark.idle
def test_where_there_is_no_direct_way_the_server_relays() -> None:
    needs_audio()
    if reason := why_unavailable():
        pytest.skip(reason)
    with lan_stage(period=PERIOD) as stage, ExitStack() as stack:
        for lan in (stage.lan("a"), stage.lan("b")):
            words = [sys.executable, "-m", "midipool_client", "join", stage.url, "--name", lan.name]
            inside = ["ip", "netns", "exec", lan.player.name, *words]
            client = stack.enter_context(Background(inside, lan.jack.env))
            client.wait_for_output("audio: the relay answers")

        def paths() -> list[str]:
            hears = stage.status()["hears"].values()
            return [h["path"] for heard in hears for h in heard if h["latency_ms"] is not None]

        wait_until(lambda: paths() == ["relay", "relay"], 20)
        # They look for another path all the time, and stay with this one.
        reasons = [h["reason"] for heard in stage.status()["hears"].values() for h in heard]
        assert all(reason.startswith("relay: ") for reason in reasons), reasons


@pytest.mark.netns
@pytest.mark.idle
@pytest.mark.parametrize(
    ("access", "path"),
    [(("port-restricted", "port-restricted"), "direct"), (("symmetric", "symmetric"), "relay")],
)
def test_players_behind_real_routers_hear_each_other(
    access: tuple[Access, Access], path: str, tmp_path: Path
) -> None:
    needs_audio()
    if reason := why_unavailable() or why_no_routers():
        pytest.skip(reason)
    with net_stage(period=PERIOD) as stage:
        stage.start_server()
        for name, kind in zip("ab", access, strict=True):
            stage.join(name, *stage.prepare(name, kind), audio=("--profile", "safe"))
        wait_for_paths(stage, path, 40)
        if path == "relay":
            wait_until(lambda: all("symmetric NAT" in reason for reason in reasons(stage)), 20)
        check_that_sound_is_as_it_was(stage, tmp_path)
