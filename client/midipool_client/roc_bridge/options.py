"""Where plain ROC is listened for and sent to, and how the command line says it. Pure.

Every `parse_` function raises InvalidValue, which names the option and what it takes.
"""

import ipaddress
import re
from dataclasses import dataclass

from midipool.errors import InvalidValue
from midipool_client.audio.options import FIRST_PORT, LAST_PORT

Ports = tuple[int, int, int]

DEFAULT_PORT = 10_001
RATES_HZ = (44_100, 48_000)
LEAST_LATENCY_MS, MOST_LATENCY_MS = 20, 2000
MOST_BLOCK_PACKETS = 255
# Packets have room for more, but what is kept for repair has to wait for a whole block of them.
PACKET_MS = (1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A host, and its ports for source, repair and control packets."""

    host: str
    ports: Ports


def parse_endpoints(text: str, option: str) -> Endpoints:
    """Read `HOST`, `HOST:PORT` (repair and control are the next two) or `HOST:PORT,PORT,PORT`."""
    match = re.fullmatch(r"\s*(\[[^\[\]\s]+\]|[^\[\]\s:,]+)(?::([\d,]+))?\s*", text, re.ASCII)
    numbers = (match[2] or str(DEFAULT_PORT)).split(",") if match else []
    if match is None or len(numbers) not in (1, 3) or not all(map(_is_port, numbers)):
        raise InvalidValue(option, _endpoint_rule(text))
    ports = [int(number) for number in numbers]
    if len(ports) == 1:
        ports = [ports[0], ports[0] + 1, ports[0] + 2]
    if ports[-1] > LAST_PORT or len(set(ports)) != 3:
        raise InvalidValue(option, _endpoint_rule(text))
    return Endpoints(match[1].strip("[]"), (ports[0], ports[1], ports[2]))


def parse_listen(text: str, option: str = "listen") -> Endpoints:
    """The same of an address of this machine; a port alone is one of all addresses."""
    alone = re.fullmatch(r"\s*\d+(,\d+,\d+)?\s*", text, re.ASCII)
    found = parse_endpoints(f"0.0.0.0:{text.strip()}" if alone else text, option)
    return Endpoints(parse_address(found.host, option), found.ports)


def parse_address(text: str, option: str) -> str:
    """Read an IPv4 or IPv6 address."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise InvalidValue(option, f"{text!r} is not an IPv4 or IPv6 address") from None


def parse_rate(text: str, option: str = "rate") -> int:
    """Read `44100` or `48000`."""
    if text.strip() not in {str(rate) for rate in RATES_HZ}:
        raise InvalidValue(option, f"must be 44100 or 48000, not {text!r}")
    return int(text)


def parse_fec(text: str, option: str = "fec") -> tuple[int, int] | None:
    """Read `18+10`, source and repair packets of a block; None for `none`."""
    if text.strip() == "none":
        return None
    match = re.fullmatch(r"\s*(\d{1,3})\+(\d{1,3})\s*", text, re.ASCII)
    source, repair = (int(match[1]), int(match[2])) if match else (0, 0)
    if source < 1 or repair < 1 or source + repair > MOST_BLOCK_PACKETS:
        rule = f"must be none, or SOURCE+REPAIR packets of a block as 18+10, not {text!r}"
        raise InvalidValue(option, rule)
    return source, repair


def parse_packet_ms(text: str, option: str = "packet-ms") -> float:
    """Read `5` or `2.5`."""
    least, most = PACKET_MS
    match = re.fullmatch(r"\s*\d{1,2}(?:\.\d{1,3})?\s*", text, re.ASCII)
    if match is None or not least <= float(text) <= most:
        raise InvalidValue(option, f"must be {least:g} to {most:g} ms, not {text!r}")
    return float(text)


def parse_latency_ms(text: str, option: str = "latency-ms") -> int:
    """Read `120`."""
    match = re.fullmatch(r"\s*\d{1,4}\s*", text, re.ASCII)
    if match is None or not LEAST_LATENCY_MS <= int(text) <= MOST_LATENCY_MS:
        rule = f"must be {LEAST_LATENCY_MS} to {MOST_LATENCY_MS} ms, not {text!r}"
        raise InvalidValue(option, rule)
    return int(text)


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5 and FIRST_PORT <= int(text) <= LAST_PORT


def _endpoint_rule(text: str) -> str:
    return (
        f"must be HOST, HOST:PORT or HOST:SOURCE,REPAIR,CONTROL with ports from {FIRST_PORT} to "
        f"{LAST_PORT}, not {text!r}"
    )
