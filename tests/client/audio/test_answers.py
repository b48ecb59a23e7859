"""What is answered where there is too little to hear all with."""

from midipool.messages import MAX_HEARINGS, AudioStream
from midipool_client.audio.answers import Ears, answer_all
from midipool_client.audio.engine_messages import AudioStatus, VoiceStatus
from midipool_client.audio.hearing import MemberHearing
from midipool_client.audio.options import AudioOptions
from midipool_native.audio import MAX_PLAYERS

EARS = Ears("running")


def offering(name: str) -> MemberHearing:
    member = MemberHearing(name, 1, AudioOptions())
    member.sends(AudioStream(2, 128, 4, 4))
    return member


def test_who_comes_when_all_places_are_taken_is_heard_as_soon_as_one_is_free() -> None:
    assert MAX_HEARINGS == MAX_PLAYERS
    members = [offering(f"m{number}") for number in range(MAX_HEARINGS + 1)]
    status = AudioStatus(
        [VoiceStatus(m.name) for m in members[:-1]], 0.0, 0.0, 0, {}, 0, connections=[]
    )
    assert answer_all(members, EARS, status, 0)
    assert [m.acceptance.answer for m in members] == [*["accepted"] * MAX_HEARINGS, "failed"]
    late = members[-1]
    assert "64 others are heard already" in late.hearing().answer_reason
    assert [v.linked for m in members[-2:] if (v := m.voice())] == [True, False]
    assert not answer_all(members, EARS, status, 1)
    # Who is not linked takes no place.
    members[0].set_link(None, None)
    assert answer_all(members, EARS, status, 2)
    assert (late.acceptance.is_tried, late.acceptance.attempt) == (True, 1)


def test_a_server_without_a_relay_is_why_nobody_is_heard() -> None:
    member = offering("ada")
    answer_all([member], Ears("running", has_key=False), None, 0)
    assert (member.hearing().answer, "no key" in member.hearing().answer_reason) == (
        "refused",
        True,
    )
