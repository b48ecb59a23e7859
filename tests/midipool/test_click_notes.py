"""The notes that the click plays, as its settings say."""

import pytest

from midipool.click import Click, ClickSettings
from midipool.errors import InvalidValue
from midipool.meter import Meter

from .drum_machine import SECOND, STEADY, STOPPED, DrumMachine, chain_of, due_hits, expand, playing


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("channel", 0),
            ("channel", 17),
            ("accent_note", 128),
            ("note", -1),
            ("velocity", 0),
            ("accent_velocity", 128),
            ("volume", 1.1),
            ("volume", float("nan")),
            ("length_ms", 0),
            ("length_ms", 1001),
        ],
    )
    def test_what_no_device_understands_is_refused_by_name(self, name: str, value: float) -> None:
        with pytest.raises(InvalidValue, match="must be") as caught:
            ClickSettings(**{name: value})  # type: ignore[arg-type]
        assert caught.value.field == name

    def test_the_bytes_are_those_that_were_set(self) -> None:
        own = ClickSettings(channel=1, accent_note=60, accent_velocity=100, length_ms=5, volume=0.5)
        click = Click(own)
        click.follow(chain_of(STEADY), 0)
        assert click.extend(SECOND // 4) == [
            (0, bytes((0x90, 60, 50))),
            (5_000, bytes((0x80, 60, 64))),
        ]

    def test_a_faint_click_is_still_a_note_on(self) -> None:
        assert ClickSettings(volume=0.001).note_on(accent=False)[2] == 1

    def test_at_volume_nothing_there_is_nothing(self) -> None:
        assert expand(STEADY, until_us=SECOND, click=Click(ClickSettings(volume=0))) == []

    def test_new_settings_come_with_the_next_follow_and_end_the_old_note(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0)
        click.extend(10_000)
        click.settings = ClickSettings(channel=2, note=50)
        assert click.extend(20_000) == []
        click.follow(chain_of(STEADY), 20_000)
        assert click.extend(SECOND // 2 + 1) == [
            (30_000, bytes((0x89, 76, 64))),
            (SECOND // 2, bytes((0x91, 50, 96))),
        ]


class TestNotes:
    def test_a_click_that_comes_before_the_last_one_is_over_ends_it(self) -> None:
        fast = playing(mbpm=999_000, meter=Meter(2, 32))
        click = Click()
        click.follow(chain_of(fast), 0)
        machine = DrumMachine().take(click.extend(SECOND))
        assert len(machine.hits) == 134
        assert set(machine.lengths_us) <= {7_507, 7_508}

    @pytest.mark.parametrize("planned_us", [1, 10_000, 30_000, 30_001, SECOND])
    @pytest.mark.parametrize("from_us", [1, 15_000, 30_000, 30_001])
    def test_a_note_whose_end_was_discarded_is_ended_anew(
        self, planned_us: int, from_us: int
    ) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0)
        sent = [e for e in click.extend(planned_us) if e.time_us < from_us]
        click.follow(chain_of(STOPPED), from_us)
        sent += click.extend(9 * SECOND)
        assert [e.data[0] for e in sent] == [0x99, 0x89]
        assert sent[-1].time_us == max(30_000, from_us if planned_us <= 30_000 else 0)

    def test_one_that_was_never_begun_is_not_ended(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), -SECOND)
        click.extend(SECOND)
        click.follow(chain_of(STOPPED), 0)
        assert click.extend(9 * SECOND) == []

    def test_a_listener_that_is_lost_has_its_notes_ended(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0, lost=True)
        assert click.extend(1) == [
            (0, bytes((0x89, 76, 64))),
            (0, bytes((0x89, 77, 64))),
            (0, bytes((0x99, 76, 127))),
        ]

    def test_and_ended_again_if_that_was_discarded(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), -SECOND)
        click.extend(SECOND)
        click.follow(chain_of(STOPPED), 10_000, lost=True)
        ends = click.extend(SECOND)
        click.follow(chain_of(STOPPED), 10_000)
        assert [e.data[1] for e in ends] == [76, 77]
        assert click.extend(SECOND) == ends


class TestBookkeeping:
    def test_nothing_comes_before_there_is_something_to_follow(self) -> None:
        assert Click().extend(SECOND) == []

    @pytest.mark.parametrize("at_us", [SECOND, SECOND + 10_000])
    def test_another_clock_leaves_the_phase_and_the_sounding_note(self, at_us: int) -> None:
        plain, shifted = Click(), Click()
        for click in (plain, shifted):
            click.follow(chain_of(STEADY), -SECOND)
            click.extend(at_us)
        shifted.shift(777)
        expected = [(e.time_us + 777, e.data) for e in plain.extend(3 * SECOND)]
        assert [tuple(e) for e in shifted.extend(3 * SECOND + 777)] == expected
        plain.follow(chain_of(STEADY), SECOND + 5_000)
        shifted.follow(chain_of(STEADY.moved_by(777)), SECOND + 5_777)
        expected = [(e.time_us + 777, e.data) for e in plain.extend(3 * SECOND)]
        assert [tuple(e) for e in shifted.extend(3 * SECOND + 777)] == expected

    def test_nor_does_it_move_a_note_whose_beginning_is_forgotten(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0)
        click.extend(10_000)
        click.forget_before(5_000)
        click.shift(777)
        click.follow(chain_of(STOPPED), 10_777)
        assert click.extend(SECOND) == [(30_777, bytes((0x89, 76, 64)))]

    def test_what_was_sent_long_ago_is_forgotten_without_harm(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), -SECOND)
        first = [e for e in click.extend(4 * SECOND) if e.time_us < 3 * SECOND + 10_000]
        click.forget_before(3 * SECOND + 5_000)
        click.follow(chain_of(STEADY), 3 * SECOND + 10_000)
        machine = DrumMachine().take(first).take(click.extend(5 * SECOND))
        assert machine.hits == due_hits(chain_of(STEADY), -SECOND, 5 * SECOND)
        assert machine.sounding == {}
