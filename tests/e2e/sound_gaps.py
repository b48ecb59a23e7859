"""Where a recording of known noise is not that noise: what a listener misses."""

import statistics

import numpy as np
import numpy.typing as npt

from tests.e2e.sound_daw import NOISE_FRAMES, PIECE_FRAMES, Floats

# Looked at so often, in pieces of that size: a gap is known to about a piece.
HOP_FRAMES, LOOK_FRAMES = 48, 240
ALIKE, SURELY_ALIKE = 0.7, 0.6
AROUND_FRAMES = 3


def gaps(recorded: Floats, played: Floats) -> list[tuple[int, int]]:
    """(begin, length) in frames of what is not the noise, behind the first that is.

    Each short piece is compared at those lags at which longer pieces around it are alike: for lags
    drawn at random, some would be alike by chance.
    """
    heard = _alike(recorded, played, _lags(recorded, played))
    found: list[tuple[int, int]] = []
    if not heard.any():
        return [(0, len(recorded))]
    at = int(np.argmax(heard))
    edges = np.flatnonzero(np.diff(heard[at:].astype(np.int8))) + at + 1
    for begin, end in zip(edges[::2], edges[1::2], strict=False):
        # A piece that is half of it is not alike any more.
        length = int(end - begin) * HOP_FRAMES - LOOK_FRAMES // 2
        if length > 0:
            found.append((int(begin) * HOP_FRAMES + LOOK_FRAMES // 2, length))
    return found


def lag_s(recorded: Floats, played: Floats) -> float:
    """At how much later place of the noise the recording is, in most of it; up to a second."""
    known = [lag for lag in _lags(recorded, played) if lag >= 0]
    assert known, "it is not this noise"
    return statistics.mode(known) / NOISE_FRAMES


def _lags(recorded: Floats, played: Floats) -> list[int]:
    """Of each piece of PIECE_FRAMES, the lag at which it is surely alike, or -1."""
    spectrum = np.conj(np.fft.rfft(played))
    around = np.concatenate((played, played[:PIECE_FRAMES]))
    found = []
    for begin in range(0, len(recorded) - PIECE_FRAMES + 1, PIECE_FRAMES // 2):
        piece = recorded[begin : begin + PIECE_FRAMES]
        products = np.fft.irfft(np.fft.rfft(piece, NOISE_FRAMES) * spectrum, NOISE_FRAMES)
        at = -int(np.argmax(products)) % NOISE_FRAMES
        norm = float(np.linalg.norm(piece) * np.linalg.norm(around[at : at + PIECE_FRAMES]))
        alike = norm > 0 and float(products.max()) / norm > SURELY_ALIKE
        found.append((at - begin) % NOISE_FRAMES if alike else -1)
    return found


def _alike(recorded: Floats, played: Floats, lags: list[int]) -> npt.NDArray[np.bool_]:
    around = np.concatenate((played, played[:LOOK_FRAMES]))
    near = 48_000 // PIECE_FRAMES
    hops = (len(recorded) - LOOK_FRAMES) // HOP_FRAMES
    heard = np.zeros(max(hops, 0), np.bool_)
    for hop in range(hops):
        begin = hop * HOP_FRAMES
        piece = recorded[begin : begin + LOOK_FRAMES]
        here = begin // (PIECE_FRAMES // 2)
        wanted = {lag for lag in lags[max(here - near, 0) : here + near] if lag >= 0}
        heard[hop] = any(
            _correlation(piece, around, (begin + lag + off) % NOISE_FRAMES) > ALIKE
            for lag in wanted
            for off in range(-AROUND_FRAMES, AROUND_FRAMES + 1)
        )
    return heard


def _correlation(piece: Floats, around: Floats, at: int) -> float:
    there = around[at : at + len(piece)]
    norm = float(np.linalg.norm(piece) * np.linalg.norm(there))
    return float(piece @ there) / norm if norm else 0.0
