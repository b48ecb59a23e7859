"""A room's key for audio, and its members' sender ids. Pure: randomness comes in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from midipool.messages import MediaKey, MediaSeat
from midipool_server.feature import Feature
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member, Places

KEY_IDS = 1 << 16


@dataclass(slots=True)
class RoomMedia:
    """The key changes when somebody leaves for good.

    A sender id belongs to one `hello` and is never given again: a client that was started anew does
    not know up to where it counted, and no nonce may come twice under one key.
    """

    port: int
    """UDP port of the relay."""
    key_id: int
    """Random at first, so that keys of a server that was restarted are told apart."""
    new_key: Callable[[], bytes]
    senders: Iterator[int]
    """Shared by all rooms of a server."""
    stun_port: int | None = None
    """UDP port at which STUN alone is answered."""
    key: bytes = field(init=False, repr=False)
    version: int = 0
    """Rises with every new key and every sender."""

    def __post_init__(self) -> None:
        self.key = self.new_key()

    def admit(self) -> int:
        """A sender id for a member."""
        self.version += 1
        return next(self.senders)

    def renew(self) -> None:
        """Somebody has left: what is said from now on, it cannot open."""
        self.version += 1
        self.key_id = (self.key_id + 1) % KEY_IDS
        self.key = self.new_key()

    def seat(self, sender: int) -> MediaSeat:
        """What a member is told in its `welcome`."""
        return MediaSeat(
            port=self.port,
            key_id=self.key_id,
            key=self.key.hex(),
            sender=sender,
            stun_port=self.stun_port,
        )

    def message(self) -> MediaKey:
        """What members hear of a new key."""
        return MediaKey(key_id=self.key_id, key=self.key.hex())


class KeyChanges(Feature):
    """Members, and no remotes, hear of another key when somebody has left for good."""

    def __init__(self, places: Places, media: RoomMedia | None) -> None:
        self._places = places
        self._media = media

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Who has left cannot open what is said from now on."""
        if self._media is None:
            return []
        self._media.renew()
        key = self._media.message()
        return [Outgoing(key, m.id) for m in self._places.members() if m.connected]
