"""What members play reaches the others, at a bearable rate, and nothing is left hanging."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from midipool.messages import Error, Midi, MidiFrom, TimedMidi
from midipool_server.midi_relay import MUTE_US, MidiRelay, Relayed

BASS, KEYS, DRUMS = 1, 2, 3
SECOND = 1_000_000
ON, OFF = "903c40", "803c40"


def midi(*messages: str) -> Midi:
    return Midi([TimedMidi(0, message) for message in messages])


def from_bass(*messages: str, silence: bool = False) -> MidiFrom:
    return MidiFrom("bass", midi(*messages).events, silence)


class Stage:
    """A relay, and which of the receivers are crowded."""

    def __init__(self) -> None:
        self.relay = MidiRelay()
        self.crowded: set[int] = set()

    def play(self, now_us: int, *messages: str, sender: int = BASS) -> list[Relayed]:
        name = {BASS: "bass", KEYS: "keys", DRUMS: "drums"}[sender]
        return self.relay.take(now_us, sender, name, midi(*messages), self.receivers(sender))

    def receivers(self, sender: int) -> dict[int, bool]:
        return {id: id in self.crowded for id in (BASS, KEYS, DRUMS) if id != sender}


def sweep(stage: Stage, per_second: int, seconds: float) -> list[tuple[int, Relayed]]:
    """A wild controller, in batches of 5 ms."""
    out = []
    for batch in range(round(seconds * 200)):
        now_us = batch * 5000
        cc = [f"b001{number % 128:02x}" for number in range(per_second // 200)]
        out += [(now_us, relayed) for relayed in stage.play(now_us, *cc)]
    return out


def passed(relayed: list[tuple[int, Relayed]]) -> int:
    messages = [r.message for _, r in relayed if isinstance(r.message, MidiFrom)]
    return sum(len(message.events) for message in messages)


class TestPassingOn:
    def test_what_one_plays_all_others_get_in_one_message(self) -> None:
        assert Stage().play(0, ON, OFF) == [Relayed(from_bass(ON, OFF), [KEYS, DRUMS])]

    def test_a_heartbeat_passes(self) -> None:
        assert Stage().play(0) == [Relayed(from_bass(), [KEYS, DRUMS])]

    def test_whoever_is_alone_plays_for_nobody(self) -> None:
        assert MidiRelay().take(0, BASS, "bass", midi(ON), {}) == []


class TestRate:
    def test_a_wild_controller_of_1000_a_second_is_fine(self) -> None:
        assert passed(sweep(Stage(), 1000, seconds=30)) == 30_000

    def test_ten_thousand_a_second_are_cut_and_the_sender_hears_of_it_once_a_second(self) -> None:
        relayed = sweep(Stage(), 10_000, seconds=10)
        assert passed(relayed) < 10 * 2_000 + 2_000
        errors = [(t, r) for t, r in relayed if isinstance(r.message, Error)]
        assert all(r.to == [BASS] for _, r in errors)
        assert 8 <= len(errors) <= 10
        assert all(b - a >= SECOND for (a, _), (b, _) in pairwise(errors))

    def test_bytes_count_too(self) -> None:
        stage = Stage()
        sysex = "f0" + 254 * "00" + "f7"
        relayed = [r for n in range(200) for r in stage.play(n * 5000, sysex)]
        assert any(isinstance(r.message, Error) for r in relayed)

    def test_the_others_end_the_notes_of_one_who_is_cut_and_hear_it_again_after_a_pause(
        self,
    ) -> None:
        stage = Stage()
        relayed = sweep(stage, 10_000, seconds=0.5)
        cut_us = next(t for t, r in relayed if isinstance(r.message, Error))
        silences = [r for t, r in relayed if t == cut_us and r.message == from_bass(silence=True)]
        assert silences == [Relayed(from_bass(silence=True), [KEYS, DRUMS])]
        assert stage.play(cut_us + MUTE_US - 1, OFF) == []
        assert stage.play(cut_us + MUTE_US, ON) == [Relayed(from_bass(ON), [KEYS, DRUMS])]

    def test_one_who_is_cut_disturbs_nobody_else(self) -> None:
        stage = Stage()
        sweep(stage, 10_000, seconds=0.4)
        assert len(stage.play(400_000, ON, sender=KEYS)) == 1

    @given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 64)), max_size=200))
    def test_whoever_was_cut_has_no_note_left_at_any_receiver(
        self, batches: list[tuple[int, int]]
    ) -> None:
        stage, now_us, sounds = Stage(), 0, False
        for gap_us, count in batches:
            now_us += gap_us
            cut = count > 0
            for relayed in stage.play(now_us, *[ON] * count):
                if isinstance(relayed.message, MidiFrom):
                    cut = cut and not relayed.message.events
                    sounds = bool(relayed.message.events) or (
                        sounds and not relayed.message.silence
                    )
            assert not (cut and sounds)


class TestSlowReader:
    def test_one_who_does_not_read_gets_no_midi_and_is_told_so_later(self) -> None:
        stage = Stage()
        stage.play(0, ON)
        stage.crowded = {KEYS}
        assert stage.play(1, OFF) == [Relayed(from_bass(OFF), [DRUMS])]
        stage.crowded = set()
        later = stage.play(2, ON)
        assert Relayed(from_bass(ON), [DRUMS]) in later
        assert Relayed(from_bass(ON, silence=True), [KEYS]) in later
        assert stage.play(3, OFF) == [Relayed(from_bass(OFF), [KEYS, DRUMS])]

    def test_the_next_heartbeat_tells_it_too(self) -> None:
        stage = Stage()
        stage.crowded = {KEYS}
        stage.play(0, ON)
        stage.crowded = set()
        assert Relayed(from_bass(silence=True), [KEYS]) in stage.play(1)

    def test_a_heartbeat_that_is_left_out_needs_no_silence(self) -> None:
        stage = Stage()
        stage.crowded = {KEYS}
        stage.play(0)
        stage.crowded = set()
        assert stage.play(1) == [Relayed(from_bass(), [KEYS, DRUMS])]

    def test_one_who_is_crowded_at_a_cut_is_told_later(self) -> None:
        stage = Stage()
        stage.play(0, ON)
        stage.crowded = {KEYS}
        sweep(stage, 10_000, seconds=0.3)
        stage.crowded = set()
        later = stage.play(2 * SECOND, ON)
        assert Relayed(from_bass(ON, silence=True), [KEYS]) in later


class TestLeaving:
    def test_notes_of_one_whose_connection_ends_are_ended(self) -> None:
        stage = Stage()
        stage.play(0, ON)
        gone = stage.relay.gone(BASS, stage.receivers(BASS))
        assert gone == [Relayed(from_bass(silence=True), [KEYS, DRUMS])]
        assert stage.relay.gone(BASS, stage.receivers(BASS)) == []

    def test_one_who_never_played_leaves_quietly(self) -> None:
        stage = Stage()
        stage.play(0)
        assert stage.relay.gone(BASS, stage.receivers(BASS)) == []
        assert stage.relay.gone(KEYS, stage.receivers(KEYS)) == []
