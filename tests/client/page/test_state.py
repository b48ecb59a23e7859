from msgspec import UNSET

from midipool.audio.strips import Strip
from midipool_client.page.state import Changed, MixerPart, Session, State, StripView, changed


def test_nothing_is_told_when_nothing_changed() -> None:
    assert changed(State(), State()) is None


def test_only_the_parts_that_changed_are_told_and_each_whole() -> None:
    strip = StripView(member="bass", connected=True, strip=Strip(gain_db=-6.0), heard=True)
    after = State(session=Session(phase="in_room", name="me"), mixer=MixerPart(strips=[strip]))
    told = changed(State(), after)
    assert told == Changed(session=after.session, mixer=after.mixer)
    assert told.transport is UNSET
