import pytest

from midipool.audio.listening import Listening
from midipool.audio.strips import OwnChannel, Strip
from midipool.click import ClickSettings
from midipool.errors import InvalidMessage
from midipool_client.page.messages import (
    SetChannel,
    SetClick,
    SetListening,
    SetMix,
    SetPage,
    SetStrip,
    decode,
)
from midipool_client.page.mixing import click_after, listening_after, page_after
from midipool_client.page_settings import PageSettings, as_kept, page_settings_in


def test_a_strip_changes_in_what_is_given_only() -> None:
    once = listening_after(Listening(), SetStrip(id=1, member="bass", gain_db=-6.0, mute=True))
    twice = listening_after(once, SetStrip(id=2, member="bass", pan=-0.5))
    assert twice.mix.strips == {"bass": Strip(gain_db=-6.0, pan=-0.5, mute=True)}


def test_a_strip_that_is_as_it_comes_is_not_kept() -> None:
    once = listening_after(Listening(), SetStrip(id=1, member="bass", gain_db=-6.0))
    assert listening_after(once, SetStrip(id=2, member="bass", gain_db=0.0)) == Listening()


def test_a_channel_of_ones_own_changes_in_what_is_given_only() -> None:
    once = listening_after(Listening(), SetChannel(id=1, channel=2, gain_db=-6.0, solo=True))
    twice = listening_after(once, SetChannel(id=2, channel=2, pan=0.0))
    assert twice.mix.channels == {"2": OwnChannel(gain_db=-6.0, pan=0.0, solo=True)}
    plain = SetChannel(id=3, channel=2, pan=None, gain_db=0.0, solo=False)
    assert listening_after(twice, plain) == Listening()


def test_monitor_off_is_told_from_monitor_not_given() -> None:
    on = listening_after(Listening(), SetMix(id=1, monitor_db=-3.0))
    muted = listening_after(on, SetMix(id=2, send_mute=True))
    assert (muted.mix.monitor_db, muted.mix.send) == (-3.0, 0.0)
    assert listening_after(muted, SetMix(id=3, monitor_db=None)).mix.monitor_db is None


def test_profile_and_click() -> None:
    assert listening_after(Listening(), SetListening(id=1, profile="bar", bars=2)).bars == 2
    assert click_after(ClickSettings(), SetClick(id=1, volume=0.5)).volume == 0.5


def test_how_the_page_is_set_is_kept_in_what_is_not_as_by_default() -> None:
    once = page_after(PageSettings(), SetPage(id=1, meters="post", quota_gb=2.0))
    twice = page_after(once, SetPage(id=2, quota_gb=None, board="master"))
    assert as_kept(twice) == {"meters": "post", "board": "master"}
    assert page_settings_in({"page": as_kept(twice)}) == twice
    assert as_kept(PageSettings()) is None
    broken = {"page": {"meters": "loud", "board": "1", "colour": "red"}}
    assert page_settings_in(broken) == PageSettings(board="1")
    assert page_settings_in({"page": 3}) == PageSettings()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "not a message"),
        ('{"type":"set_strip","id":1}', "member"),
        ('{"type":"set_strip","id":1,"member":"a","gain_db":99}', "gain_db"),
        ('{"type":"set_strip","id":1,"member":"a","gain":0}', "gain"),
        ('{"type":"tempo","id":1,"bpm":"NaN"}', "bpm"),
        ('{"type":"loop","id":1,"loop":{"start_bar":9,"end_bar":5}}', "loop"),
        ('{"type":"hello","id":1}', "hello"),
        ("[" * 5000, "object"),
        ("x" * 70_000, "longer"),
    ],
)
def test_what_is_no_request_is_refused_and_says_why(text: str, names: str) -> None:
    with pytest.raises(InvalidMessage, match=names):
        decode(text)


def test_a_refusal_knows_which_request_it_is_for() -> None:
    with pytest.raises(InvalidMessage) as refused:
        decode('{"type":"tempo","id":42,"bpm":5}')
    assert refused.value.id == 42
