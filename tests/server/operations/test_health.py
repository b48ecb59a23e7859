"""`midipool-server health` beside a real server, with TLS and without."""

import json
from pathlib import Path

import pytest

from midipool_demo.background import Background
from midipool_demo.stage import free_port
from midipool_server import cli
from tests.server.access.test_tls import CERT_1, KEY_1


@pytest.fixture
def tls(tmp_path: Path) -> list[str]:
    """Flags of a certificate that is self-signed, for localhost."""
    words = []
    for name, text in (("cert", CERT_1), ("key", KEY_1)):
        (tmp_path / name).write_text(text)
        words += [f"--tls-{name}", str(tmp_path / name)]
    return words


@pytest.mark.parametrize("with_tls", [True, False])
def test_a_server_is_asked_as_it_serves(
    tls: list[str], with_tls: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--port", str(free_port()), "--host", "0.0.0.0", "--no-announce"]
    words += tls if with_tls else ["--plain-text"]
    with Background.python("midipool_server", *words) as server:
        server.wait_for_output("wss://" if with_tls else "ws://")
        assert cli.main(["health", *words]) == 0
        assert json.loads(capsys.readouterr().out) == {"status": "ready"}
        otherwise = [*words[:5], *([] if with_tls else tls)]
        assert cli.main(["health", *otherwise]) == 1
    assert cli.main(["health", *words]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(f"no server at 127.0.0.1:{words[1]}" in line for line in said)
