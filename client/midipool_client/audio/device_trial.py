"""A program that looks at JACK, PortAudio and rtmidi, because any may hang, print or crash.

`python -m midipool_client.audio.device_trial` prints a DevicesLook as JSON.
"""

import os

import msgspec

from midipool.errors import Unavailable
from midipool_client.audio.device_look import DevicesLook, JackLook, PortAudioLook
from midipool_client.doctor.libjack import AUDIO_TYPE, Library, server_name
from midipool_client.doctor.midi_trial import rtmidi_apis, rtmidi_ports, sequencer_state
from midipool_native import portaudio

NAME = "midipool-devices"


def look() -> DevicesLook:
    """Look at all. JACK before PortAudio, which is a client of its."""
    midi = rtmidi_ports(rtmidi_apis() or [], sequencer_state())
    return DevicesLook(look_at_jack(), look_at_portaudio(), midi)


def look_at_jack() -> JackLook:
    """Be its client for a moment."""
    try:
        with Library().open(NAME) as client:
            return JackLook(
                server_name(),
                running=True,
                rate=client.sample_rate,
                period=client.period_frames,
                realtime=client.realtime,
                ports=client.ports(AUDIO_TYPE),
            )
    except Unavailable as error:
        return JackLook(server_name(), running=False, error=str(error))


def look_at_portaudio() -> PortAudioLook:
    """List its devices."""
    try:
        return PortAudioLook(portaudio.version(), portaudio.list_devices())
    except Unavailable as error:
        return PortAudioLook("", [], str(error))


if __name__ == "__main__":
    # What a library prints must not get between our lines.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    out.write(msgspec.json.encode(look()))
    out.flush()
    # A client that closes may wait for a server that has gone: we are done.
    os._exit(0)
