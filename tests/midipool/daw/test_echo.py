"""Followers of all kinds are echoes, whatever the room does; leaders are none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.daw.echo import EchoGuard

from .echo_trials import false_alarms, listen
from .simulated_daw import (
    CLOCK,
    CONTINUE,
    POSITION,
    START,
    STOP,
    TICKS,
    Jitter,
    Said,
    delayed,
    leading,
    no_jitter,
    room,
    stalled,
    uniform,
)

SECOND = 1_000_000
ROOM_BEGIN_US = 1 * SECOND
MMC_STOP, MMC_PLAY, MMC_DEFERRED_PLAY = (bytes((0xF0, 0x7F, 0x7F, 6, n, 0xF7)) for n in (1, 2, 3))
MMC_RECORD = bytes((0xF0, 0x7F, 0x7F, 6, 6, 0xF7))
MMC_LOCATE = bytes((0xF0, 0x7F, 0x7F, 6, 0x44, 6, 1, 0x60, 0, 10, 0, 0, 0xF7))


def steady_room(bpm: float, beats: float = 120) -> Said:
    return room(lambda beat: bpm, beats, ROOM_BEGIN_US)


def clocks(said: Said) -> list[int]:
    return [time_us for time_us, data in said if data == CLOCK]


class TestFollower:
    @pytest.mark.parametrize("bpm", [40, 120, 133.7, 174, 300])
    @pytest.mark.parametrize("delay_ms", [0, 1, 12, 50, 180, 333, 500])
    @pytest.mark.parametrize("jitter", [no_jitter, uniform(5_000)])
    def test_it_is_an_echo_within_two_beats(
        self, bpm: float, delay_ms: int, jitter: Jitter
    ) -> None:
        ours = steady_room(bpm, 8)
        verdicts, echoes = listen(ours, delayed(ours, delay_ms * 1_000, jitter))
        assert verdicts[2 * TICKS - 1 :] == [True] * (6 * TICKS + 1)
        assert echoes == [True] * 3

    @given(st.floats(30, 400), st.integers(0, 500_000), st.integers(0, 2**32))
    @settings(max_examples=25, deadline=None)
    def test_any_constant_delay_makes_an_echo(self, bpm: float, delay_us: int, seed: int) -> None:
        ours = steady_room(bpm, 30)
        verdicts, _ = listen(ours, delayed(ours, delay_us, uniform(4_000), seed))
        assert False not in verdicts
        assert verdicts[-1] is True

    def test_nothing_that_a_room_does_makes_it_a_leader(self) -> None:
        alarms, ticks = false_alarms(60, range(100, 108))
        assert ticks > 50_000
        assert alarms == 0

    def test_it_stays_an_echo_while_the_room_is_stopped(self) -> None:
        guard = EchoGuard()
        ours = steady_room(120, 8)
        listen(ours, delayed(ours, 20_000), guard)
        assert guard.clock_is_echo is True
        later = room(lambda beat: 90, 8, 60 * SECOND)
        verdicts, _ = listen(later, delayed(later, 20_000), guard)
        assert False not in verdicts

    @pytest.mark.parametrize("fault", ["stall", "lost", "extra", "other delay"])
    def test_a_hiccup_of_its_does_not_make_it_a_leader(self, fault: str) -> None:
        ours = steady_room(120, 60)
        times = clocks(delayed(ours, 30_000, uniform(1_000)))
        at = 30 * TICKS
        match fault:
            case "stall":
                times = stalled(times, at, 80_000)
            case "lost":
                del times[at]
            case "extra":
                times.insert(at, times[at])
            case _:
                times = times[:at] + [time_us + 8_000 for time_us in times[at:]]
        verdicts, _ = listen(ours, [(time_us, CLOCK) for time_us in times])
        assert False not in verdicts
        assert verdicts[-1] is True


class TestLeader:
    @pytest.mark.parametrize("bpm", [60, 120, 174])
    @pytest.mark.parametrize(
        ("percent", "beats"),
        [(-30, 2), (-5, 2), (-1, 3), (-0.5, 5), (-0.1, 12), (0.1, 12), (1, 3), (5, 2), (50, 4)],
    )
    def test_another_tempo_is_told_in_a_few_beats(
        self, bpm: float, percent: float, beats: float
    ) -> None:
        theirs = leading(lambda beat: bpm * (1 + percent / 100), 40, uniform(1_000), 20 * SECOND)
        verdicts, _ = listen(steady_room(bpm, 200), theirs)
        assert False in verdicts[: round(beats * TICKS)]
        assert verdicts[-1] is False

    @pytest.mark.parametrize("percent", [-20, -5, -2, 2, 5, 20, 100])
    @pytest.mark.parametrize("bpm", [60, 120, 174])
    def test_a_jump_of_its_tempo_is_told_within_a_beat(self, bpm: float, percent: float) -> None:
        def tempo(beat: float) -> float:
            return bpm * (1 + (percent / 100 if beat >= 30 else 0))

        theirs = leading(tempo, 34, uniform(1_000), 15 * SECOND + 3_000)
        verdicts, _ = listen(steady_room(bpm, 200), theirs)
        assert verdicts[30 * TICKS] is True
        assert verdicts[31 * TICKS :] == [False] * (3 * TICKS)

    @pytest.mark.parametrize("bpm", [60, 100, 190, 300])
    def test_a_tempo_that_the_room_never_had_is_told_even_while_the_room_is_on_a_ramp(
        self, bpm: float
    ) -> None:
        ours = room(lambda beat: 130 + beat / 5, 100, ROOM_BEGIN_US)
        theirs = leading(lambda beat: bpm, 12, uniform(1_000), 15 * SECOND)
        verdicts, _ = listen(ours, theirs)
        assert True not in verdicts
        assert verdicts[5 * TICKS :] == [False] * (7 * TICKS)

    def test_a_phase_that_drifts_by_100_ppm_is_told_within_a_minute(self) -> None:
        theirs = leading(lambda beat: 120.012, 120, uniform(500), 15 * SECOND)
        verdicts, _ = listen(steady_room(120, 400), theirs)
        assert verdicts[-1] is False

    def test_it_is_told_by_its_first_ticks_when_our_clock_does_not_run(self) -> None:
        verdicts, _ = listen([], leading(lambda beat: 120, 2, no_jitter, 0))
        assert verdicts[:5] == [None] * 5
        assert verdicts[5:] == [False] * (2 * TICKS - 5)

    def test_it_stays_one_while_the_room_is_in_step_with_it(self) -> None:
        """A room that follows its leader looks as if the leader followed the room."""
        theirs = leading(lambda beat: 120, 100, uniform(1_000), 0)
        verdicts, _ = listen(room(lambda beat: 120, 80, 2 * SECOND), theirs)
        assert verdicts[5:] == [False] * (100 * TICKS - 5)

    def test_one_that_goes_on_after_our_stop_is_none(self) -> None:
        verdicts, _ = listen(steady_room(120, 20), leading(lambda beat: 120, 40, no_jitter, SECOND))
        assert verdicts[15 * TICKS] is True
        assert verdicts[-1] is False

    def test_a_pause_gives_it_another_chance(self) -> None:
        guard = EchoGuard()
        listen([], leading(lambda beat: 120, 2, no_jitter, 0), guard)
        ours = room(lambda beat: 100, 8, 10 * SECOND)
        verdicts, _ = listen(ours, delayed(ours, 40_000), guard)
        assert verdicts[0] is None
        assert verdicts[-1] is True

    def test_so_does_an_answer_to_our_start(self) -> None:
        """Some DAWs send a clock of their own while they wait for ours."""
        guard = EchoGuard()
        waiting = leading(lambda beat: 120, 10, no_jitter, 0)
        ours = room(lambda beat: 100, 12, waiting[-1][0] + 20_000)
        verdicts, _ = listen(ours, waiting + delayed(ours, 30_000), guard)
        assert verdicts[len(waiting) - 1] is False
        assert verdicts[-1] is True


class TestAnswers:
    @pytest.mark.parametrize(
        ("sent", "answer"),
        [
            (START, START),
            (START, CONTINUE),
            (START, POSITION),
            (START, MMC_PLAY),
            (START, MMC_DEFERRED_PLAY),
            (CONTINUE, CONTINUE),
            (CONTINUE, START),
            (STOP, STOP),
            (STOP, MMC_STOP),
            (STOP, POSITION),
            (POSITION, POSITION),
            (POSITION, MMC_LOCATE),
        ],
    )
    def test_what_answers_ours_is_an_echo_for_600_ms(self, sent: bytes, answer: bytes) -> None:
        guard = EchoGuard()
        assert not guard.is_echo(0, answer)
        guard.sent(SECOND, sent)
        assert guard.is_echo(SECOND, answer)
        assert guard.is_echo(SECOND + 590_000, answer)
        assert not guard.is_echo(SECOND + 610_000, answer)
        assert not guard.is_echo(SECOND - 20_000, answer)

    @pytest.mark.parametrize(
        ("sent", "own"),
        [
            (START, STOP),
            (STOP, START),
            (POSITION, START),
            (POSITION, STOP),
            (STOP, CONTINUE),
            (START, MMC_STOP),
            (START, MMC_RECORD),
            (CLOCK, START),
            (START, b"\x90\x40\x40"),
            (START, b""),
        ],
    )
    def test_what_does_not_is_the_daws_own(self, sent: bytes, own: bytes) -> None:
        guard = EchoGuard()
        guard.sent(SECOND, sent)
        assert not guard.is_echo(SECOND + 10_000, own)

    def test_what_was_told_for_later_is_taken_back_by_something_earlier(self) -> None:
        guard = EchoGuard()
        guard.sent(5 * SECOND, STOP)
        guard.sent(4 * SECOND, START)
        assert not guard.is_echo(5 * SECOND, STOP)
        assert guard.is_echo(4 * SECOND, START)

    def test_clocks_told_ahead_of_time_are_as_good(self) -> None:
        guard = EchoGuard()
        ours = steady_room(120, 40)
        for time_us, data in ours:
            guard.sent(time_us, data)
        verdicts, _ = listen([], delayed(ours, 70_000, uniform(2_000)), guard)
        assert False not in verdicts
        assert verdicts[2 * TICKS] is True


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.integers(-(2**40), 2**40),
            st.sampled_from([CLOCK, START, CONTINUE, STOP, POSITION, MMC_LOCATE, b"", b"\xf0"]),
        ),
        max_size=200,
    )
)
@settings(max_examples=50, deadline=None)
def test_any_order_of_anything_is_survived(events: list[tuple[bool, int, bytes]]) -> None:
    guard = EchoGuard()
    for ours, time_us, data in events:
        if ours:
            guard.sent(time_us, data)
        elif data == CLOCK:
            guard.tick(time_us)
        else:
            guard.is_echo(time_us, data)
