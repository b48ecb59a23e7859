"""`bar` mode with libroc itself: what a bad line loses is repaired, and nothing is missing."""

import random

import pytest

from midipool.audio.bars import Piece
from midipool.audio.profiles import PROFILES, encoding_for
from midipool.clock_map import ClockMap
from midipool.errors import Unavailable
from midipool_native import roc
from midipool_native._rt import ffi
from midipool_native.audio import AudioCore, EncoderSetup, PlayerSetup

RATE, PERIOD = 48_000, 512
BAR_US = 1_500_000
BEGIN_NS = 10**9
SECONDS = 25
DELAY_NS = 20_000_000
BURST_NS = 50_000_000

Packet = tuple[int, int, int, bytes]


@pytest.fixture
def context() -> roc.Context:
    try:
        return roc.Context()
    except Unavailable as error:
        pytest.skip(str(error))


def bad_line(packets: list[Packet], share: float) -> list[Packet]:
    """Without the packets that bursts of 50 ms took: `share` of all, and no two bursts in a row."""
    chance, kept, down_until_ns, up_until_ns = random.Random(7), [], 0, 0
    for packet in packets:
        sent_ns = packet[0]
        if sent_ns >= up_until_ns:
            down_until_ns = sent_ns + BURST_NS
            pause_s = chance.uniform(0.6, 1.4) * (1 / share - 1)
            up_until_ns = down_until_ns + round(BURST_NS * pause_s)
        if sent_ns >= down_until_ns:
            kept.append(packet)
    return kept


def sent(context: roc.Context) -> list[Packet]:
    """Noise, as it leaves a sender whom listeners in `bar` hear: (sent, kind, capture, bytes)."""
    packets: list[Packet] = []
    core = AudioCore.without_device(RATE, PERIOD, 1, 1)
    encoding = encoding_for(["bar"], 1, PERIOD, RATE)
    fec = roc.Fec(encoding.source_packets, encoding.repair_packets)
    encoder = roc.Encoder(
        context, roc.EncoderSettings(channels=1, packet_frames=encoding.packet_frames, fec=fec)
    )
    now_ns = BEGIN_NS

    @ffi.callback("int(void *, int, int64_t, const uint8_t *, uint32_t)")  # type: ignore[untyped-decorator]
    def send(_: object, kind: int, capture_us: int, data: object, size: int) -> int:
        packets.append((now_ns, kind, capture_us, bytes(ffi.buffer(data, size))))
        return 0

    calls = context.library.calls()
    core.set_encoder(
        EncoderSetup(
            calls,
            encoder.handle,
            encoding.packet_frames,
            send,
            source_packets=encoding.source_packets,
            repair_packets=encoding.repair_packets,
        )
    )
    core.set_map(ClockMap(0, 0))
    core.set_repairs(True)
    chance = random.Random(1)
    buffer = ffi.new("float[]", PERIOD)
    for cycle in range(SECONDS * RATE // PERIOD):
        cycle_ns = BEGIN_NS + cycle * PERIOD * 10**9 // RATE
        end_ns = cycle_ns + PERIOD * 10**9 // RATE
        for frame in range(PERIOD):
            buffer[frame] = chance.uniform(-0.5, 0.5)
        process(core, buffer, ffi.new("float[]", PERIOD), cycle_ns)
        step_ns = cycle_ns + 30_000
        while step_ns < end_ns:
            now_ns = step_ns
            step_ns = max(core.step(step_ns), step_ns + 1)
    encoder.close()
    return packets


def process(core: AudioCore, given: object, out: object, host_ns: int) -> None:
    from midipool_native._rt import lib

    inputs = ffi.new("float *[1]", [given] if given is not None else [ffi.NULL])
    outputs = ffi.new("float *[1]", [out])
    lib.mp_audio_process(core.handle, inputs, outputs, ffi.NULL, PERIOD, host_ns)


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_bursts_of_50_ms_leave_nothing_missing_in_bar(context: roc.Context, share: float) -> None:
    packets = sent(context)
    arriving = bad_line(packets, share)
    assert 0.8 * share < 1 - len(arriving) / len(packets) < 1.2 * share
    encoding = encoding_for(["bar"], 1, PERIOD, RATE)
    decoder = roc.Decoder(
        context, roc.DecoderSettings(channels=1, fec=True, target_latency_us=encoding.packet_us)
    )
    core = AudioCore.without_device(RATE, PERIOD, 0, 1)
    core.set_map(ClockMap(0, 0))
    core.add_player(
        0,
        PlayerSetup(
            context.library.calls(),
            decoder.handle,
            encoding.packet_frames,
            1,
            source_packets=encoding.source_packets,
            queue_packets=512,
        ),
    )
    core.keep(0, 1 << 18)
    end_us = BEGIN_NS // 1000 + SECONDS * 1_000_000
    core.set_pieces([Piece("bars", 0, end_us, -BAR_US, end_us - BAR_US)])
    floor_us = encoding.lowest_us(PERIOD, RATE)
    target_us = PROFILES["bar"].target_us(encoding, floor_us, PERIOD * 1_000_000 // RATE)
    core.set_target(0, target_us * RATE / 1e6, by_bars=True)
    out = ffi.new("float[]", PERIOD)
    silent, at, before = 0, 0, None
    for cycle in range(SECONDS * RATE // PERIOD):
        cycle_ns = BEGIN_NS + cycle * PERIOD * 10**9 // RATE
        process(core, None, out, cycle_ns)
        if cycle * PERIOD > 3 * RATE:
            before = before or core.player_stats(0)
            silent += all(abs(out[frame]) < 1e-3 for frame in range(0, PERIOD, 8))
        step_ns = cycle_ns + 30_000
        while step_ns < cycle_ns + PERIOD * 10**9 // RATE:
            while at < len(arriving) and arriving[at][0] + DELAY_NS <= step_ns:
                sent_ns, kind, capture_us, data = arriving[at]
                assert core.receive(0, kind, data, capture_us, sent_ns + DELAY_NS)
                at += 1
            step_ns = max(core.step(step_ns), step_ns + 1)
    stats = core.player_stats(0)
    assert stats.lost > 0.8 * share * stats.packets / 2
    # In the first block a beginner may miss what was lost.
    assert before is not None
    assert stats.lost - stats.repaired == before.lost - before.repaired
    assert stats.concealed_frames == before.concealed_frames
    assert stats.underruns == 0
    assert silent == 0
    del core
    decoder.close()
