"""The page's HTTP as OpenAPI 3.1; what is said over it comes from the messages' structs."""

from typing import Any

import msgspec

from midipool_client.page import messages, state
from midipool_client.page.room_files import YAML, Loaded

JSON = "application/json"
INTRO = (
    "What the page of a midipool-client does, for programs of the same user on the same machine. "
    "`midipool-client ctl api` says where it is, and which file holds the header that lets a "
    "program in. A request by another host's name, or of another site's page, is refused."
)
SOCKET = (
    "The client says `snapshot`, then a `delta` for each change, as text; a frame of meters, as "
    "bytes, 25 times a second. A page says requests, which are answered by their `id`: the "
    "schemas ToPage and FromPage. The layout of a frame is in docs/page.md."
)


def openapi(version: str) -> dict[str, Any]:
    """The whole document."""
    answers = [messages.Done, messages.Refused, state.State, Loaded]
    types = [messages.FromPage, messages.ToPage, *answers]
    roots, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    components = {"FromPage": roots[0], "ToPage": roots[1], **components}
    parts = {"schemas": components, "securitySchemes": _security(), "responses": _refusals()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "midiPool's page", "version": version, "description": INTRO},
        "servers": [
            {
                "url": "http://127.0.0.1:{port}",
                "variables": {
                    "port": {
                        "default": "8080",
                        "description": "`--page-port`, else any that is free",
                    }
                },
            }
        ],
        "security": [{"header": []}, {"cookie": []}],
        "paths": _paths(),
        "components": parts,
    }


def _paths() -> dict[str, Any]:
    return {
        "/": {
            "get": _operation(
                "The page. A token lets one browser in, once; its cookie does from then on.",
                {"200": _content("The page, and a cookie.", "text/html")},
                security=[{"token": []}, {"header": []}, {"cookie": []}],
            )
        },
        "/static/{file}": {
            "get": _operation(
                "The page's scripts and styles.",
                {
                    "200": {"description": "The file."},
                    "404": _content("There is none of that name.", "text/plain"),
                },
                parameters=[_in_path("file", "A name, with slashes.")],
                security=[{}],
            )
        },
        "/state": {
            "get": _operation(
                "All of the state, once.", {"200": _content("The state.", JSON, _ref("State"))}
            )
        },
        "/stats": {
            "get": _operation(
                "How the others were heard over the session: by `format` json or csv, with cells "
                "of 1, 60 or 3600 s (`cell_s`).",
                {
                    "200": _statistics(),
                    "400": _content("There is no such format or cell.", JSON, _ref("Refused")),
                },
            )
        },
        "/commands": {"post": _commands()},
        "/room.yaml": {"get": _save_room(), "post": _load_room()},
        "/takes/{take}": {
            "get": _operation(
                "All of a recording.",
                {"200": _bytes("A ZIP, as it is read.", "application/zip"), **_no_take()},
                parameters=[_in_path("take", "A recording's name, and `.zip`.")],
            )
        },
        "/takes/{take}/{file}": {
            "get": _operation(
                "A file of a recording.",
                {
                    "200": _bytes("FLAC, WAV, MIDI or JSON, by its name.", "*/*"),
                    "206": _bytes("The range that was asked for.", "*/*"),
                    **_no_take(),
                },
                parameters=[
                    _in_path("take", "A recording's name."),
                    _in_path("file", "One that its manifest names."),
                ],
            )
        },
        "/socket": {
            "get": _operation(
                SOCKET,
                {
                    "101": {"description": "A WebSocket."},
                    "426": _content("The request is none for a WebSocket.", "text/plain"),
                },
            )
        },
    }


def _save_room() -> dict[str, Any]:
    return _operation(
        "The room as a file (docs/saving.md).",
        {
            "200": _content("The file.", YAML),
            "409": _content("It cannot be had.", JSON, _ref("Refused")),
        },
    )


def _load_room() -> dict[str, Any]:
    refused = {
        "400": "The file breaks a rule: line, column, and which.",
        "409": "The room does not become that.",
        "415": "It is not said to be YAML.",
    }
    answers = {status: _content(text, JSON, _ref("Refused")) for status, text in refused.items()}
    body = {"required": True, "content": {YAML: {"schema": {"type": "string"}}}}
    return _operation(
        "Make the room what a file says: all of it, or nothing.",
        {"200": _content("It is.", JSON, _ref("Loaded")), **answers},
        requestBody=body,
    )


def _no_take() -> dict[str, Any]:
    return {
        "404": _content("There is no such recording, or it has no such file.", "text/plain"),
        "409": _content("It is being recorded.", "text/plain"),
    }


def _bytes(text: str, kind: str) -> dict[str, Any]:
    return _content(text, kind, {"type": "string", "format": "binary"})


def _statistics() -> dict[str, Any]:
    cells = {"type": "object", "required": ["now_s", "cell_s", "left_out", "pairs"]}
    text = {"schema": {"type": "string"}}
    return {"description": "As asked for.", "content": {JSON: {"schema": cells}, "text/csv": text}}


def _commands() -> dict[str, Any]:
    refused = {
        "400": "That is no request.",
        "409": "It is not done.",
        "413": f"It is longer than {messages.MAX_PAGE_BYTES} bytes.",
        "415": "It is not said to be JSON.",
    }
    answers = {status: _content(text, JSON, _ref("Refused")) for status, text in refused.items()}
    body = {"required": True, "content": {JSON: {"schema": _ref("FromPage")}}}
    return _operation(
        "Do one thing, as a page would ask for it.",
        {
            "200": _content("It is done, or agreed upon for later.", JSON, _ref("Done")),
            **answers,
        },
        requestBody=body,
    )


def _operation(summary: str, responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    refusal = {"403": {"$ref": "#/components/responses/NotLetIn"}}
    return {"summary": summary, **more, "responses": {**responses, **refusal}}


def _content(text: str, kind: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": text, "content": {kind: {"schema": schema or {"type": "string"}}}}


def _in_path(name: str, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": text,
        "schema": {"type": "string"},
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _security() -> dict[str, Any]:
    return {
        "header": {
            "type": "http",
            "scheme": "bearer",
            "description": "From the file that `midipool-client ctl api` names.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "midipool_page_PORT",
            "description": "From the page; PORT is the server's.",
        },
        "token": {
            "type": "apiKey",
            "in": "query",
            "name": "token",
            "description": "In the address that the client prints; each works once.",
        },
    }


def _refusals() -> dict[str, Any]:
    text = "Neither header nor cookie is known, or host or origin is another's."
    return {"NotLetIn": _content(text, "text/plain")}
