"""Serves the page, on loopback only."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from midipool.audio.statistics_text import TYPES as TYPES_OF
from midipool.audio.statistics_text import asked
from midipool.errors import InvalidMessage, InvalidValue, Unavailable
from midipool.web import HEADERS, TYPES, files_with
from midipool_client.page import room_files
from midipool_client.page.connection import PageConnection
from midipool_client.page.downloads import download
from midipool_client.page.gate import Gate, is_own_host, is_own_origin
from midipool_client.page.host import PageHost
from midipool_client.page.messages import MAX_PAGE_BYTES, Done, Refused, decode

STATIC = Path(__file__).resolve().parent / "static"
HEARTBEAT_S = 10.0
SAY_WHERE = (
    "This page opens with the address that midipool-client printed last; each works once. "
    "Programs get in with the header in the file that `midipool-client ctl api` names."
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """An async context manager; `opened` is told each time that an address was used."""

    def __init__(self, host: PageHost, port: int, opened: Callable[[], None]) -> None:
        self.port = port
        self._host = host
        self._opened = opened
        self._gate = Gate(lambda: secrets.token_urlsafe(24))
        self._files = files_with(STATIC)
        # All at once: to find one in the other takes a round of requests for each.
        self._modules = "".join(
            f'<link rel="modulepreload" href="/static/{name}">'
            for name in sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))
            if "uplot" not in name
        )
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1.0)

    @property
    def origin(self) -> str:
        """Where programs find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret(self) -> str:
        """With which programs get in, as long as the client runs."""
        return self._gate.secret

    @property
    def address(self) -> str:
        """Where the page opens, once."""
        return f"{self.origin}/?token={self._gate.token}"

    def app(self) -> web.Application:
        """The page's web application."""
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_PAGE_BYTES)
        app.on_shutdown.append(self._close_all)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/socket", self._socket),
                web.get("/state", self._state),
                web.get("/stats", self._stats),
                web.post("/commands", self._command),
                web.get("/static/{file:.+}", self._file),
                web.get("/room.yaml", self._save_room),
                web.post("/room.yaml", self._load_room),
                web.get("/takes/{take}", self._take),
                web.get("/takes/{take}/{file}", self._take),
            ]
        )
        return app

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, "127.0.0.1", self.port)
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            text = f"the page cannot have port {self.port} ({error.strerror})"
            raise Unavailable(f"{text}: choose another --page-port, or --no-page") from None
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    # ---- who comes ----

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host")
        if not is_own_host(host, self.port):
            answer: web.StreamResponse = _refusal(f"not a name of this page: {host!r}")
        elif not is_own_origin(request.headers.get("Origin"), host):
            answer = _refusal("another site's page may not come here")
        else:
            try:
                answer = await handler(request)
            except web.HTTPException as error:
                answer = web.Response(text=error.reason, status=error.status)
                if isinstance(error, web.HTTPMethodNotAllowed):
                    answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    @property
    def _cookie(self) -> str:
        """Cookies know no ports, so several clients need several names."""
        return f"midipool_page_{self.port}"

    def _knows(self, request: web.Request) -> bool:
        return self._gate.knows(request.cookies.get(self._cookie)) or self._gate.trusts(
            request.headers.get("Authorization")
        )

    # ---- what they get ----

    async def _page(self, request: web.Request) -> web.StreamResponse:
        session = None
        if not self._knows(request):
            session = self._gate.enter(request.query.get("token", ""))
            if session is None:
                return _refusal(SAY_WHERE)
        answer = self._sent("index.html")
        answer.text = (answer.text or "").replace("<!-- modules -->", self._modules)
        if session is not None:
            answer.set_cookie(self._cookie, session, httponly=True, samesite="Strict", path="/")
            self._opened()
        return answer

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._sent(request.match_info["file"])

    def _sent(self, name: str) -> web.Response:
        """One of our files, of which the list is fixed: no path is made of a name."""
        path = self._files.get(name)
        if path is None:
            raise web.HTTPNotFound
        return web.Response(
            body=path.read_bytes(), content_type=TYPES[path.suffix], charset="utf-8"
        )

    async def _state(self, request: web.Request) -> web.StreamResponse:
        if not self._knows(request):
            return _refusal(SAY_WHERE)
        body = msgspec.json.encode(await self._host.fresh())
        return web.Response(body=body, content_type="application/json")

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        """How the others were heard over the session, as JSON or CSV."""
        if not self._knows(request):
            return _refusal(SAY_WHERE)
        history = self._host.history
        try:
            wanted = asked(request.query, history.book)
        except InvalidValue as error:
            return _answer(Refused(str(error), field=error.field), 400)
        body = b"".join(history.text(wanted, time.time()))
        return web.Response(body=body, content_type=TYPES_OF[wanted.kind], charset="utf-8")

    async def _command(self, request: web.Request) -> web.StreamResponse:
        """One request of the page's API, as a WebSocket would bring it."""
        if not self._knows(request):
            return _refusal(SAY_WHERE)
        if request.content_type != "application/json":
            text = "send a message of the page's API as application/json"
            return _answer(Refused(text), 415)
        try:
            asked = decode((await request.read()).decode())
        except InvalidMessage as error:
            return _answer(Refused(error.text, error.id, error.field), 400)
        except UnicodeDecodeError:
            return _answer(Refused("the message is not UTF-8"), 400)
        except web.HTTPRequestEntityTooLarge:
            return _answer(Refused(f"longer than {MAX_PAGE_BYTES} bytes"), 413)
        answer = await self._host.ask(asked)
        return _answer(answer, 200 if isinstance(answer, Done) else 409)

    async def _save_room(self, request: web.Request) -> web.StreamResponse:
        """The room as a file."""
        if not self._knows(request):
            return _refusal(SAY_WHERE)
        return await room_files.saved(self._host, HEADERS)

    async def _load_room(self, request: web.Request) -> web.StreamResponse:
        """The room becomes what a file says."""
        if not self._knows(request):
            return _refusal(SAY_WHERE)
        return await room_files.loaded(self._host, request)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        """A recording as a ZIP, or one of its files."""
        if not self._knows(request):
            return _refusal(SAY_WHERE)
        return await download(request, self._host.takes.library, HEADERS)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self._knows(request):
            return _refusal(SAY_WHERE)
        # To press what goes nowhere but to this machine would cost more than to send it.
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=MAX_PAGE_BYTES, compress=False
        )
        if not socket.can_prepare(request):
            return web.Response(text="this is a WebSocket", status=426)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await PageConnection(socket, self._host).run()
        finally:
            self._sockets.discard(socket)
        return socket

    async def _close_all(self, _: web.Application) -> None:
        closing = [
            socket.close(code=1001, message=b"midipool-client ends") for socket in self._sockets
        ]
        await asyncio.gather(*closing, return_exceptions=True)


def _answer(message: Done | Refused, status: int) -> web.Response:
    body = msgspec.json.encode(message)
    return web.Response(body=body, status=status, content_type="application/json")


def _refusal(text: str) -> web.Response:
    return web.Response(text=text, status=403)
