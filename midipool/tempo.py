"""Tempo as exact integer arithmetic: steady, or a ramp of even acceleration.

Tempo is held in milli-BPM, time in µs, beats in micro-beats; then beats/µs = mbpm / 60000. A ramp
from m0 to m1 over L beats accelerates evenly in time, as a conductor does:

    beats(t) = m0·t/60000 + (m1² - m0²)·t² / (4·L·60000²)

`beats_after` rounds down and `time_to` rounds up, so that they are inverses in the only sense
that integers allow: `time_to(b)` is the first microsecond at which `beats_after` has reached b.
"""

from math import isqrt

from midipool.errors import InvalidValue

MIN_BPM, MAX_BPM = 20.0, 999.0
MBPM_US = 60_000


def mbpm_of(bpm: float) -> int:
    """Milli-BPM of a tempo in BPM; raises InvalidValue outside of 20 to 999."""
    if not MIN_BPM <= bpm <= MAX_BPM:
        raise InvalidValue("bpm", f"must be {MIN_BPM:g} to {MAX_BPM:g}")
    return round(bpm * 1000)


def steady_beats_after(mbpm: int, elapsed_us: int) -> int:
    """Micro-beats in `elapsed_us` at one tempo."""
    return mbpm * elapsed_us // MBPM_US


def steady_time_to(mbpm: int, beats: int) -> int:
    """First µs at which `beats` have passed at one tempo."""
    return -(-beats * MBPM_US // mbpm)


def ramp_beats_after(m0: int, m1: int, length_beats: int, elapsed_us: int) -> int:
    """Micro-beats in `elapsed_us` from the start of a ramp, and past its end at m1."""
    if elapsed_us * (m0 + m1) >= 2 * MBPM_US * length_beats:
        past = length_beats * (m0 - m1) * MBPM_US + m1 * elapsed_us * (m0 + m1)
        return past // (MBPM_US * (m0 + m1))
    scale = 4 * length_beats * MBPM_US
    return (m0 * elapsed_us * scale + (m1 * m1 - m0 * m0) * elapsed_us**2) // (scale * MBPM_US)


def ramp_time_to(m0: int, m1: int, length_beats: int, beats: int) -> int:
    """First µs at which `beats` have passed since the start of a ramp."""
    if beats <= length_beats:
        p = 4 * length_beats * MBPM_US * m0
        q = 4 * length_beats * MBPM_US * MBPM_US * beats
        guess = 2 * q // (p + isqrt(p * p + 4 * (m1 * m1 - m0 * m0) * q))
    else:
        end_us = 2 * MBPM_US * length_beats // (m0 + m1)
        guess = end_us + steady_time_to(m1, beats - length_beats)
    while ramp_beats_after(m0, m1, length_beats, guess) < beats:
        guess += 1
    while ramp_beats_after(m0, m1, length_beats, guess - 1) >= beats:
        guess -= 1
    return guess


def ramp_mbpm_after(m0: int, m1: int, length_beats: int, beats: int) -> int:
    """Tempo, in milli-BPM, once `beats` of the ramp have passed."""
    if beats >= length_beats:
        return m1
    return isqrt(m0 * m0 + (m1 * m1 - m0 * m0) * max(beats, 0) // length_beats)
