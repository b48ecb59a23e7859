"""Documents of any shape that a room can have."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from midipool.audio.strips import Mix, OwnChannel, Strip
from midipool.effects.kinds import kind_of
from midipool.effects.parameters import Choice, Number
from midipool.graph.nodes import why_not_called
from midipool.messages import Name, OptionValues, Role
from midipool.messages.songs import Key, Notes
from midipool.meter import Meter
from midipool.snapshot import (
    Effect,
    MemberPart,
    ModeSection,
    ModuleEntry,
    Place,
    RampLeft,
    Snapshot,
    SongEntry,
    TimelineSection,
    document,
)
from midipool.snapshot.timeline import Bars
from tests.midipool.from_types import values

names = values(Name)
tempos = st.integers(20_000, 999_000).map(lambda mbpm: mbpm / 1000)
meters = st.builds(Meter, st.integers(1, 64), st.sampled_from((1, 2, 4, 8, 16, 32)))
dbs = st.floats(-90, 18, allow_nan=False)
pans = st.floats(-1, 1, allow_nan=False)


@st.composite
def bars(draw: st.DrawFn) -> Bars:
    start = draw(st.integers(1, 99_998))
    return Bars(start, draw(st.integers(start + 1, 99_999)))


@st.composite
def timelines(draw: st.DrawFn) -> TimelineSection:
    meter = draw(meters)
    beat = 1 + draw(st.integers(0, meter.bar_beats - 1)) / meter.count_beats
    ramps = st.builds(RampLeft, tempos, st.integers(1, 10**9).map(lambda n: n / 10**6))
    return TimelineSection(
        tempo=draw(tempos),
        meter=str(meter),
        position=Place(draw(st.integers(1, 10_000)), round(beat, 8)),
        ramp=draw(st.none() | ramps),
        loop=draw(st.none() | bars()),
    )


songs = st.builds(
    SongEntry,
    name=names,
    tempo=st.floats(20, 999),
    meter=meters.map(str),
    loop=st.none() | bars(),
    key=values(Key),
    notes=values(Notes),
)

modes = st.one_of(
    st.just(ModeSection(mode="open")),
    st.just(ModeSection(mode="vote")),
    names.map(lambda name: ModeSection(mode="leader", leader=name)),
    names.map(lambda name: ModeSection(mode="locked", locked_by=name)),
)

channels = st.builds(OwnChannel, gain_db=dbs, pan=st.none() | pans, mute=st.booleans())
mixes = st.builds(
    Mix,
    master_db=dbs,
    monitor_db=st.none() | dbs,
    send_mute=st.booleans(),
    strips=st.dictionaries(
        names,
        st.builds(Strip, gain_db=dbs, pan=pans, mute=st.booleans(), solo=st.booleans()),
        max_size=3,
    ),
    channels=st.dictionaries(st.sampled_from("1234"), channels, max_size=2),
)


@st.composite
def effects(draw: st.DrawFn) -> Effect:
    kind = kind_of(draw(st.sampled_from(["gate", "delay", "eq", "fuzz", "cabinet", "plugin"])))
    said: dict[str, Any] = {}
    for parameter in kind.parameters:
        if draw(st.booleans()):
            continue
        match parameter:
            case Number(least=least, most=most):
                said[parameter.name] = draw(st.floats(least, most))
            case Choice(choices=choices):
                said[parameter.name] = draw(st.sampled_from(list(choices)))
            case _:
                said[parameter.name] = draw(
                    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
                )
    return Effect(kind.id, draw(st.booleans()), said)


boards = st.dictionaries(
    st.sampled_from(["1", "4", "own", "master"]), st.lists(effects(), max_size=3), max_size=2
)
parts = st.builds(MemberPart, mix=st.none() | mixes, effects=st.none() | boards)
modules = st.lists(
    st.builds(
        ModuleEntry,
        name=names.filter(lambda name: not why_not_called(name)),
        program=st.none() | names,
        options=values(OptionValues),
        stopped=st.booleans(),
    ),
    max_size=4,
    unique_by=(lambda entry: entry.name, lambda entry: entry.runs),
)
snapshots: SearchStrategy[Snapshot] = st.builds(
    document.new,
    room=st.text(st.characters(codec="utf-8"), max_size=20),
    timeline=st.none() | timelines(),
    mode=st.none() | modes,
    roles=st.none() | st.dictionaries(names, values(Role), max_size=3),
    songs=st.none() | st.lists(songs, max_size=4),
    modules=st.none() | modules,
    members=st.none() | st.dictionaries(names, parts, max_size=3),
)

keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def with_more(draw: st.DrawFn, said: Any) -> Any:
    """Plain data with keys in it, at any place where there are keys of ours, that nobody knows."""
    if isinstance(said, list):
        return [draw(with_more(item)) for item in said]
    if not isinstance(said, dict):
        return said
    more = {
        f"x {key}": value
        for key, value in draw(st.dictionaries(keys, anything, max_size=2)).items()
    }
    return {**{key: draw(with_more(value)) for key, value in said.items()}, **more}
