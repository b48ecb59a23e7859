"""Who is on this LAN, as a page shows it. Pure."""

from collections.abc import Sequence

from midipool.lan.finds import Found
from midipool_client.page.state import NearbyPart, NearbyServer

MOST_SHOWN = 32


def nearby_part(found: Sequence[Found], problem: str) -> NearbyPart:
    """As many as one looks through."""
    servers = [one for one in found if one.said.kind == "server"]
    players = [one.said.name for one in found if one.said.kind == "player"]
    return NearbyPart(
        servers=[_server(one) for one in servers[:MOST_SHOWN]],
        players=players[:MOST_SHOWN],
        problem=problem,
    )


def _server(found: Found) -> NearbyServer:
    said = found.said
    first = [said.room] if said.room is not None else []
    rooms = [*first, *(room for room in said.rooms or [] if room not in first)]
    return NearbyServer(
        name=said.name,
        server=found.server,
        rooms=rooms,
        more_rooms=said.more_rooms,
        problem=found.problem,
    )
