"""What pages see and do: the state of the client that runs, or of the choice of a room."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from midipool.errors import InvalidValue, MidiPoolError, Unavailable
from midipool_client.audio.process import AudioProcess
from midipool_client.controllers.desk import ControllerDesk
from midipool_client.live_settings import Playing
from midipool_client.nearby import Nearby
from midipool_client.page import meters, view
from midipool_client.page.conducting import conducted, room_as_told
from midipool_client.page.effects_requests import EffectsRequest
from midipool_client.page.effects_view import KINDS_VIEW, EffectsView
from midipool_client.page.history import HearingHistory
from midipool_client.page.learn_requests import Forget, Learn, LearnEnd
from midipool_client.page.messages import (
    CheckDevices,
    Done,
    EndCheck,
    FromPage,
    Join,
    Leave,
    LookForDevices,
    Refused,
    SetChannel,
    SetClick,
    SetListening,
    SetMix,
    SetPage,
    SetStrip,
    SwitchClick,
)
from midipool_client.page.mixing import click_after, listening_after, page_after
from midipool_client.page.nearby import nearby_part
from midipool_client.page.state import Health, MixerPart, Session, State
from midipool_client.page.take_requests import TakeRequest
from midipool_client.page.takes import TakesView, recording_of
from midipool_client.page.way_in import DevicesBefore
from midipool_client.player import Player
from midipool_client.recording.library import Library

# 21 frames of meters a second.
FRAME_S = 0.048
# What a page asks for is looked at at once; what others change need not be seen sooner.
LOOK_S = 0.2
HEALTH_S = 1.0
ROOM_S = 2.0
HISTORY_S = 1.0


class PageHost:
    """Looks at the client as long as a page does; a page's requests go the same way as a DAW's."""

    def __init__(self, can_leave: bool = False, library: Library | None = None) -> None:
        self.choice = Session()
        """What is shown while there is no room."""
        self.devices = DevicesBefore(self.look, self._look_at_meters)
        self.history = HearingHistory()
        self._nearby = Nearby(self.look)
        self.wanted: asyncio.Queue[Join] = asyncio.Queue(1)
        self.leave: Callable[[], None] = lambda: None
        self.state = State()
        self.frame = b""
        self.takes = TakesView(library)
        self._can_leave = can_leave
        self._playing: Playing | None = None
        self._room: view.RoomDescription | None = None
        self._health, self._health_s = Health(), 0.0
        self._effects = EffectsView()
        self._graph = view.GraphView()
        self._controllers = ControllerDesk(self.ask, self._looked)
        self._orders, self._measured_s = 0, 0.0
        self._viewers: set[asyncio.Event] = set()
        self._seen, self._unseen = asyncio.Event(), asyncio.Event()
        self._news = asyncio.Event()

    # ---- the client ----

    @property
    def player(self) -> Player:
        """Who plays; raises Unavailable."""
        if self._playing is None:
            raise Unavailable("there is no room yet: join one")
        return self._playing.player

    def room_us(self) -> int | None:
        """The room's time now; None while it is not known."""
        return None if self._playing is None else self._playing.player.room_us()

    def enter(self, playing: Playing) -> None:
        """The client plays."""
        self._playing, self._room, self._health_s = playing, None, 0.0
        self.history.forget()
        self._controllers.enter(playing.live)
        playing.player.ports.on_control = self._controllers.heard
        self._watch()
        self._look_around()
        self._news.set()

    def left(self, problem: str = "") -> None:
        """It plays no more, for this reason."""
        self._playing = self._room = None
        self.choice = msgspec.structs.replace(self.choice, phase="choosing", problem=problem)
        self._look_around()
        self.look()

    async def run(self) -> None:
        """Look as long as somebody does, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_looking())
                group.create_task(self._keep_asking())
                group.create_task(self._keep_devices_free())
                group.create_task(self._keep_history())
                group.create_task(self.takes.run(self._seen))
        finally:
            self._controllers.close()
            await self._nearby.close()

    # ---- pages ----

    def open(self, changed: asyncio.Event) -> None:
        """A page looks from now on; `changed` is set for each look."""
        self._viewers.add(changed)
        self._seen.set()
        self._watch()
        if self._playing is None and self._can_leave:
            self.devices.look()
        self._look_around()
        self.look()

    def close(self, changed: asyncio.Event) -> None:
        """It looks no more."""
        self._viewers.discard(changed)
        if not self._viewers:
            self._seen.clear()
            self._unseen.set()
        self._watch()
        self._look_around()

    async def ask(self, request: FromPage) -> Done | Refused:
        """Do what a page asks for."""
        try:
            match request:
                case Join():
                    self._want(request)
                case Leave() if self._can_leave and self._playing is not None:
                    self.leave()
                case Leave():
                    return Refused("stop midipool-client to leave this room", request.id)
                case LookForDevices() | CheckDevices() | EndCheck():
                    await self._before(request)
                case _ if isinstance(request, TakeRequest):
                    player = None if self._playing is None else self._playing.player
                    await self.takes.ask(player, request)
                case _ if self._playing is None:
                    return Refused("there is no room yet: join one", request.id)
                case SetStrip() | SetChannel() | SetMix() | SetListening():
                    live = self._playing.live
                    live.listen(listening_after(live.listening, request))
                case SetClick():
                    self._playing.live.set_click(click_after(self._playing.live.click, request))
                case SetPage():
                    self._playing.live.set_page(page_after(self._playing.live.page, request))
                case SwitchClick():
                    self._playing.player.ports.switch_click(request.port - 1, request.on)
                case Learn() | LearnEnd() | Forget():
                    self._controllers.obey(request)
                case _ if isinstance(request, EffectsRequest):
                    await self._effects.ask(self._playing.player.effects, request)
                case _:
                    answer = await conducted(self._playing.player, request)
                    self.look()
                    return answer
            self.look()
            return Done(request.id)
        except InvalidValue as error:
            return Refused(str(error), request.id, error.field)
        except MidiPoolError as error:
            return Refused(str(error), request.id)

    # ---- inside ----

    async def _before(self, request: LookForDevices | CheckDevices | EndCheck) -> None:
        if self._playing is not None or not self._can_leave:
            raise InvalidValue("devices", "are for a client that is in no room: leave this one")
        await self.devices.obey(request)

    def _want(self, request: Join) -> None:
        if self._playing is not None or not self._can_leave or self.wanted.full():
            raise InvalidValue("join", "is for a client that is in no room: leave this one first")
        self.wanted.put_nowait(request)
        self.choice = msgspec.structs.replace(self.choice, phase="joining", problem="")

    def _looked(self) -> State:
        self.look()
        return self.state

    def look(self) -> None:
        """See how the client stands, and tell pages."""
        before = self.state
        if self._playing is None:
            self._look_before()
        else:
            self._look_at(self._playing)
            now = self.state
            if (before.transport, before.conduct.mode) != (now.transport, now.conduct.mode):
                self._news.set()
        self._tell()

    def _look_before(self) -> None:
        """There is no room; devices may be tried."""
        tried = self.devices.tried
        mixer = MixerPart() if tried is None else self._ordered(tried.mixer)
        self.state = State(
            session=self.choice,
            way_in=self.devices.now(),
            nearby=nearby_part(self._nearby.found, self._nearby.problem),
            mixer=mixer,
            takes=self.takes.part,
        )
        if tried is not None:
            self._measure(tried.engine, None)

    def _look_at(self, playing: Playing) -> None:
        player, now_s = playing.player, time.monotonic()
        if now_s >= self._health_s + HEALTH_S:
            self._health, self._health_s = view.health_view(player, self._room), now_s
        self.state = State(
            session=view.session_of(player, self._can_leave),
            transport=view.transport_of(player),
            conduct=view.conduct_of(player, self._room),
            mixer=self._ordered(view.mixer_of(playing)),
            health=self._health,
            talk=view.talk_of(player),
            songs=view.songs_of(player),
            access=view.access_of(player),
            graph=self._graph.of(player),
            modules=view.modules_of(player),
            effects=self._effects.boards(player.effects, now_s),
            effects_now=self._effects.now(player.effects, _rate_of(player)),
            effect_kinds=KINDS_VIEW,
            recording=recording_of(player),
            takes=self.takes.part,
            controllers=self._controllers.part,
            page=playing.live.page,
        )
        if player.audio is not None and now_s > self._measured_s + 2 * FRAME_S:
            self._measure(player.audio.engine, player.room_us())

    def _look_at_meters(self) -> None:
        """Levels came."""
        if not self._viewers:
            return
        tried, playing = self.devices.tried, self._playing
        if playing is not None and playing.player.audio is not None:
            self._measure(playing.player.audio.engine, playing.player.room_us())
        elif playing is None and tried is not None:
            self._measure(tried.engine, None)
        else:
            return
        self._tell()

    def _tell(self) -> None:
        for changed in self._viewers:
            changed.set()

    def _measure(self, engine: AudioProcess, room_us: int | None) -> None:
        self._measured_s = time.monotonic()
        self.frame = meters.frame_of(self.state.mixer, engine.levels, room_us)

    def _ordered(self, part: MixerPart) -> MixerPart:
        order = meters.order_of([strip.member for strip in part.strips], len(part.channels))
        if order != self.state.mixer.meters:
            self._orders += 1
        return msgspec.structs.replace(part, meters=order, meters_of=self._orders % 65536)

    def _watch(self) -> None:
        audio = None if self._playing is None else self._playing.player.audio
        if audio is not None:
            audio.engine.on_levels = self._look_at_meters
            audio.engine.watch(round(FRAME_S * 1000) if self._viewers else 0)

    def _look_around(self) -> None:
        """See who is on the LAN while a page asks where to go."""
        self._nearby.watch(bool(self._viewers) and self._can_leave and self._playing is None)

    async def _keep_looking(self) -> None:
        while True:
            await self._seen.wait()
            self.look()
            await asyncio.sleep(LOOK_S)

    async def fresh(self) -> State:
        """The state as a page would see it that is open."""
        if not self._viewers and self._playing is not None and self._playing.player.connected:
            await self._ask_room()
        self.look()
        return self.state

    async def _ask_room(self) -> None:
        playing = self._playing
        if playing is not None:
            room = await room_as_told(playing.player.url)
            if playing is self._playing:
                self._room, self._health_s = room, 0.0

    async def _keep_devices_free(self) -> None:
        """Devices are tried only while somebody looks."""
        try:
            while True:
                await self._unseen.wait()
                self._unseen.clear()
                await self.devices.end_check()
        finally:
            await self.devices.close()

    async def _keep_history(self) -> None:
        """Also while nobody looks: who comes sees the last minutes."""
        while True:
            await asyncio.sleep(HISTORY_S)
            player = None if self._playing is None else self._playing.player
            if player is not None and player.audio is not None:
                self.history.take(time.time(), player.name, player.audio.hears)

    async def _keep_asking(self) -> None:
        """What only the server knows: how the others hear one another, and who changed what."""
        while True:
            await self._seen.wait()
            self._news.clear()
            await self._ask_room()
            try:
                async with asyncio.timeout(ROOM_S):
                    await self._news.wait()
            except TimeoutError:
                pass


def _rate_of(player: Player) -> int:
    ready = None if player.audio is None else player.audio.engine.ready
    return 48_000 if ready is None else ready.rate
