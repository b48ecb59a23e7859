import argparse
from collections.abc import Callable
from typing import Any

import pytest

from midipool.errors import InvalidValue, Unavailable
from midipool_client.audio.device_choice import RocChoice
from midipool_client.commands import bridge_roc
from midipool_client.roc_bridge import options as words
from midipool_client.roc_bridge.commands import fitting_commands

URL = ("ws://127.0.0.1:8765/jam", "--name", "studio")


def choice(*options: str) -> RocChoice:
    parser = argparse.ArgumentParser()
    bridge_roc.add_options(parser)
    return bridge_roc.roc_choice(parser.parse_args([*URL, *options]))


def test_without_options_it_is_what_the_tools_speak() -> None:
    made = choice()
    assert (made.rate_hz, made.fec, made.packet_frames) == (44_100, (18, 10), 220)
    assert (made.listen_host, made.listen_ports) == ("0.0.0.0", (10_001, 10_002, 10_003))
    assert (made.send_to, made.only_from) == (None, None)


def test_options_are_read() -> None:
    said = ("--listen", "[::1]:20001", "--from", "192.168.1.7", "--send-to")
    made = choice(*said, "127.0.0.1:7001,7003,7005", "--fec", "none", "--packet-ms", "2.5")
    assert (made.listen_host, made.listen_ports) == ("::1", (20_001, 20_002, 20_003))
    assert made.only_from == "192.168.1.7"
    assert made.send_to == ("127.0.0.1", (7001, 7003, 7005))
    assert (made.fec, made.packet_frames) == (None, 110)
    assert choice("--listen", "20001").listen_ports == (20_001, 20_002, 20_003)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("listen", "studio:10001"),
        ("listen", "0.0.0.0:80"),
        ("listen", "0.0.0.0:65534"),
        ("listen", "0.0.0.0:1,2"),
        ("listen", "10001,10001,10002"),
        ("listen", "9999999999999"),
        ("send-to", "127.0.0.1:x"),
        ("send-to", ""),
        ("from", "studio"),
        ("rate", "96000"),
        ("fec", "18"),
        ("fec", "0+1"),
        ("fec", "200+100"),
        ("packet-ms", "20"),
        ("packet-ms", "nan"),
        ("latency-ms", "5"),
        ("latency-ms", "-1"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(option: str, text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        choice(f"--{option}={text}")
    assert caught.value.field == option


def test_an_unknown_host_is_said() -> None:
    with pytest.raises(Unavailable, match=r"send-to: 'nobody\.invalid' is not found"):
        choice("--send-to", "nobody.invalid")


def test_the_commands_that_fit_are_said() -> None:
    lines = fitting_commands(choice("--send-to", "127.0.0.1:20001"), "192.168.1.5", 10)
    assert lines == [
        "to be heard: roc-send -s rtp+rs8m://192.168.1.5:10001 -r rs8m://192.168.1.5:10002 "
        "-c rtcp://192.168.1.5:10003",
        "to hear, at 127.0.0.1: roc-recv -s rtp+rs8m://0.0.0.0:20001 -r rs8m://0.0.0.0:20002 "
        "-c rtcp://0.0.0.0:20003",
    ]
    plain = fitting_commands(choice("--fec", "none", "--listen", "[::1]:10001"), "::2", 10)
    assert plain == ["to be heard: roc-send -s rtp://[::1]:10001 -c rtcp://[::1]:10003"]
    [other] = fitting_commands(choice("--rate", "48000"), "192.168.1.5", 100)
    assert "44100 Hz only" in other
    assert "payload type 100" in other


@pytest.mark.parametrize("parse", [words.parse_rate, words.parse_latency_ms, words.parse_packet_ms])
def test_letters_are_no_numbers(parse: Callable[[str], Any]) -> None:
    for text in ("", "x", "1e3", "４４１００"):
        with pytest.raises(InvalidValue):
            parse(text)
