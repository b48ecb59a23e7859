"""Link's tempo: whole µs of its clock to the beat, 20 to 999 BPM. Pure.

That is how Link sends it to its peers and how it counts beats, so that 133.7 BPM is 448,766 µs
and comes back as 133.69993 BPM. All that is compared or set here is held in this unit, `beat_us`.
"""

from midipool.tempo import MAX_BPM, MIN_BPM

MINUTE_US = 60_000_000
MIN_BEAT_US, MAX_BEAT_US = round(MINUTE_US / MAX_BPM), round(MINUTE_US / MIN_BPM)
SAME_BPM = 0.01
# Two bridges on one network set the room's tempo by crystals of their own. Were the difference
# taken for a wish, they would lead the room's tempo astray step by step.
SAME_RATIO = 2e-4


def beat_us_of(bpm: float) -> int:
    """Link's tempo nearest to `bpm`, within Link's limits."""
    return min(max(round(MINUTE_US / bpm), MIN_BEAT_US), MAX_BEAT_US)


def same_tempo(a_beat_us: int, b_beat_us: int) -> bool:
    """Whether two tempi are apart by no more than rounding and crystals account for."""
    if abs(a_beat_us - b_beat_us) <= 1:
        return True
    a_bpm, b_bpm = MINUTE_US / a_beat_us, MINUTE_US / b_beat_us
    return abs(a_bpm - b_bpm) <= max(SAME_BPM, SAME_RATIO * a_bpm)


def wished_bpm(beat_us: int, spread: float = 0.0) -> float:
    """The roundest BPM, of at most 3 decimals, that somebody can have meant by `beat_us`.

    `spread` is the fraction by which clocks differ: 120.006 BPM is 120 BPM on a clock that is
    50 ppm off, and is what stands on a peer's display after the bridge has set it.
    """
    bpm = MINUTE_US / beat_us
    rounding_us = 0.5 + abs(spread) * beat_us
    for decimals in range(3):
        rounder = round(bpm, decimals)
        if rounder > 0 and abs(MINUTE_US / rounder - beat_us) <= rounding_us:
            bpm = rounder
            break
    return min(max(round(bpm, 3), MIN_BPM), MAX_BPM)
