"""All invariants of a soak together, fed from what its programs say."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from midipool.timeline import Timeline
from tests.soak.agreement import AgreementWatch, ClientView
from tests.soak.ears import Ears
from tests.soak.growth import GrowthWatch, Use
from tests.soak.hearing import NoteWatch, SoundWatch, audio_of
from tests.soak.observer import Observer
from tests.soak.port_meter import PortMeter
from tests.soak.ticks import Event, TickWatch
from tests.soak.violation import Calm, Violation

S = 1_000_000
COMES_US, BACK_US = 20 * S, 15 * S
"""So long one who joins, and one whose engine was killed, is excused."""
SERVER_BACK_US = 20 * S
ASKED_US, AUDIO_US = 10 * S, 60 * S
BEFORE_US = 500_000
"""So much earlier something may have been felt than it was written down."""


class Watches:
    """Takes what is seen; keeps the violations."""

    def __init__(self, observer: Observer, calm: Calm, notes: NoteWatch) -> None:
        self.violations: list[Violation] = []
        self.calm, self.notes = calm, notes
        self.sounds = SoundWatch(observer.graph, calm)
        self.agreement = AgreementWatch(observer.song, calm)
        self.ticks: dict[str, TickWatch] = {}
        self.growth: dict[str, GrowthWatch] = {}
        self.counts: Counter[str] = Counter()
        self._observer = observer
        self._heard_us: dict[PortMeter, int] = {}
        self._silent_us: dict[str, int] = {}
        """Since when who has audio has no engine that runs."""

    def add(self, name: str, far: bool) -> None:
        """One more member."""
        self.ticks[name] = TickWatch(name, self._observer.song, self.calm, far)
        if far:
            self.agreement.far.add(name)

    def found(self, violations: Iterable[Violation]) -> None:
        """Keep them."""
        self.violations += violations

    def hear(self, meter: PortMeter, names: dict[str, str], here: set[str]) -> None:
        """What came at the MIDI ports; `names` are members by port."""
        until_us, heard = meter.heard()
        if until_us == 0:
            return
        self._heard_us[meter] = until_us
        gaps = meter.gaps()
        for port, name in names.items():
            self.ticks[name].miss(gaps)
            events = heard.get(port, [])
            self._hear_one(name, events)
            if name in here:
                self.found(self.ticks[name].look(until_us))

    def _hear_one(self, name: str, events: list[Event]) -> None:
        self.found(self.ticks[name].take(e for e in events if e[1][0] >= 0xF0))
        for at_us, data in events:
            if data[0] & 0xF0 == 0x90 and len(data) == 3 and data[2] > 0:
                self.found(self.notes.take(at_us, name, data[1]))

    def notes_due(self, here: list[str]) -> None:
        """Whether notes that were played came; behind what all meters have said."""
        if self._heard_us:
            self.found(self.notes.look(min(self._heard_us.values()), here))

    def listen(self, ears: Ears) -> None:
        """What came out of the audio ports."""
        for at_us, name, levels in ears.heard():
            self.found(self.sounds.take(at_us, name, levels))

    def see(self, name: str, asked_us: int, answered_us: int, known: dict[str, Any]) -> None:
        """What a client says of the room."""
        if known["room_us"] is None:
            return  # it measures the clock yet
        self._see_audio(name, asked_us, known["state"]["mixer"]["audio"])
        transport = known["state"]["transport"]
        view = ClientView(
            asked_us,
            answered_us,
            int(known["room_us"]),
            tuple(msgspec.convert(t, Timeline) for t in transport["timelines"]),
            bool(known["state"]["session"]["connected"]),
            bool(transport["clock_known"]),
        )
        self.found(self.agreement.take(name, view))

    def see_room(self, room: dict[str, Any]) -> None:
        """What the server says of its members' clocks."""
        for member in room["members"]:
            status, watch = member.get("status"), self.ticks.get(member["name"])
            if status and watch is not None:
                watch.clock_off_us = status["offset_us"]
                watch.clock_bound_us = status["error_bound_us"]

    def _see_audio(self, name: str, at_us: int, state: str) -> None:
        """Who has audio and is no engine's is excused, but not for long."""
        if state in ("off", "running"):
            self._silent_us.pop(name, None)
            return
        self.calm.excuse(audio_of(name), at_us - 2 * ASKED_US, at_us + 2 * ASKED_US)
        since_us = self._silent_us.setdefault(name, at_us)
        if at_us - since_us > AUDIO_US and self.calm.all_calm((name,), since_us, at_us):
            self._silent_us[name] = at_us
            self.found([Violation(at_us, "audio comes back", name, f"is {state} for a minute")])

    def measure(self, what: str, use: Use) -> None:
        """What a process has."""
        self.found(self.growth.setdefault(what, GrowthWatch(what)).take(use))

    # ---- what is done to them ----

    def disturb(self, who: str, now_us: int, for_us: int) -> None:
        """Something is done to one: nothing is asked of it for a while."""
        self.calm.excuse(who, now_us - BEFORE_US, now_us + for_us)

    def goes(self, name: str, now_us: int) -> None:
        """Its client ends."""
        self.calm.away(name, now_us - BEFORE_US)

    def comes(self, name: str, now_us: int) -> None:
        """Its client begins, and knows nothing."""
        self.calm.back(name, now_us + COMES_US)
        self.ticks[name].lose_track()
