"""A player's own mix: what may be set, and what it comes to."""

import msgspec
import pytest

from midipool.audio.listening import Listening
from midipool.audio.strips import Mix, OwnChannel, Strip
from midipool.errors import InvalidValue


def test_decibels_become_factors() -> None:
    assert Strip(gain_db=20 * 0.30103).gain == pytest.approx(2.0, rel=1e-4)
    assert Mix(master_db=-20.0).master == pytest.approx(0.1)
    assert Mix().monitor == 0.0
    assert Mix(monitor_db=0.0).monitor == 1.0
    assert Strip(gain_db=18.0).gain < 8.0, "the most that the engine takes"


def test_for_whom_nothing_was_set_is_as_it_comes() -> None:
    mix = Mix(strips={"bass": Strip(mute=True)})
    assert mix.strip_of("drums") == Strip()
    assert mix.strip_of("bass").mute


def test_mute_and_solo_say_who_is_heard() -> None:
    mix = Mix(strips={"bass": Strip(solo=True), "keys": Strip(solo=True, mute=True)})
    assert mix.heard(["bass", "keys", "drums"], 1) == ({"bass"}, set())
    assert Mix().heard(["drums"], 1) == ({"drums"}, set())


def test_the_solo_of_who_is_away_silences_nobody() -> None:
    mix = Mix(strips={"bass": Strip(solo=True)})
    assert mix.heard(["drums"], 0).members == {"drums"}


def test_own_channels_are_heard_and_silence_others_while_they_are_monitored() -> None:
    soloed = {"2": OwnChannel(solo=True), "3": OwnChannel(solo=True)}
    assert Mix(channels=soloed).heard(["bass"], 2) == ({"bass"}, set())
    assert Mix(channels=soloed, monitor_db=0.0).heard(["bass"], 2) == (set(), {2})
    assert Mix(channels=soloed, monitor_db=0.0).heard(["bass"], 1) == ({"bass"}, {1})
    bass = Mix(strips={"bass": Strip(solo=True)}, monitor_db=0.0)
    assert bass.heard(["bass"], 2) == ({"bass"}, set())


def test_own_channels_lie_left_and_right_until_they_are_panned() -> None:
    plain = OwnChannel()
    assert [plain.pan_of(n, 2) for n in (1, 2)] == [-1.0, 1.0]
    assert plain.pan_of(1, 1) == 0.0
    assert OwnChannel(pan=0.0).pan_of(1, 2) == 0.0


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Strip(gain_db=19), "gain"),
        (lambda: Strip(gain_db=float("nan")), "gain"),
        (lambda: Strip(pan=1.5), "pan"),
        (lambda: Mix(master_db=-91), "master"),
        (lambda: Mix(monitor_db=float("inf")), "monitor"),
        (lambda: OwnChannel(pan=-2), "pan"),
        (lambda: OwnChannel(gain_db=19), "gain"),
        (lambda: Mix(channels={"5": OwnChannel()}), "channel"),
        (lambda: Listening(bars=17), "bars"),
        (lambda: Listening(max_latency_ms=4), "max-latency-ms"),
        (lambda: Listening(profile="fast"), "profile"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_named(make: object, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        make()  # type: ignore[operator]
    assert refusal.value.field == field


def test_it_is_said_in_words() -> None:
    strip = Strip(gain_db=-6, pan=0.5, solo=True)
    listening = Listening(profile="bar", mix=Mix(master_db=-3, strips={"bass": strip}))
    own = {"2": OwnChannel(gain_db=-6, pan=0.5, mute=True)}
    assert Listening(mix=Mix(channels=own)).in_words()[1] == (
        "  own channel 2: -6 dB, pan +0.5, muted for the room"
    )
    assert listening.in_words() == [
        "profile bar, 1 bar later; master -3 dB; own monitor off",
        "  bass: -6 dB, pan +0.5, solo",
    ]
    assert (
        msgspec.structs.replace(listening, bars=2).in_words()[0].startswith("profile bar, 2 bars")
    )
