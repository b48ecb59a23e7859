"""The commands of standard tools that fit what the bridge offers, for people. Pure."""

from midipool_client.audio.device_choice import RocChoice
from midipool_client.roc_bridge.options import Ports

# RTP's number for 44.1 kHz, 16 bits, stereo: all that the tools speak.
TOOLS_RATE_HZ = 44_100


def fitting_commands(choice: RocChoice, own_host: str, payload_type: int) -> list[str]:
    """One line to be heard by the room, and, where it is sent to, one to hear it."""
    fec = choice.fec is not None
    host = choice.listen_host
    if host in ("0.0.0.0", "::"):
        host = own_host
    if choice.rate_hz != TOOLS_RATE_HZ:
        return [
            f"roc-send and roc-recv speak 44100 Hz only; a program with libroc registers "
            f"{choice.rate_hz} Hz, 16 bits, stereo as payload type {payload_type}, and takes "
            f"{_endpoints(host, choice.listen_ports, fec)}"
        ]
    lines = ["to be heard: roc-send " + _endpoints(host, choice.listen_ports, fec)]
    if choice.send_to is not None:
        there, ports = choice.send_to
        any_host = "::" if ":" in there else "0.0.0.0"
        lines.append(f"to hear, at {there}: roc-recv " + _endpoints(any_host, ports, fec))
    return lines


def _endpoints(host: str, ports: Ports, fec: bool) -> str:
    where = f"[{host}]" if ":" in host else host
    source, repair, control = ports
    words = [f"-s {'rtp+rs8m' if fec else 'rtp'}://{where}:{source}"]
    if fec:
        words.append(f"-r rs8m://{where}:{repair}")
    return " ".join([*words, f"-c rtcp://{where}:{control}"])
