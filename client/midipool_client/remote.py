"""Conducting from a shell: one command to a room, and its answer in words."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

import aiohttp
import msgspec

from midipool import messages
from midipool.audio.health import dropped_in_words, hearings_in_words
from midipool.errors import InvalidValue, Refused, Unavailable
from midipool.messages import (
    Access,
    AtTheDoor,
    Ballot,
    Capability,
    Dropped,
    Error,
    Hearing,
    Hello,
    Invitation,
    Message,
    Ok,
    RoomMode,
    ServerMessage,
    Vote,
    Welcome,
)
from midipool_client import tokens
from midipool_client.commander import Asked
from midipool_client.room_url import RoomUrl
from midipool_client.room_words import mode_in_words, vote_in_words
from midipool_client.server_link import Disconnected, ServerLink

log = logging.getLogger(__name__)

ANSWER_S = 5.0
STATISTICS_S = 30.0
RELAY_DROPS = {
    "forged": "forged",
    "replayed": "replayed",
    "wrong_address": "from another address",
    "too_fast": "too fast",
    "muted": "while it was muted",
}
VOTE_S = 10.0
MAX_TRIES = 4
NEEDS_TOKEN = ("password_needed", "invitation_needed", "door_locked", "bad_invitation")

Told = TypeVar("Told")


class Remote:
    """A connection that acts for a member whose token this user has, used as a context manager.

    Without `acting_as` that is the one that joined last, if any is in the room.
    """

    def __init__(
        self,
        url: RoomUrl,
        acting_as: str | None = None,
        capabilities: Sequence[Capability] = (),
    ) -> None:
        self.url = url
        self._capabilities = capabilities
        self.acting_as = acting_as
        self.welcome: Welcome | None = None
        self.invitation = ""
        """What came before the answer to `invite`."""
        self._link: ServerLink | None = None

    async def __aenter__(self) -> "Remote":
        for token in self._tokens():
            link = ServerLink(self.url, self._hello(token))
            await link.__aenter__()
            try:
                self.welcome = await link.hello()
            except Refused as refused:
                await link.__aexit__(None, None, None)
                # A token that is good no more is no member's: another one may be.
                if not token or refused.code not in NEEDS_TOKEN:
                    raise
                continue
            except BaseException:
                await link.__aexit__(None, None, None)
                raise
            # Who had the token may have left, or the server was restarted.
            if not token or self.welcome.acts_for is not None:
                self._link = link
                return self
            await link.__aexit__(None, None, None)
        raise Unavailable(f"{self.acting_as} is not in {self.url} any more: join again")

    async def __aexit__(self, *_: object) -> None:
        if self._link is not None:
            await self._link.__aexit__(None, None, None)

    async def ask(self, request: Asked) -> Ok:
        """Send a request and wait for its answer; raises Unavailable or Refused."""
        assert self._link is not None
        assert self.welcome is not None
        votes = self.welcome.mode == "vote" and not isinstance(request, Ballot)
        answer_s = ANSWER_S + (VOTE_S if votes else 0)
        await self._link.send(request)
        try:
            async with asyncio.timeout(answer_s):
                async for message in self._link.incoming():
                    match message:
                        case Error():
                            raise Refused(message.code, message.message, message.field)
                        case Ok():
                            return message
                        case Invitation():
                            self.invitation = message.text
                        case Vote():
                            log.info("the room votes: %s", vote_in_words(message))
        except (TimeoutError, Disconnected):
            pass
        raise Unavailable(f"{self.url} did not answer within {answer_s:g} s")

    async def send(self, message: Message) -> None:
        """Send what is not answered by `ok`."""
        assert self._link is not None
        await self._link.send(message)

    async def heard(self) -> AsyncIterator[ServerMessage]:
        """What the room says, until the connection ends: then it raises Unavailable."""
        assert self._link is not None
        try:
            async for message in self._link.incoming():
                yield message
        except Disconnected as error:
            raise Unavailable(str(error)) from None
        raise Unavailable(f"the connection with {self.url} ended")

    async def told(self, kind: type[Told], capability: str, what: str) -> Told:
        """What comes behind the welcome; Unavailable from a server that is older than `what`."""
        self.needs(capability, what)
        async for message in self.heard():
            if isinstance(message, kind):
                return message
        raise AssertionError("it ends by an error")

    def needs(self, capability: str, what: str) -> None:
        """Raises Unavailable for a server that is older than that."""
        if self.welcome is not None and capability not in self.welcome.capabilities:
            raise Unavailable(f"the server of {self.url} is older than {what}: update it")

    def _hello(self, token: str) -> Hello:
        url = self.url
        password, invitation = (None, "") if token else (url.password, url.invitation)
        return messages.hello("remote", "remote", token, self._capabilities, password, invitation)

    def _tokens(self) -> list[str]:
        """Tokens to try, in order; an empty one is a remote that acts for nobody."""
        known = tokens.load(self.url)
        if self.acting_as is None:
            return [token for _, token in known[: MAX_TRIES - 1]] + [""]
        mine = [token for name, token in known if name == self.acting_as]
        if not mine:
            text = f"nobody named {self.acting_as!r} joined {self.url} from this account"
            raise InvalidValue("as", f"{text}: run it where you joined")
        return mine


async def send_command(url: RoomUrl, command: Asked, acting_as: str | None = None) -> Ok:
    """Send a command, for the member `acting_as` or the one who joined last from this account.

    Raises Unavailable, Refused, InvalidValue or InvalidMessage.
    """
    messages.decode_client(messages.encode(command))  # what the server would refuse
    async with Remote(url, acting_as) as remote:
        return await remote.ask(command)


async def invitation(url: RoomUrl, invite: Asked, acting_as: str | None = None) -> str:
    """What a host is given who invites; raises as `send_command`."""
    messages.decode_client(messages.encode(invite))
    async with Remote(url, acting_as) as remote:
        await remote.ask(invite)
        return remote.invitation


async def room_access(url: RoomUrl, acting_as: str | None = None) -> tuple[Access, AtTheDoor]:
    """Who is what in a room; who waits, if we act for a host. Raises Unavailable, Refused."""
    async with Remote(url, acting_as, ("access",)) as remote:
        assert remote.welcome is not None
        if "access" not in remote.welcome.capabilities:
            raise Unavailable(f"the server of {url} is older than roles: update it")
        access: Access | None = None
        async for message in remote.heard():
            if isinstance(message, Access):
                access = message
                roles = {member.name: member.role for member in access.members}
                if roles.get(remote.welcome.acts_for or "") != "host":
                    return access, AtTheDoor([], [])
            elif isinstance(message, AtTheDoor) and access is not None:
                return access, message
    raise Unavailable(f"{url} did not answer")


async def cast_ballot(url: RoomUrl, yes: bool, acting_as: str | None = None) -> None:
    """Answer the running vote; raises Unavailable, Refused or InvalidValue."""
    async with Remote(url, acting_as) as remote:
        assert remote.welcome is not None
        vote = remote.welcome.vote
        if vote is None:
            raise Refused("no_such_vote", f"room {url.room!r} does not vote on anything now")
        await remote.ask(Ballot(id=1, vote=vote.vote, yes=yes))


async def room_status(url: RoomUrl) -> dict[str, Any]:
    """The room as the server describes it; raises Unavailable or Refused."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    where = f"{url.host}:{url.port}"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(url.http(f"api/rooms/{url.room}"), headers=_as_member(url)) as answer,
        ):
            body: dict[str, Any] = await answer.json()
            if "private" in body:
                text = f"room {url.room!r} shows itself to its members only: run this where you"
                raise Refused("not_member", f"{text} joined it")
            if answer.status == 404:
                raise Refused("no_such_room", str(body.get("error", "there is no such room")))
            return body
    except TimeoutError:
        raise Unavailable(f"{where} does not answer within {ANSWER_S:g} s") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise Unavailable(f"no midiPool server at {where} ({error})") from None


def _as_member(url: RoomUrl) -> dict[str, str]:
    """So that a room which is not for all shows itself to who is in it."""
    for _, token in tokens.load(url):
        return {"Authorization": f"Bearer {token}"}
    return {}


async def room_statistics(url: RoomUrl, kind: str, cell_s: int) -> bytes:
    """How its members heard one another, as JSON or CSV; raises Unavailable or Refused."""
    timeout = aiohttp.ClientTimeout(total=STATISTICS_S)
    where = f"{url.host}:{url.port}"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(
                url.http(f"api/rooms/{url.room}/stats"),
                params={"format": kind, "cell_s": str(cell_s)},
                headers=_as_member(url),
            ) as answer,
        ):
            body = await answer.read()
            if answer.status == 200:
                return body
            said = msgspec.json.decode(body, type=dict[str, str]).get("error", "it cannot be had")
    except TimeoutError:
        raise Unavailable(f"{where} does not answer within {STATISTICS_S:g} s") from None
    except (aiohttp.ClientError, msgspec.MsgspecError) as error:
        text = f"no midiPool server that keeps statistics at {where} ({error})"
        raise Unavailable(text) from None
    if answer.status == 404:
        raise Refused("no_such_room", said)
    raise Unavailable(f"{where}: {said}")


def status_in_words(room: dict[str, Any]) -> str:
    """A room's description for people."""
    where = room["position"]
    mode = RoomMode(room["mode"], room.get("leader"), room.get("locked_by"))
    loop = f", loop {room['loop'][0]} to {room['loop'][1]}" if room["loop"] else ""
    lines = [
        f"{room['name']}: {'playing' if room['playing'] else 'stopped'} at {where['bar']}."
        f"{where['beat']}, {room['bpm']:g} BPM, {room['meter']}{loop}",
        f"  mode: {mode_in_words(mode)}",
    ]
    if room["vote"] is not None:
        lines.append(f"  {_vote_in_words(room['vote'], room['room_time_us'])}")
    lines += [_member_in_words(member) for member in room["members"]]
    hears = msgspec.convert(room.get("hears", {}), dict[str, list[Hearing]])
    lines += [f"  {line}" for line in hearings_in_words(hears)]
    dropped = msgspec.convert(room.get("dropped", {}), dict[str, Dropped])
    lines += [f"  {line}" for line in dropped_in_words(dropped)]
    lines += [f"  {_module_in_words(module)}" for module in room.get("modules", [])]
    lines += [f"  {line}" for line in _relay_in_words(room.get("relay", {}))]
    return "\n".join(lines)


def _module_in_words(module: dict[str, Any]) -> str:
    """A module that the server runs."""
    again = f", started again {module['restarts']} times" if module["restarts"] else ""
    why = f": {module['why']}" if module["why"] else ""
    return f"module {module['name']}: {module['state']}{again}{why}"


def _relay_in_words(relay: dict[str, dict[str, int]]) -> list[str]:
    """What the server's relay did not pass on of whom."""
    found = []
    for name, counts in relay.items():
        counted = [(words, counts.get(field, 0)) for field, words in RELAY_DROPS.items()]
        if drops := ", ".join(f"{count:,} {words}" for words, count in counted if count):
            found.append(f"the relay dropped of {name}: {drops}")
    return found


def _vote_in_words(vote: dict[str, Any], room_time_us: int) -> str:
    left_s = max(vote["ends_us"] - room_time_us, 0) / 1e6
    fields = {key: value for key, value in vote.items() if key != "type"}
    return f"vote {vote['vote']}: {vote_in_words(Vote(**fields))}, {left_s:.1f} s left"


def _member_in_words(member: dict[str, Any]) -> str:
    status = member["status"]
    if not member["connected"]:
        return f"  {member['name']}: away"
    if status is None:
        return f"  {member['name']}: just joined"
    peers = status.get("link_peers")
    link = "" if peers is None else f", {peers} Link peer{'s'[peers == 1 :]}"
    return (
        f"  {member['name']}: clock ±{status['error_bound_us'] / 1000:.3f} ms, round trip "
        f"{status['round_trip_us'] / 1000:.2f} ms, drift {status['drift_ppm']:+.1f} ppm{link}"
    )
