"""What the server answers over HTTP, as OpenAPI 3.1; the structs say what is in it."""

from typing import Any, get_args

import msgspec

from midipool import messages
from midipool.audio.statistics_book import PairStatistics
from midipool.meter import Loop, Meter
from midipool.timeline import Timeline

JSON, TEXT, HTML, EVENTS = "application/json", "text/plain", "text/html", "text/event-stream"
CSV = "text/csv"
INTRO = (
    "Rooms are joined by WebSocket: docs/protocol.md. This is what a browser, a load balancer, "
    "Prometheus and shells ask for besides. Nothing here changes anything but who hears whom, "
    "and which modules the server runs."
)
STRUCTS = [
    *(messages.MemberInfo, messages.Hearing, messages.Vote, messages.BarPosition),
    *(Timeline, Meter, Loop, PairStatistics),
    *(messages.GraphNode, messages.Group, messages.LinkRule),
    *get_args(messages.GraphEdit),
    *(messages.RoomModule, messages.ModuleProgram),
    *get_args(messages.ModuleCommand),
]


def openapi(version: str) -> dict[str, Any]:
    """The whole document."""
    _, components = msgspec.json.schema_components(
        STRUCTS, ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "midipool-server", "version": version, "description": INTRO},
        "servers": [{"url": "http://127.0.0.1:8765"}],
        "paths": _paths(),
        "components": {"schemas": {**components, **_schemas()}},
    }


def _paths() -> dict[str, Any]:
    not_listed = _content("The host does not allow it (--list-rooms).", JSON, _ref("Problem"))
    no_room = _content("No room of this name has a member.", JSON, _ref("Problem"))
    problem = _ref("Problem")
    no_page = _content("This cannot be the name of a room.", TEXT)
    crowded = _content("Too many look now.", TEXT)
    return {
        "/": _get("The page that asks for a room's name, or lists rooms.", _ok(HTML)),
        "/rooms/{room}": _get("A room's page.", {**_ok(HTML), "404": no_page}, "room"),
        "/static/{file}": _get(
            "The pages' scripts and styles.",
            {**_ok("*/*"), "404": _content("There is none of that name.", TEXT)},
            "file",
        ),
        "/api/rooms": _get("All rooms.", {**_ok(JSON, _ref("Rooms")), "403": not_listed}),
        "/api/rooms/{room}": _get("One room.", {**_ok(JSON, _ref("Room")), "404": no_room}, "room"),
        "/api/rooms/{room}/stats": _get(
            "How a room's members heard one another over time. `format` is json or csv; `cell_s` "
            "is the length of its cells: 10, 60 or 3600.",
            {
                "200": {
                    "description": "As asked for.",
                    "content": {
                        JSON: {"schema": _ref("RoomStatistics")},
                        CSV: {"schema": {"type": "string"}},
                    },
                },
                "400": _content("There are no such cells, or no such format.", JSON, problem),
                "403": _content("The room shows itself to its members alone.", JSON, problem),
                "404": no_room,
                "503": _content("Too many ask now.", JSON, problem),
            },
            "room",
        ),
        "/api/events": _get(
            "What the page of rooms shows, each time that it is another: server-sent events.",
            {**_ok(EVENTS), "503": crowded},
        ),
        "/api/rooms/{room}/events": _get(
            "The same of a room's page.", {**_ok(EVENTS), "503": crowded}, "room"
        ),
        "/api/rooms/{room}/graph": _edited(
            "Who hears whom: docs/routing.md.", "Graph", messages.GraphEdit, no_room
        ),
        "/api/rooms/{room}/modules": _edited(
            "Programs that the server runs there, and could: docs/modules.md.",
            "ModulesThere",
            messages.ModuleCommand,
            no_room,
        ),
        "/healthz": _get("Whether the process answers.", _ok(JSON, _ref("Health"))),
        "/readyz": _get(
            "Whether the server takes members.",
            {
                **_ok(JSON, _ref("Ready")),
                "503": _content("It does not, or not yet.", JSON, _ref("NotReady")),
            },
        ),
        "/metrics": _get("For Prometheus, in its text format.", _ok(TEXT)),
        "/{room}": _get(
            "A room's WebSocket: docs/protocol.md.",
            {
                "101": {"description": "It is one."},
                "303": {"description": "A browser is led to the room's page."},
                "426": _content("The request is none for a WebSocket.", JSON, _ref("Problem")),
            },
            "room",
        ),
    }


def _edited(summary: str, name: str, of: Any, no_room: dict[str, Any]) -> dict[str, Any]:
    private = _content("The room is for its members alone.", JSON, _ref("Problem"))
    shown = {**_ok(JSON, _ref(name)), "403": private, "404": no_room}
    path = _get(summary, shown, "room")
    edits = [_ref(struct.__name__) for struct in get_args(of)]
    token = {"name": "Authorization", "in": "header", "schema": {"type": "string"}}
    wrong = {
        "403": "The room is for its members alone, or this is for its hosts.",
        "400": "The body is none of these messages, or cannot be so.",
        "404": "No room, or nothing in it, of this name.",
        "409": "It is refused: a circle, a link that is there already, a room that is locked, ...",
        "415": "The body is not application/json.",
        "429": "Too many changes in a moment.",
    }
    refused = {code: _content(text, JSON, _ref("Problem")) for code, text in wrong.items()}
    path["post"] = {
        "summary": "Change it, with a member's token (Bearer) as that member.",
        "parameters": [*path["get"]["parameters"], token],
        "requestBody": {"required": True, "content": {JSON: {"schema": {"anyOf": edits}}}},
        "responses": {**_ok(JSON, _ref(name)), **refused},
    }
    return path


def _schemas() -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0}
    port = {"type": "integer", "minimum": 0, "maximum": 65535}
    ports = {"type": "array", "items": port}
    text = {"type": "string"}
    number = {"type": "number"}
    room = {
        "name": text,
        "members": {"type": "array", "items": _ref("MemberInfo")},
        "hears": _map({"type": "array", "items": _ref("Hearing")}),
        "mode": text,
        "timelines": {"type": "array", "items": _ref("Timeline")},
        "meter": text,
        "bpm": number,
        "playing": {"type": "boolean"},
        "revision": count,
        "epoch": count,
        "room_time_us": {"type": "integer"},
        "clock_id": text,
        "lead_us": count,
    }
    more = {
        "leader": {"type": ["string", "null"]},
        "locked_by": {"type": ["string", "null"]},
        "vote": {"anyOf": [_ref("Vote"), {"type": "null"}]},
        "song": {"type": ["string", "null"]},
        "position": _ref("BarPosition"),
        "loop": {"anyOf": [_ref("Loop"), {"type": "null"}]},
        "changes": {
            "type": "array",
            "items": _object({"by": {"type": ["string", "null"]}, "text": text, "at_us": number}),
        },
        "dropped": _map({"type": "object"}),
        "join": {"type": ["string", "null"], "description": "The address to join it with."},
        "modules": {
            "type": "array",
            "description": "The modules that the server runs there, if any.",
            "items": _ref("RoomModule"),
        },
        "relay": _map(_map({"type": ["integer", "boolean"]})),
    }
    graph = {
        "revision": count,
        "nodes": {"type": "array", "items": _ref("GraphNode")},
        "groups": {"type": "array", "items": _ref("Group")},
        "rules": {"type": "array", "items": _ref("LinkRule")},
    }
    link = {"source": text, "target": text, "medium": text, "gain_db": number}
    links = {**link, "channels": {"type": "array"}, "kinds": {"type": "array"}}
    links |= {"high_pass_hz": number, "low_pass_hz": number}
    more["graph"] = _object(graph)
    health = {"status": text, "rooms": count, "members": count}
    health |= {"clock_port": port, "clock_id": text, "stun_ports": ports}
    return {
        "Room": {**_object(room), "properties": {**room, **more}},
        "RoomStatistics": _object(
            {
                **{"now_s": number, "cell_s": number, "left_out": count},
                "pairs": {"type": "array", "items": _ref("PairStatistics")},
            }
        ),
        "Rooms": _object({"rooms": {"type": "array", "items": _ref("Room")}}),
        "Graph": _object({**graph, "links": {"type": "array", "items": _object(links)}}),
        "ModulesThere": _object(
            {
                "programs": {"type": "array", "items": _ref("ModuleProgram")},
                "modules": {"type": "array", "items": _ref("RoomModule")},
            }
        ),
        "Problem": _object({"error": text}),
        "Health": _object(health),
        "Ready": _object({"status": {"const": "ready"}}),
        "NotReady": _object(
            {"status": {"const": "not ready"}, "lacks": {"type": "array", "items": text}}
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _map(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


def _get(summary: str, responses: dict[str, Any], part: str = "") -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": responses}
    if part:
        schema = {"type": "string", "minLength": 1}
        operation["parameters"] = [{"name": part, "in": "path", "required": True, "schema": schema}]
    return {"get": operation}


def _ok(kind: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"200": _content("As asked for.", kind, schema)}


def _content(text: str, kind: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": text, "content": {kind: {"schema": schema or {"type": "string"}}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
