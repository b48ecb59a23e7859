"""What a member knows of its room's access: what it may do, and for hosts who waits. Pure."""

from dataclasses import dataclass

from midipool.messages import Access, AtTheDoor, Invitation, MemberAccess, Role

NOTHING = Access([], "open", False)
NOBODY = AtTheDoor([], [])


@dataclass(slots=True)
class KnownAccess:
    """The newest of each that the server told."""

    access: Access = NOTHING
    at_the_door: AtTheDoor = NOBODY
    invitation: str = ""
    """The last one that we asked for."""

    def told(self, message: Access | AtTheDoor | Invitation) -> None:
        """The server says something."""
        match message:
            case Access():
                self.access = message
            case AtTheDoor():
                self.at_the_door = message
            case Invitation(text=text):
                self.invitation = text

    def taken_back(self, invitation: str) -> None:
        """Nobody comes in by it any more, so it is shown no longer."""
        if invitation == self.invitation:
            self.invitation = ""

    def of(self, name: str) -> MemberAccess:
        """What a member may do; where a room knows no roles, all are players."""
        known = (member for member in self.access.members if member.name == name)
        return next(known, MemberAccess(name))

    def role(self, name: str) -> Role:
        """What a member is."""
        return self.of(name).role

    def is_silent(self, name: str) -> bool:
        """Whether nobody hears what a member plays."""
        member = self.of(name)
        return member.muted or member.role == "listener"

    def silent(self) -> frozenset[str]:
        """All whom nobody hears."""
        return frozenset(m.name for m in self.access.members if self.is_silent(m.name))
