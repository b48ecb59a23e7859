import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from midipool.errors import InvalidDatagram, InvalidValue, Unavailable
from midipool_native import roc
from midipool_native._rt import ffi, lib
from tests.midipool.rtcp_packets import description, sender_report

Samples = npt.NDArray[np.float32]
Lost = Callable[[int], bool]

try:
    roc.load()
    without_libroc = ""
except Unavailable as unavailable:
    without_libroc = str(unavailable)
needs_libroc = pytest.mark.skipif(bool(without_libroc), reason=without_libroc)

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 0.3
TONE_HZ = 997
# One step of 16 bits and its rounding.
STEP = 2 / 65536


@pytest.fixture(scope="module")
def context() -> Iterator[roc.Context]:
    with roc.Context() as made:
        yield made


def tone(settings: roc.EncoderSettings) -> Samples:
    """Shape (frames, channels); each channel a bit softer than the one before."""
    time = np.arange(int(SECONDS * settings.rate_hz)) / settings.rate_hz
    loudness = 0.5 - 0.1 * np.arange(settings.channels)
    wave = np.sin(2 * math.pi * TONE_HZ * time)[:, None] * loudness
    return np.asarray(wave, np.float32)


def passed(
    encoder: roc.Encoder, decoder: roc.Decoder, sound: Samples, lost: Lost = lambda number: False
) -> Samples:
    """What comes out, shape (frames, channels), by packets; `lost` counts sources from 0."""
    sent, heard, number, length = encoder.settings, 0, 0, encoder.settings.packet_frames
    out = []
    for at in range(0, len(sound) - length + 1, length):
        encoder.push_frame(sound[at : at + length].tobytes())
        for interface in (roc.SOURCE, roc.REPAIR, roc.CONTROL):
            while packet := encoder.pop_packet(interface):
                number += interface == roc.SOURCE
                if interface != roc.SOURCE or not lost(number - 1):
                    decoder.push_packet(interface, packet)
        due = (at + length) * decoder.settings.rate_hz // sent.rate_hz
        out.append(decoder.pop_frame(due - heard))
        heard = due
        while packet := decoder.pop_feedback():
            encoder.push_feedback(packet)
    return np.frombuffer(b"".join(out), np.float32).reshape(-1, decoder.settings.channels)


def lag_of(out: Samples) -> int:
    """Where the tone begins: its second sample is the first that is loud enough."""
    return int(np.argmax(np.abs(out[:, 0]) > 0.02)) - 1


def furthest_off(sound: Samples, out: Samples) -> float:
    """The largest difference of samples, from where the tone begins in `out`."""
    lag = lag_of(out)
    assert lag < len(out) // 2
    return float(np.abs(out[lag:] - sound[: len(out) - lag]).max())


PAIRS = [
    (rate_hz, channels, fec)
    for rate_hz in roc.RATES_HZ
    for channels in roc.CHANNELS
    for fec in (None, roc.Fec(8, 4))
]


@needs_libroc
@pytest.mark.parametrize(("rate_hz", "channels", "fec"), PAIRS)
def test_what_goes_in_comes_out(
    context: roc.Context, rate_hz: int, channels: int, fec: roc.Fec | None
) -> None:
    settings = roc.EncoderSettings(rate_hz, channels, 128, fec)
    sound = tone(settings)
    with (
        roc.Encoder(context, settings) as encoder,
        roc.Decoder(context, roc.DecoderSettings(rate_hz, channels, fec is not None)) as decoder,
    ):
        out = passed(encoder, decoder, sound)
    assert furthest_off(sound, out) <= STEP
    assert lag_of(out) <= 0.020 * rate_hz


@needs_libroc
@pytest.mark.parametrize("resampler", ["low", "medium", "high"])
def test_the_tuner_keeps_the_tone(context: roc.Context, resampler: str) -> None:
    settings = roc.EncoderSettings()
    tuned = roc.DecoderSettings(tuner="gradual", resampler=resampler)
    with roc.Encoder(context, settings) as encoder, roc.Decoder(context, tuned) as decoder:
        out = passed(encoder, decoder, tone(settings))
    assert purity(out[-4800:, 0], 48_000) > 0.999


@needs_libroc
@pytest.mark.parametrize(("sent_hz", "heard_hz"), [(44_100, 48_000), (96_000, 44_100)])
def test_another_rate_and_other_channels_are_converted(
    context: roc.Context, sent_hz: int, heard_hz: int
) -> None:
    settings = roc.EncoderSettings(sent_hz, channels=1)
    other = roc.DecoderSettings(heard_hz, channels=2)
    with roc.Encoder(context, settings) as encoder, roc.Decoder(context, other) as decoder:
        out = passed(encoder, decoder, tone(settings))
    for channel in (0, 1):
        assert purity(out[-heard_hz // 10 :, channel], heard_hz) > 0.999


@pytest.mark.parametrize(("pushed", "sent", "heard"), [(2, 1, 0.15), (4, 2, 0.1), (4, 1, 0.1)])
def test_fewer_channels_are_sent_than_are_pushed(
    context: roc.Context, pushed: int, sent: int, heard: float
) -> None:
    """Of two one is their mean, of four the first ones; the packet's type says how many."""
    settings = roc.EncoderSettings(channels=pushed, packet_frames=128, wire_channels=sent)
    frames = np.tile(0.1 * np.arange(1, pushed + 1, dtype=np.float32), (128 * 40, 1))
    other = roc.DecoderSettings(channels=2, target_latency_us=2667)
    with roc.Encoder(context, settings) as encoder, roc.Decoder(context, other) as decoder:
        for piece in np.split(frames, 40):
            encoder.push_frame(piece.tobytes())
            packet = encoder.pop_packet(roc.SOURCE)
            assert packet is not None
            assert len(packet) < 128 * sent * 2 + 20
            assert packet[1] & 0x7F == roc.payload_type(48_000, sent)
            decoder.push_packet(roc.SOURCE, packet)
            out = np.frombuffer(decoder.pop_frame(128), np.float32)
    assert out[-2] == pytest.approx(heard, abs=1e-3)


def purity(heard: Samples, rate_hz: int) -> float:
    """The part of the power that is the tone's."""
    angle = 2 * math.pi * TONE_HZ * np.arange(len(heard)) / rate_hz
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, heard, rcond=None)[0]
    return float(1 - np.sum((heard - fit) ** 2) / np.sum(heard**2))


BLOCK = roc.Fec(8, 4)


def losing(*places: int) -> Lost:
    """These packets of every block but the first three, in which the session begins."""
    return lambda number: number >= 24 and number % 8 in places


@needs_libroc
@pytest.mark.parametrize("lost", [losing(1, 5), losing(2, 3, 4, 5)])
def test_what_repair_packets_can_make_good_is_not_heard(context: roc.Context, lost: Lost) -> None:
    settings = roc.EncoderSettings(packet_frames=120, fec=BLOCK)
    patient = roc.DecoderSettings(fec=True, target_latency_us=30_000)
    sound = tone(settings)
    with roc.Encoder(context, settings) as encoder, roc.Decoder(context, patient) as decoder:
        out = passed(encoder, decoder, sound, lost)
    assert furthest_off(sound, out) <= STEP


@needs_libroc
def test_what_they_cannot_is_silence_and_nothing_worse(context: roc.Context) -> None:
    settings = roc.EncoderSettings(packet_frames=120, fec=BLOCK)
    patient = roc.DecoderSettings(fec=True, target_latency_us=30_000)
    sound = tone(settings)
    with roc.Encoder(context, settings) as encoder, roc.Decoder(context, patient) as decoder:
        out = passed(encoder, decoder, sound, losing(2, 3, 4, 5, 6))
    lag = lag_of(out)
    wrong = np.abs(out[lag:] - sound[: len(out) - lag]).max(axis=1) > STEP
    assert 0.4 < wrong.mean() < 0.7
    assert not out[lag:][wrong].any()


@needs_libroc
@pytest.mark.parametrize("first", [1, 3, 7, 8])
def test_a_decoder_begins_in_the_middle_of_a_block_and_repairs_from_the_next_on(
    context: roc.Context, first: int
) -> None:
    """So a listener hears at once a stream that others hear already."""
    settings = roc.EncoderSettings(packet_frames=120, fec=BLOCK)
    patient = roc.DecoderSettings(fec=True, target_latency_us=30_000)
    sound = tone(settings)
    with roc.Encoder(context, settings) as encoder, roc.Decoder(context, patient) as decoder:
        out = passed(encoder, decoder, sound, lambda n: n < first or (n >= 16 and n % 8 in (1, 5)))
    begins = int(np.argmax(np.abs(out[:, 0]) > 0))
    left = sound[first * 120 :][: len(out) - begins]
    assert len(left) > 0.8 * len(sound)
    assert np.abs(out[begins : begins + len(left)] - left).max() <= STEP


@needs_libroc
def test_both_ends_know_of_each_other(context: roc.Context) -> None:
    settings = roc.EncoderSettings(control=True)
    with (
        roc.Encoder(context, settings) as encoder,
        roc.Decoder(context, roc.DecoderSettings(control=True)) as decoder,
    ):
        assert (encoder.query()[0], decoder.query()[0]) == (0, 0)
        passed(encoder, decoder, tone(settings))
        assert (encoder.query()[0], decoder.query()[0]) == (1, 1)


@needs_libroc
def test_without_rtcp_none_is_made_and_none_is_taken(context: roc.Context) -> None:
    settings = roc.EncoderSettings()
    with (
        roc.Encoder(context, settings) as encoder,
        roc.Decoder(context, roc.DecoderSettings()) as decoder,
    ):
        passed(encoder, decoder, tone(settings))
        assert (encoder.pop_packet(roc.CONTROL), decoder.pop_feedback()) == (None, None)
        report = sender_report() + description()
        with pytest.raises(InvalidValue, match="none for interface 13"):
            decoder.push_packet(roc.CONTROL, report)


@needs_libroc
def test_c_calls_the_same_library(context: roc.Context) -> None:
    calls = context.library.calls()
    with (
        roc.Encoder(context, roc.EncoderSettings(packet_frames=120, control=True)) as encoder,
        roc.Decoder(context, roc.DecoderSettings()) as decoder,
    ):
        samples, data = ffi.new("float[240]", [0.25] * 240), ffi.new("uint8_t[2048]")
        frame = ffi.new("mp_roc_frame *", (samples, 960))
        packet = ffi.new("mp_roc_packet *", (data, 2048))
        assert calls.encoder_push_frame(encoder.handle, frame) == 0
        assert calls.encoder_pop_packet(encoder.handle, lib.MP_ROC_SOURCE, packet) == 0
        assert packet.bytes_size == 12 + 120 * 2 * 2
        assert calls.decoder_push_packet(decoder.handle, lib.MP_ROC_SOURCE, packet) == 0
        assert calls.decoder_pop_frame(decoder.handle, frame) == 0
        packet.bytes_size = 2048
        assert calls.encoder_pop_packet(encoder.handle, lib.MP_ROC_CONTROL, packet) == 0
        assert lib.mp_rtcp_is_safe(data, packet.bytes_size)
        packet.bytes_size = 2048
        assert calls.encoder_pop_packet(encoder.handle, lib.MP_ROC_SOURCE, packet) != 0
        assert calls.encoder_push_feedback != ffi.NULL
        assert calls.decoder_pop_feedback != ffi.NULL


@needs_libroc
def test_rtcp_that_ends_libroc_does_not_reach_it(context: roc.Context) -> None:
    with roc.Decoder(context, roc.DecoderSettings(control=True)) as decoder:
        with pytest.raises(InvalidDatagram, match="0 descriptions"):
            decoder.push_packet(roc.CONTROL, sender_report())
        decoder.pop_frame(120)


@needs_libroc
def test_what_does_not_fit_is_said(context: roc.Context) -> None:
    with (
        roc.Encoder(context, roc.EncoderSettings()) as encoder,
        roc.Decoder(context, roc.DecoderSettings()) as decoder,
    ):
        with pytest.raises(InvalidValue, match="no whole frames"):
            encoder.push_frame(bytes(7))
        for size in (0, roc.LARGEST_PACKET_BYTES + 1):
            with pytest.raises(InvalidValue, match=f"packet: has {size} bytes"):
                decoder.push_packet(roc.SOURCE, bytes(size))
        with pytest.raises(InvalidValue, match="none for interface 12"):
            decoder.push_packet(roc.REPAIR, bytes(100))


@needs_libroc
def test_closing_a_context_closes_what_is_in_it() -> None:
    context = roc.Context()
    encoder = roc.Encoder(context, roc.EncoderSettings())
    context.close()
    context.close()
    encoder.close()
    with pytest.raises(Unavailable, match="closed"):
        encoder.push_frame(bytes(8))
    with pytest.raises(Unavailable, match="closed"):
        roc.Decoder(context, roc.DecoderSettings())


@pytest.mark.parametrize(
    ("field", "settings", "values"),
    [
        ("rate_hz", roc.EncoderSettings, {"rate_hz": 22_050}),
        ("channels", roc.EncoderSettings, {"channels": 3}),
        ("packet_frames", roc.EncoderSettings, {"packet_frames": 508}),
        ("packet_frames", roc.EncoderSettings, {"packet_frames": 0}),
        ("packet_frames", roc.EncoderSettings, {"channels": 4, "packet_frames": 254}),
        ("source_packets", roc.Fec, {"source_packets": 0}),
        ("repair_packets", roc.Fec, {"repair_packets": 0}),
        ("repair_packets", roc.Fec, {"source_packets": 200, "repair_packets": 56}),
        ("target_latency_us", roc.DecoderSettings, {"target_latency_us": 0}),
        ("target_latency_us", roc.DecoderSettings, {"target_latency_us": 0.5}),
        ("latency_tolerance_us", roc.DecoderSettings, {"latency_tolerance_us": -1}),
        ("no_playback_timeout_us", roc.DecoderSettings, {"no_playback_timeout_us": 0}),
        ("tuner", roc.DecoderSettings, {"tuner": "responsive"}),
        ("resampler", roc.DecoderSettings, {"resampler": "best"}),
    ],
)
def test_settings_that_libroc_would_not_survive_are_refused(
    field: str, settings: Callable[..., object], values: dict[str, object]
) -> None:
    with pytest.raises(InvalidValue) as caught:
        settings(**values)
    assert caught.value.field == field


@needs_libroc
@pytest.mark.parametrize(("channels", "largest"), [(1, 1014), (2, 507), (4, 253)])
def test_the_largest_packet_is_sent(context: roc.Context, channels: int, largest: int) -> None:
    settings = roc.EncoderSettings(channels=channels, packet_frames=largest, fec=roc.Fec(1, 1))
    with roc.Encoder(context, settings) as encoder:
        encoder.push_frame(bytes(largest * channels * 4))
        for interface in (roc.SOURCE, roc.REPAIR):
            packet = encoder.pop_packet(interface)
            assert packet is not None
            assert largest * channels * 2 < len(packet) <= roc.LARGEST_PACKET_BYTES


def test_payload_types_are_apart_from_each_other_and_from_rtcp() -> None:
    numbers = {roc.payload_type(rate, channels) for rate in roc.RATES_HZ for channels in (1, 2, 4)}
    assert len(numbers) == 12
    assert not numbers & {*range(72, 77)}
    assert roc.payload_type(44_100, 2) == 10


def test_without_libroc_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIPOOL_LIBROC", "/nowhere/libroc.so")
    with pytest.raises(Unavailable, match="MIDIPOOL_LIBROC: cannot load"):
        roc.find()


def test_another_library_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIPOOL_LIBROC", "libm.so.6")
    with pytest.raises(Unavailable, match=r"is not libroc; install libroc0\.4"):
        roc.find()


# Argument 1 is the seed, argument 2 "guarded" or not.
MIXED_UP = """
import random, sys
from midipool.errors import InvalidDatagram
from midipool_native import roc
from tests.midipool.rtcp_packets import *

dice = random.Random(int(sys.argv[1]))
with roc.Context() as context:
    encoder = roc.Encoder(context, roc.EncoderSettings(control=True))
    decoder = roc.Decoder(context, roc.DecoderSettings(control=True))
    if sys.argv[2] != "guarded":
        decoder._guard.admit = encoder._guard.admit = lambda data: None
    told = refused = ssrc = 0
    for number in range(20000):
        if number % 20 == 0:
            encoder.push_frame(bytes(960))
            while packet := encoder.pop_packet(roc.SOURCE):
                decoder.push_packet(roc.SOURCE, packet)
                ssrc = int.from_bytes(packet[8:12])
            decoder.pop_frame(120)
            encoder.pop_packet(roc.CONTROL)
            decoder.pop_feedback()
        who, name = dice.choice([(ssrc, b"a"), (ssrc, b"b"), (1, b"a"), (2, b"b")])
        if dice.random() < 0.1:
            who = dice.randrange(3, 30)
        report = dice.choice([sender_report, receiver_report])(who, blocks=dice.randrange(3))
        data = bytearray(report + description(who, name) + extended(who, REFERENCE_TIME))
        for _ in range(dice.choice([0, 0, 1, 2])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        for push in (encoder.push_feedback, lambda d: decoder.push_packet(roc.CONTROL, d)):
            try:
                push(bytes(data))
                told += 1
            except InvalidDatagram:
                refused += 1
assert told > 1000 and refused > 1000, (told, refused)
"""


@needs_libroc
def test_libroc_survives_every_rtcp_that_is_let_through() -> None:
    command = [sys.executable, "-c", MIXED_UP, "1", "guarded"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@needs_libroc
def test_the_guard_is_needed() -> None:
    """If libroc stands it one day, the rules can go."""
    command = [sys.executable, "-c", MIXED_UP, "1", "unguarded"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=ROOT)
    assert done.returncode < 0
