"""What happens in a room, in words for people."""

from midipool.messages import RoomMode, Vote


def mode_in_words(mode: RoomMode) -> str:
    """Who may change the room."""
    match mode.mode:
        case "leader":
            return f"leader, {mode.leader} leads"
        case "locked":
            return f"locked by {mode.locked_by}"
        case _:
            return mode.mode


def vote_in_words(vote: Vote) -> str:
    """What is voted on, and how it stands."""
    yes, no = (f" ({', '.join(names)})" if names else "" for names in (vote.yes, vote.no))
    return (
        f"{vote.proposer} wants {vote.text!r}: {len(vote.yes)} yes{yes}, {len(vote.no)} no{no}, "
        f"{vote.needed} needed"
    )
