"""GET /healthz, /readyz and /metrics: at the rooms' port, or at one of their own."""

import msgspec
from aiohttp import web

from midipool_server.host import RoomHost
from midipool_server.operations.exposition import CONTENT_TYPE, Exposition
from midipool_server.operations.readiness import Readiness

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class OperationsRoutes:
    """What is answered there. Without an exposition there are no metrics."""

    def __init__(
        self, host: RoomHost, readiness: Readiness, exposition: Exposition | None = None
    ) -> None:
        self._host, self._readiness, self._exposition = host, readiness, exposition

    def routes(self, with_metrics: bool = True) -> list[web.RouteDef]:
        """Where they are."""
        found = [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)]
        if with_metrics and self._exposition is not None:
            found.append(web.get("/metrics", self._metrics))
        return found

    async def _healthz(self, request: web.Request) -> web.Response:
        """The process answers, whatever it is ready for."""
        lobby, members = self._host.lobby, self._host.members_connected()
        clock = {"clock_port": lobby.clock_port, "clock_id": lobby.clock_id}
        counts = {"rooms": len(lobby.rooms), "members": members}
        return _json({"status": "ok", **counts, **clock, "stun_ports": lobby.stun_ports})

    async def _readyz(self, request: web.Request) -> web.Response:
        lacks = await self._readiness.lacks()
        if lacks:
            return _json({"status": "not ready", "lacks": lacks}, 503)
        return _json({"status": "ready"})

    async def _metrics(self, request: web.Request) -> web.Response:
        assert self._exposition is not None
        answer = web.Response(body=self._exposition.text(), headers=HEADERS)
        answer.headers["Content-Type"] = CONTENT_TYPE
        return answer


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers=HEADERS,
    )
