"""What a member knows of its room's votes. Pure."""

from dataclasses import dataclass

from midipool.messages import Vote, VoteResult, Welcome


@dataclass(slots=True)
class RoomVotes:
    """The running vote, and how the last one came out."""

    running: Vote | None = None
    result: str = ""
    """For people; empty before the first."""

    def welcomed(self, welcome: Welcome) -> None:
        """The server let us in."""
        self.running = welcome.vote

    def over(self, result: VoteResult) -> None:
        """A vote is over."""
        what = f"{self.running.text!r} " if self.running is not None else ""
        self.running = None
        self.result = f"the vote on {what}" if what else "the vote "
        self.result += f"{'passed' if result.passed else 'failed'}: {result.reason}"
