import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from midipool.errors import Unavailable
from midipool_native.media_address import Address
from midipool_native.media_socket import open_udp
from midipool_native.roc_bridge import REFUSALS, BridgeStats, PlainRoc, RocBridge, note_of
from tests.native.test_roc import needs_libroc

ROOT = Path(__file__).resolve().parents[2]
HERE = PlainRoc(listen_host="127.0.0.1", listen_ports=(0, 0, 0))
THERE = (Address("192.168.1.9", 1), Address("192.168.1.9", 2), Address("192.168.1.9", 3))
NOBODY = BridgeStats(
    passed=0,
    refused=dict.fromkeys(REFUSALS, 0),
    streams=0,
    sent=0,
    send_failed=0,
    reports=0,
    reports_refused=0,
    late_cycles=0,
    restarts=0,
    heard=None,
    report_age_ns=None,
    faster_ppm=0.0,
    needs_decoder=False,
)


@needs_libroc
def test_hostile_datagrams_are_refused_and_libroc_lives() -> None:
    command = [sys.executable, "-m", "tests.native.roc_bridge_fuzz", "1", "20000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["passed"] > 3000
    assert counts["streams"] > 10
    assert counts["passed"] + sum(counts[name] for name in REFUSALS) == counts["sent"]
    for name in ("not_needed", "malformed", "format", "other_stream", "jumped", "rtcp"):
        assert counts[name] > 0, name


@needs_libroc
def test_a_port_in_use_is_said_and_nothing_stays_open() -> None:
    with open_udp("127.0.0.1") as taken:
        ports = (0, 0, taken.getsockname()[1])
        with pytest.raises(Unavailable, match=f"UDP port {ports[2]} of 127.0.0.1 cannot be opened"):
            RocBridge(dataclasses.replace(HERE, listen_ports=ports))


@needs_libroc
def test_without_repair_its_port_is_not_open() -> None:
    bridge = RocBridge(dataclasses.replace(HERE, fec=None), running=False)
    assert len(bridge.listen_ports) == 2
    assert "without repair" in bridge.text
    bridge.close()
    bridge.close()


@pytest.mark.parametrize(
    ("stats", "note"),
    [
        (NOBODY, "hears nobody"),
        (dataclasses.replace(NOBODY, heard=Address("192.168.1.7", 5)), "hears 192.168.1.7"),
        (dataclasses.replace(NOBODY, report_age_ns=5), "hears nobody; 192.168.1.9 listens"),
        (dataclasses.replace(NOBODY, report_age_ns=10**10), "hears nobody"),
    ],
)
def test_it_says_who_is_heard_and_who_hears(stats: BridgeStats, note: str) -> None:
    assert note_of(stats, dataclasses.replace(HERE, send_to=THERE)) == note


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("format", "what comes is not 44100 Hz stereo (payload type 10)"),
        ("malformed", "what comes is no rtp+rs8m of ROC's"),
        ("stranger", "what comes is not from 192.168.1.7"),
    ],
)
def test_it_says_why_nobody_is_heard(reason: str, said: str) -> None:
    stats = dataclasses.replace(NOBODY, refused=NOBODY.refused | {reason: 3})
    plain = dataclasses.replace(HERE, only_from="192.168.1.7")
    assert note_of(stats, plain) == f"hears nobody: {said}"
