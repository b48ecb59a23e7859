"""A room behind the proxies of deploy/: WebSockets, events and addresses are right from outside."""

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from midipool_demo.background import Background
from midipool_demo.stage import free_port
from tests.deploy.test_files import DEPLOY, tool
from tests.server.test_web import HELLO, receive

PATIENCE_S = 20.0


def caddy(folder: Path, port: int, upstream: int) -> Background:
    """Caddy with deploy/Caddyfile as it is, and a certificate of its own making."""
    start = folder / "Caddyfile"
    start.write_text(
        "{\n admin off\n local_certs\n skip_install_trust\n auto_https disable_redirects\n"
        f" storage file_system {folder}/caddy\n}}\nimport {DEPLOY}/Caddyfile\n"
    )
    env = {
        "MIDIPOOL_SITE": f"https://localhost:{port}",
        "MIDIPOOL_UPSTREAM": f"127.0.0.1:{upstream}",
        "HOME": str(folder),
    }
    command = [tool("caddy"), "run", "--adapter", "caddyfile", "--config", str(start)]
    return Background(command, env)


def nginx(folder: Path, port: int, upstream: int) -> Background:
    """nginx with deploy/nginx/midipool.conf: only ports, name and certificate are others."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    binary = tool("nginx")
    subprocess.run([tool(command[0]), *command[1:]], check=True, capture_output=True)
    site = (DEPLOY / "nginx" / "midipool.conf").read_text()
    # The plain port needs root and is somebody else's: only what it answers is left out.
    site = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", site, count=1, flags=re.DOTALL)
    site = site.replace("listen 443", f"listen 127.0.0.1:{port}").replace("rooms.example.org", "_")
    site = re.sub(r"    listen \[::\]:443.*\n", "", site)
    site = re.sub(r"/etc/letsencrypt/\S+fullchain.pem", str(certificate), site)
    site = re.sub(r"/etc/letsencrypt/\S+privkey.pem", str(key), site)
    site = site.replace("127.0.0.1:8765", f"127.0.0.1:{upstream}")
    config = folder / "nginx.conf"
    temporary = "".join(
        f" {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\n access_log off;\n{temporary}{site}}}\n"
    )
    checked = subprocess.run([binary, "-t", "-c", str(config)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    return Background([binary, "-c", str(config)])


@contextlib.asynccontextmanager
async def proxied(kind: str, folder: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """A server, a proxy in front of it, and a visitor who trusts its certificate."""
    upstream, port = free_port(), free_port()
    words = ("--port", str(upstream), "--no-media", "--behind-proxy")
    proxy = {"caddy": caddy, "nginx": nginx}[kind](folder, port, upstream)
    with Background.python("midipool_server", *words) as server, proxy:
        server.wait_for_output("ws://")
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        connector = aiohttp.TCPConnector(ssl=trusting)
        async with aiohttp.ClientSession(f"https://localhost:{port}", connector=connector) as http:
            await _until_it_answers(http, proxy)
            yield http, port


async def _until_it_answers(http: aiohttp.ClientSession, proxy: Background) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            assert proxy.alive, proxy.output()
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get("/healthz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("kind", ["caddy", "nginx"])
async def test_a_room_behind_a_proxy_is_as_it_is_in_front(kind: str, tmp_path: Path) -> None:
    async with proxied(kind, tmp_path) as (http, port):
        async with http.ws_connect("/jam") as drums:
            await drums.send_json(HELLO)
            await receive(drums, "welcome")
            await drums.send_json({"type": "start", "id": 1})
            assert (await receive(drums, "bar_sync"))["playing"]
            lie = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
            async with http.get("/api/rooms/jam", headers=lie) as answer:
                assert (await answer.json())["join"] == f"wss://localhost:{port}/jam"
            async with http.get("/api/rooms/jam/events") as events:
                assert events.content_type == "text/event-stream"
                # It comes at once, though the answer never ends.
                first = await asyncio.wait_for(events.content.readline(), 10)
                assert json.loads(first.removeprefix(b"data: "))["now"]["room"]["name"] == "jam"
                events.close()
        for path in ("/metrics", "/readyz"):
            async with http.get(path) as answer:
                assert answer.status == 404
