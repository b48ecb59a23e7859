"""What became of a known sound on its way: when it came, and what of it is damaged. Pure.

It knows what was played and what was recorded at the other end, and nothing of who brought it.
"""

import numpy as np
import numpy.typing as npt

from midipool_demo.frame_times import Floats as Doubles
from midipool_demo.frame_times import Ints
from tests.bench.sound_probe import RATE, Record
from tests.e2e.sound_daw import Floats

Bools = npt.NDArray[np.bool_]
COARSE = 2_048
"""Frames of a piece that is long enough to be found wherever it is."""
FINE = 64
"""Frames of a piece that is whole or damaged: 1.3 ms."""
FOUND = 0.5
WHOLE = 0.65
"""A piece is damaged that is less like what was played: half of it is missing or made up."""
AROUND = 3
TONE_PIECE = RATE
DROPPED = 0.02
"""A tone has dropped out where it is off by more than this share of its amplitude."""
SHORT_PIECE = RATE // 100


def lags(heard: Floats, played: Floats, every: int = COARSE) -> Ints:
    """By how many frames pieces of COARSE frames are behind what was played; -1: not found.

    One piece of each `every` frames is looked for.
    """
    length = len(played)
    spectrum = np.conj(np.fft.rfft(played))
    around = np.concatenate((played, played[:COARSE]))
    found = []
    for begin in range(0, len(heard) - COARSE + 1, every):
        piece = heard[begin : begin + COARSE]
        products = np.fft.irfft(np.fft.rfft(piece, length) * spectrum, length)
        at = -int(np.argmax(products)) % length
        norm = float(np.linalg.norm(piece) * np.linalg.norm(around[at : at + COARSE]))
        alike = float(products.max()) / (norm or 1.0)
        found.append((begin - at) % length if alike > FOUND else -1)
    return np.array(found, np.int64)


def damaged(heard: Floats, played: Floats, found: Ints) -> Bools:
    """Which pieces of FINE frames are not what was played, at the lag of their surroundings."""
    if not (found >= 0).any():
        return np.ones(len(found) * (COARSE // FINE), bool)
    best = np.zeros(len(found) * (COARSE // FINE))
    pieces = heard[: len(found) * COARSE].reshape(-1, FINE).astype(np.float64)
    size = np.linalg.norm(pieces, axis=1)
    begin = np.arange(len(pieces)) * FINE
    own, back = _last_found(found), _last_found(found[::-1])[::-1]
    for neighbour in (own, np.roll(own, 1), np.roll(back, -1)):
        for off in range(-AROUND, AROUND + 1):
            lag = np.repeat(neighbour, COARSE // FINE) + off
            at = (begin - lag)[:, None] + np.arange(FINE)
            sent = played[at % len(played)].astype(np.float64)
            norm = size * np.linalg.norm(sent, axis=1)
            alike = (pieces * sent).sum(axis=1) / np.where(norm > 0, norm, 1.0)
            best = np.maximum(best, alike)
    return np.asarray(best < WHOLE, bool)


def _last_found(found: Ints) -> Ints:
    """For each piece the lag of it, or of the last before it that has one (or the first of all)."""
    known = np.flatnonzero(found >= 0)
    at = np.searchsorted(known, np.arange(len(found)), side="right") - 1
    return np.asarray(found[known[np.clip(at, 0, None)]], np.int64)


def latencies_ms(
    there: Record,
    played: Floats,
    here: Record,
    found: Ints,
    skipped: int = 0,
    every: int = COARSE,
) -> Doubles:
    """From JACK's port at the sender's, `here`, to JACK's port at the listener's, `there`.

    `found` are the lags of what the listener recorded from frame `skipped` on; NAN where there is
    none.
    """
    length = len(played)
    begin = np.arange(len(found)) * every
    heard_ns = there.times.at(there.jack_frames(skipped + begin))
    # The sender began somewhere else in the sound's repetitions: take the last that is not later.
    here_times = here.times
    own_now = _own_frame_at(here, here_times.slope, heard_ns)
    phase = (begin - found) % length
    own = own_now - (own_now - phase) % length
    sent_ns = here_times.at(here.jack_frames(own))
    ways = (heard_ns - sent_ns) / 1e6
    return np.where(found >= 0, ways, np.nan)


def _own_frame_at(record: Record, ns_a_frame: float, at_ns: Doubles) -> Ints:
    cycles = record.cycles
    index = np.clip(np.searchsorted(cycles[:, 2], at_ns, side="right") - 1, 0, None)
    frames = (at_ns - cycles[index, 2]) / ns_a_frame
    return np.asarray(cycles[index, 0] + np.floor(frames), np.int64)


def away_from_xruns(there: Record, here: Record, frames: Ints, distance_ns: float) -> Bools:
    """Which of the listener's frames have no xrun of either JACK server near."""
    xruns_ns = np.concatenate((there.xruns_ns, here.xruns_ns))
    return away_from(there, frames, xruns_ns, distance_ns)


def away_from(record: Record, frames: Ints, moments_ns: Ints, distance_ns: float) -> Bools:
    """Which of a record's frames have none of the moments near."""
    at_ns = record.times.at(record.jack_frames(frames))
    calm = np.ones(len(frames), bool)
    for moment_ns in moments_ns:
        calm &= np.abs(at_ns - moment_ns) > distance_ns
    return np.asarray(calm, bool)


def tone_pieces(heard: Floats) -> tuple[Doubles, Ints]:
    """(SINAD in dB, frames that dropped out) of each second of a tone.

    For SINAD the tone is fitted in frequency, phase and amplitude to the whole second; all else is
    noise, also a pitch that is bent within it. What dropped out is off from the tone that fits best
    within 10 ms, in which a pitch is hardly bent.
    """
    sinad, dropped = [], []
    for begin in range(0, len(heard) - TONE_PIECE + 1, TONE_PIECE):
        piece = heard[begin : begin + TONE_PIECE].astype(np.float64)
        rest, amplitude, omega = _without_tone(piece)
        noise = float(np.sqrt(np.mean(rest**2))) or 1e-12
        sinad.append(20 * np.log10(max(amplitude / np.sqrt(2), 1e-12) / noise))
        off = np.abs(_without_short_tones(piece, omega))
        dropped.append(int((off > DROPPED * max(amplitude, 1e-3)).sum()))
    return np.array(sinad), np.array(dropped, np.int64)


def _loudest(piece: Doubles) -> float:
    """The frequency of the loudest tone, in radians a frame."""
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 4 * len(piece)))
    return 2 * np.pi * float(np.argmax(spectrum)) / (4 * len(piece))


def _tone_of(omega: float, time: Doubles) -> Doubles:
    """What a tone is made of, and, to the right, its change when the frequency is a little off."""
    cosine, sine = np.cos(omega * time), np.sin(omega * time)
    return np.stack((cosine, sine, time * cosine, time * sine), axis=1)


def _without_short_tones(piece: Doubles, omega: float) -> Doubles:
    pieces = piece.reshape(-1, SHORT_PIECE)
    time = np.arange(SHORT_PIECE, dtype=np.float64) - SHORT_PIECE / 2
    base = np.linalg.qr(_tone_of(omega, time))[0]
    return np.asarray(pieces - pieces @ base @ base.T, np.float64)


def _without_tone(piece: Doubles) -> tuple[Doubles, float, float]:
    """What is left of it, the tone's amplitude, and its frequency in radians a frame."""
    time = np.arange(len(piece), dtype=np.float64) - len(piece) / 2
    omega = _loudest(piece)
    fitted = np.zeros_like(piece)
    amplitude = 0.0
    for _ in range(6):  # linear in the frequency's error, so that it converges at once
        columns = _tone_of(omega, time)
        a, b, c, d = np.linalg.lstsq(columns, piece, rcond=None)[0]
        amplitude = float(np.hypot(a, b))
        fitted = columns[:, :2] @ np.array((a, b))
        if amplitude == 0.0:
            break
        omega += (b * c - a * d) / amplitude**2
    return piece - fitted, amplitude, omega
