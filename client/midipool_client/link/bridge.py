"""Keeps a room and a Link session at one tempo, in one phase, playing or not together. Pure.

**On meeting** the peers of a Link session nobody is hijacked. A room that nobody has set yet takes
the session's tempo. Else the policy decides: `room-wins` brings the session to the room's tempo
and, if the room plays, onto its bars, because all networks of a room must agree with it;
`session-wins` brings the session's tempo to the room, and starts the room if the session plays.
That is done at the first meeting; at later ones the room is what both have agreed upon. A meeting
alone never starts or stops anybody else: in Link only a user does that.

**From then on** what a Link peer changes is asked of the room, at most four times a second and the
last value only; what the room changes is set on Link. If the room refuses, Link gets the room's
values back. While a peer's tempo is on its way to the room, Link is left alone.

**Phase**: while the room plays, Link's bars are held on the room's, its quantum being the room's
bar. More than 3 ms are set right at once; less in steps of half a millisecond, which nobody hears,
and nothing below 0.3 ms. Link's tempo has the drift of the clocks in it, so that such steps are
rare. A stopped room has no phase, as the beats of Link go on.
"""

from dataclasses import replace
from typing import Literal, TypeVar

from midipool.clock_map import ClockMap
from midipool.messages import Ok, SetTempo, Start, Stop, TransportCommand
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.link.link_tempo import same_tempo, wished_bpm
from midipool_client.link.meeting import Meeting
from midipool_client.link.room_view import RAMP_STEP_NS, RoomView
from midipool_client.link.state import Action, Ask, LinkState, Note, SetLink
from midipool_client.link.wish import Wish

Policy = Literal["room-wins", "session-wins"]
T = TypeVar("T")

NUDGE_FROM_US, NUDGE_US, FORCE_FROM_US = 300.0, 500.0, 3000.0
CORRECT_EVERY_NS = 250_000_000
START_AHEAD_US = 30_000_000
"""A start further ahead than this waits; the room takes none that is more than 60 s ahead."""
ON_THE_LINE_US = 100


class LinkBridge:
    """Looks at both sides about 50 times a second and says what to do."""

    def __init__(self, policy: Policy = "room-wins") -> None:
        self.phase_error_us: float | None = None
        """Link's bars behind (+) or ahead (-) of the room's; None while the room is stopped."""
        self.met = False
        """Whether there were peers, and the policy has decided."""
        self._policy = policy
        self._meeting = Meeting()
        self._tempo: Wish[float] = Wish(until_in_force=True)
        self._transport: Wish[bool] = Wish()
        self._restore_transport = False
        self._beat_us: int | None = None
        self._link_plays = False
        self._room_plays: bool | None = None
        self._announced: Timeline | None = None
        self._followed: Timeline | None = None
        self._set_ns: int | None = None
        self._noted = False

    def poll(self, link: LinkState, chain: TimelineChain, clock: ClockMap) -> list[Action]:
        """What to do about the Link session `link` and the room at the same instant."""
        room = RoomView(chain, clock, link.host_ns)
        if self._beat_us is None:
            self._beat_us, self._link_plays = link.beat_us, link.playing
            self._room_plays = room.timeline.playing
        actions = self._look(link, room)
        self._settle(room)
        actions += self._ask(link, room)
        change = _merged(self._follow_transport(link, room), self._steer(link, room))
        if change is not None:
            self._remember(change, link.host_ns)
            actions.append(change)
        return actions

    def answered(self, command: TransportCommand, ok: Ok | None) -> None:
        """The room's answer to a command that was asked for; None if it refuses or is away."""
        self._tempo.answered(command, ok)
        if self._transport.answered(command, ok):
            self._restore_transport = True

    # ---- what Link's peers do ----

    def _look(self, link: LinkState, room: RoomView) -> list[Action]:
        assert self._beat_us is not None
        tempo_changed = not same_tempo(link.beat_us, self._beat_us)
        plays_changed = link.playing != self._link_plays
        if tempo_changed:
            self._beat_us = link.beat_us
        self._link_plays = link.playing
        has_met = self._meeting.see(link, tempo_changed)
        if self._meeting.met_ns is None:
            return []
        # What was started before we met reaches us late, and is no command. Link says when it
        # was, so that what a user does while the meeting settles is not taken for that.
        if plays_changed and link.playing_since_ns >= self._meeting.met_ns:
            self._transport.want(link.playing)
        if has_met:
            return self._meet(link, room)
        settled = self._meeting.settled(link.host_ns)
        return self._want_tempo(link, room) if tempo_changed and settled else []

    def _meet(self, link: LinkState, room: RoomView) -> list[Action]:
        first, self.met = not self.met, True
        if not first or (self._policy == "room-wins" and room.chain.revision > 0):
            return []
        if self._policy == "session-wins" and link.playing:
            self._transport.want(True)
        return self._want_tempo(link, room)

    def _want_tempo(self, link: LinkState, room: RoomView) -> list[Action]:
        spread = abs(room.clock.drift) + abs(link.clock_rate - 1)
        bpm = wished_bpm(link.beat_us, spread)
        agreed = room.chain.last
        if same_tempo(link.beat_us, room.beat_us(agreed, link.clock_rate)):
            bpm = _agreed_bpm(agreed)
        if self._tempo.want(bpm) and not self._noted:
            self._noted = True
            return [Note("the tempo changes faster than the room takes it: the last value wins")]
        return []

    # ---- what the room is asked for ----

    def _settle(self, room: RoomView) -> None:
        now = (room.host_ns, room.room_us, room.chain.revision)
        self._tempo.settle(*now)
        if self._transport.settle(*now):
            self._restore_transport = True

    def _ask(self, link: LinkState, room: RoomView) -> list[Action]:
        agreed = room.chain.last
        actions: list[Action] = []
        bpm = self._tempo.due(room.host_ns, _agreed_bpm(agreed))
        if bpm is not None:
            actions.append(self._sent(self._tempo, SetTempo(id=0, bpm=bpm), bpm, room))
        playing = self._transport.due(room.host_ns, agreed.playing)
        if playing is False:
            actions.append(self._sent(self._transport, Stop(id=0), playing, room))
        elif playing is True:
            start_us = self._start_us(link, room)
            if start_us - room.room_us <= START_AHEAD_US:
                start = Start(id=0, epoch=agreed.epoch, since=start_us)
                actions.append(self._sent(self._transport, start, playing, room))
        return actions

    def _sent(self, wish: Wish[T], command: TransportCommand, value: T, room: RoomView) -> Ask:
        wish.asked(command, value, room.host_ns)
        return Ask(command)

    def _start_us(self, link: LinkState, room: RoomView) -> int:
        """Room time of the bar line on which Link's peers start.

        Of a session that we found playing, where it started is not known any more: then it is
        the next bar line.
        """
        bar = room.timeline.meter.bar_beats
        since_ns = link.playing_since_ns - ON_THE_LINE_US * 1000
        if self._meeting.met_ns is not None and since_ns < self._meeting.met_ns:
            since_ns = link.host_ns
        line = -int(-link.beats_at(since_ns) // bar) * bar
        return room.clock.room_at(link.time_of(line)) // 1000

    # ---- what Link is set to ----

    def _follow_transport(self, link: LinkState, room: RoomView) -> SetLink | None:
        """Start and stop Link's peers when the room does; a start ahead of its time."""
        if not self._meeting.settled(link.host_ns) or self._transport.open:
            return None
        timeline, start = room.timeline, room.coming_start
        moved, self._room_plays = self._room_plays != timeline.playing, timeline.playing
        restore, self._restore_transport = self._restore_transport, False
        # A start is announced, or called off before its time.
        moved |= start != self._announced
        self._announced = start
        plays = timeline.playing or start is not None
        # With nobody there, the session is ours alone: it waits for peers as the room is.
        if link.playing == plays or not (moved or restore or link.peers == 0):
            return None
        at_us = start.origin_time_us if start else min(timeline.origin_time_us, room.room_us)
        return SetLink(link.host_ns, playing=plays, playing_at_ns=room.host_time(at_us))

    def _steer(self, link: LinkState, room: RoomView) -> SetLink | None:
        """Hold Link's tempo and phase on the room's, or have them ready for its start."""
        goal = room.goal()
        error_us = goal.error_us(link)
        self.phase_error_us = error_us if room.timeline.playing else None
        if not self._meeting.settled(link.host_ns) or self._tempo.open:
            return None
        entered = goal.timeline != self._followed
        wait_ns = RAMP_STEP_NS if room.ramping else CORRECT_EVERY_NS
        if not entered and self._set_ns is not None and link.host_ns - self._set_ns < wait_ns:
            return None
        self._followed = goal.timeline
        beat_us = room.beat_us(goal.timeline, link.clock_rate)
        kept = same_tempo(beat_us, link.beat_us)
        if goal.phase_beats is None or error_us is None:
            return None if kept else SetLink(link.host_ns, beat_us=beat_us)
        if kept and abs(error_us) <= NUDGE_FROM_US:
            return None
        step_us = error_us
        if kept and abs(error_us) <= FORCE_FROM_US:
            step_us = max(min(error_us, NUDGE_US), -NUDGE_US)
        bar = goal.timeline.meter.bar_beats
        # To where the room is, less what is left of the error.
        phase = round(goal.phase_beats - (error_us - step_us) * 1e6 / beat_us) % bar
        return SetLink(goal.host_ns, beat_us=beat_us, phase_beats=phase, bar_beats=bar)

    def _remember(self, change: SetLink, now_ns: int) -> None:
        """Know again what we set ourselves."""
        if change.beat_us is not None:
            self._beat_us, self._set_ns = change.beat_us, now_ns
        if change.playing is not None:
            self._link_plays = change.playing


def _agreed_bpm(timeline: Timeline) -> float:
    """The tempo at which a timeline ends up."""
    return (timeline.ramp.to_mbpm if timeline.ramp else timeline.mbpm) / 1000


def _merged(transport: SetLink | None, steering: SetLink | None) -> SetLink | None:
    """One change, so that Link's peers hear of both at once."""
    if transport is None or steering is None:
        return transport or steering
    return replace(steering, playing=transport.playing, playing_at_ns=transport.playing_at_ns)
