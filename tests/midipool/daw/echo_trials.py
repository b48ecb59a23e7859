"""What the echo guard says of simulated DAWs, and how often it takes a follower for a leader."""

import heapq

from midipool.daw.echo import EchoGuard

from .simulated_daw import CLOCK, Said, delayed, eventful_room, gaussian, smoothed, uniform

Verdicts = list[bool | None]
"""What was said of the clock after each tick heard."""


def listen(ours: Said, theirs: Said, guard: EchoGuard | None = None) -> tuple[Verdicts, list[bool]]:
    """The verdicts on a DAW's clock, and whether each other message of its was an echo."""
    guard = EchoGuard() if guard is None else guard
    verdicts: Verdicts = []
    echoes: list[bool] = []
    told = ((time_us, 0, data) for time_us, data in ours)
    heard = ((time_us, 1, data) for time_us, data in sorted(theirs))
    for time_us, who, data in heapq.merge(told, heard):
        if who == 0:
            guard.sent(time_us, data)
        elif data == CLOCK:
            guard.tick(time_us)
            verdicts.append(guard.clock_is_echo)
        else:
            echoes.append(guard.is_echo(time_us, data))
    return verdicts, echoes


def false_alarms(seconds: float, seeds: range) -> tuple[int, int]:
    """Of followers in eventful rooms: ticks after which one was taken for a leader, and ticks.

    `false_alarms(3_600, range(1))` is a full hour of each kind.
    """
    alarms = ticks = 0
    for seed in seeds:
        ours = eventful_room(seconds, seed)
        for theirs in followers(ours, seed):
            verdicts, echoes = listen(ours, theirs)
            ticks += len(verdicts)
            alarms += verdicts.count(False) + echoes.count(False)
    return alarms, ticks


def followers(ours: Said, seed: int) -> list[Said]:
    late_us = (seed * 83_000 + 7_000) % 500_000
    return [
        delayed(ours, late_us, uniform(5_000), seed),
        delayed(ours, 500_000 - late_us, gaussian(1_000), seed),
        smoothed(ours, min(late_us, 350_000), 1, uniform(1_000), seed),
        smoothed(ours, late_us / 4, 2, uniform(1_000), seed),
    ]
