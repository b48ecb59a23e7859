"""What a device answers that has no ports which somebody could connect: all is heard in the mix."""


class Portless:
    """The base of such devices."""

    def note(self) -> str:
        """Nothing to say to people."""
        return ""

    def add_ports(self, slot: int, name: str) -> None:
        """Nothing."""

    def remove_ports(self, slot: int) -> None:
        """Nothing."""

    def connections(self) -> list[tuple[str, str]]:
        """None."""
        return []

    def connect(self, own: str, other: str) -> bool:
        """There is nothing to connect."""
        return False
