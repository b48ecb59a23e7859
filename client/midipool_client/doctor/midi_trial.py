"""A program that looks at JACK and rtmidi, because either may hang, print or crash.

`python -m midipool_client.doctor.midi_trial` prints a MidiLook as JSON. It is a JACK client for a
second, and leaves what is connected as it is.
"""

import os
import sys
import time
from typing import Literal

import msgspec

from midipool.errors import Unavailable
from midipool_client.doctor.libjack import MIDI_TYPE, Library, server_name
from midipool_client.doctor.machine_look import running_programs
from midipool_client.doctor.midi import JackServerLook, MidiLook
from midipool_native.jack import JackMeter

SEQUENCER = "/dev/snd/seq"
NAME = "midipool-doctor"
LOOK_S = 1.0
MOST_PORTS = 256
API_NAMES = {"API_LINUX_ALSA": "alsa", "API_UNIX_JACK": "jack"} | {
    "API_MACOSX_CORE": "core",
    "API_WINDOWS_MM": "winmm",
}


def look() -> MidiLook:
    """Look at all of it."""
    path, version, jack, error = None, "", None, ""
    try:
        library = Library()
        path, version = library.path, library.version
        jack = look_at_server(library)
    except Unavailable as unavailable:
        error = str(unavailable)
    apis, sequencer = rtmidi_apis(), sequencer_state()
    return MidiLook(
        platform=sys.platform,
        jack_library=path,
        jack_version=version,
        jack_server=server_name(),
        jack=jack,
        jack_error=error if path is not None else "",
        programs=running_programs(),
        sequencer=sequencer,
        apis=apis,
        ports=rtmidi_ports(apis or [], sequencer),
    )


def look_at_server(library: Library) -> JackServerLook:
    """Be its client for a second; raises Unavailable when there is none."""
    with library.open(NAME) as client:
        ports, all_ports = client.ports(MIDI_TYPE), client.ports()
        meter = JackMeter(f"{NAME}-{os.getpid()}")
        try:
            begin_s, before = time.monotonic(), meter.xruns
            time.sleep(LOOK_S)
            xruns, looked_s = meter.xruns - before, time.monotonic() - begin_s
        finally:
            meter.close()
        return JackServerLook(
            sample_rate=client.sample_rate,
            period_frames=client.period_frames,
            realtime=client.realtime,
            xruns=xruns,
            looked_ms=round(looked_s * 1000),
            ports=ports[:MOST_PORTS],
            clients=sorted({port.rpartition(":")[0] for port in all_ports})[:MOST_PORTS],
        )


def sequencer_state() -> Literal["usable", "no permission", "absent"]:
    """Whether ALSA's sequencer can be opened."""
    if not os.path.exists(SEQUENCER):
        return "absent"
    return "usable" if os.access(SEQUENCER, os.R_OK | os.W_OK) else "no permission"


def rtmidi_apis() -> list[str] | None:
    """The MIDI systems that rtmidi is built for; None when it cannot be loaded."""
    try:
        import rtmidi
    except ImportError:
        return None
    numbers = {getattr(rtmidi, name, None): word for name, word in API_NAMES.items()}
    return [numbers[api] for api in rtmidi.get_compiled_api() if api in numbers]


def rtmidi_ports(apis: list[str], sequencer: str) -> list[str]:
    """Names of the inputs and outputs of the system that rtmidi would use, each once."""
    usable = [api for api in apis if api not in ("jack", "alsa")]
    if "alsa" in apis and sequencer == "usable":
        usable = ["alsa"]
    if not usable:
        return []
    import rtmidi

    api = next(getattr(rtmidi, name) for name, word in API_NAMES.items() if word == usable[0])
    try:
        names = [*rtmidi.MidiOut(api).get_ports(), *rtmidi.MidiIn(api).get_ports()]
    except (rtmidi.RtMidiError, SystemError):
        return []
    return sorted(set(names))[:MOST_PORTS]


if __name__ == "__main__":
    # What a library prints must not get between our lines.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    out.write(msgspec.json.encode(look()))
    out.flush()
    # A JACK client that closes may wait for a server that has gone: we are done.
    os._exit(0)
