"""Where the ports are: on JACK if it runs, else with rtmidi."""

from midipool.errors import Unavailable
from midipool_client.engine.jack_sink import JackMidiSink
from midipool_client.engine.rtmidi_sink import RtMidiSink
from midipool_client.engine.sinks import Hear, Sink, SinkChoice
from midipool_native import checks
from midipool_native.checks import NativeError
from midipool_native.spooler import Spooler


def open_sink(
    spooler: Spooler, choice: SinkChoice, hear: Hear, hear_control: Hear
) -> tuple[Sink, str]:
    """The ports that fit the choice and this machine, and why; raises Unavailable.

    Controllers are heard here on JACK alone; elsewhere that is another port (control_input.py).
    """
    if choice.midi_port is not None or choice.backend == "rtmidi":
        return RtMidiSink(spooler, choice, hear), "asked for"
    if choice.backend == "jack":
        return _open_jack(spooler, choice, hear, hear_control), "asked for"
    try:
        return _open_jack(spooler, choice, hear, hear_control), "a JACK server is running"
    except NativeError as error:
        if error.status not in (checks.NO_LIBJACK, checks.NO_JACK_SERVER):
            raise
        why = checks.status_text(error.status)
    try:
        return RtMidiSink(spooler, choice, hear), why
    except Unavailable as error:
        hint = "start JACK (jackd -d alsa, or jackd -d dummy without a sound card) or PipeWire"
        raise Unavailable(f"no MIDI ports: {why}, and {error}: {hint}") from None


def _open_jack(
    spooler: Spooler, choice: SinkChoice, hear: Hear, hear_control: Hear
) -> JackMidiSink:
    control = hear_control if choice.control and choice.control_port is None else None
    try:
        return JackMidiSink(spooler, choice.device_name, hear, control)
    except NativeError as error:
        if error.status == checks.NAME_TAKEN:
            text = f"{error}: choose another --device-name"
        elif error.status == checks.NO_JACK_SERVER and choice.backend == "jack":
            text = f"{error}: start JACK or PipeWire, or use --midi rtmidi"
        else:
            text = str(error)
        renamed = NativeError(error.status, text)
        renamed.args = (text,)
        raise renamed from None
