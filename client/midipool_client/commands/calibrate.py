"""`midipool-client calibrate`: play a clock, listen to what the DAW makes of it, propose an offset.

It needs no room: the clock is this host's own.
"""

import argparse
import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midipool.timeline_chain import TimelineChain
    from midipool_client.calibration import CalibrationResult
    from midipool_client.engine.sinks import SinkChoice

BEGIN_US = 500_000
# What is heard after the last tick may still be an answer to it.
LISTEN_ON_US = 600_000
# A DAW that has not said anything by then will not.
SILENCE_US = 6_000_000
FILL_S = 0.1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "--device-name", default="midiPool", help="of the MIDI device (%(default)s)"
    )
    parser.add_argument("--midi", choices=["auto", "jack", "rtmidi"], default="auto")
    parser.add_argument("--midi-port", metavar="NAME", help="an existing MIDI port")
    parser.add_argument("--daw", metavar="NAME", help="save the offset for this DAW")
    parser.add_argument("--save", action="store_true", help="put the offset into the settings")
    parser.add_argument("--json", action="store_true", help="print the measurement as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure and say what came of it; 1 when no offset can be proposed."""
    import json
    import sys
    from dataclasses import asdict

    from midipool_client.engine.sinks import SinkChoice
    from midipool_client.settings import Settings
    from midipool_native import host_clock

    host_clock.set_off_for_tests()
    choice = SinkChoice(options.midi, options.device_name, options.midi_port)
    result = asyncio.run(_measure(choice))
    device = options.midi_port or options.device_name
    if options.save and result.offset_ms is not None:
        settings = Settings.load()
        settings.set_offset_ms(result.offset_ms, device, options.daw)
        settings.save()
    if options.json:
        text = json.dumps({**asdict(result), "offset_ms": result.offset_ms})
    else:
        text = _in_words(result, device, options)
    sys.stdout.write(text + "\n")
    return 0 if result.offset_ms is not None else 1


def _in_words(result: "CalibrationResult", device: str, options: argparse.Namespace) -> str:
    if result.offset_ms is None or result.delay_us is None or result.spread_us is None:
        return f"no offset: {result.refused}"
    found = (
        f"the DAW answers after {result.delay_us / 1000:.1f} ms (half of {result.matches} events "
        f"within {result.spread_us / 1000:.1f} ms): an offset of {result.offset_ms:+.1f} ms makes "
        "up for it"
    )
    whose = f" --daw {options.daw!r}" if options.daw else f" --device {device!r}"
    if options.save:
        return f"{found}; it is saved, and a client that runs has it already"
    return f"{found}: midipool-client offset{whose} {result.offset_ms:g}"


async def _measure(choice: "SinkChoice") -> "CalibrationResult":
    """Play the pattern once, and listen; raises Unavailable when there are no ports."""
    from midipool.clock_map import ClockMap
    from midipool.midi_clock import CLOCK
    from midipool_client.calibration import Calibration
    from midipool_client.engine.messages import Heard, Ready
    from midipool_client.engine.process import EngineProcess
    from midipool_client.ports.output import PortOptions, PortOutput
    from midipool_native import host_clock

    output = PortOutput(PortOptions(choice))
    chain: TimelineChain | None = None
    ready = asyncio.Event()
    heard_us: list[int] = []

    def is_ready(message: Ready) -> None:
        output.engine_latency_us = message.latency_us
        ready.set()

    def heard(message: Heard) -> None:
        for host_ns, data in message.events:
            if data == CLOCK or (data[0] & 0xF0 == 0x90 and len(data) == 3 and data[2] > 0):
                heard_us.append(host_ns // 1000)

    engine = EngineProcess([choice], is_ready, heard)
    running = asyncio.create_task(engine.run())
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        now_ns = host_clock.now_ns()
        chain = pattern(now_ns // 1000 + BEGIN_US)
        here = ClockMap(local_ns=now_ns, room_ns=now_ns)
        spool = output.engine_is_new(chain, now_ns // 1000, now_ns, here, lost=False)
        engine.submit(spool)
        sent_us = [time_us for time_us, data in spool.events if data == CLOCK]
        end_us = chain.last.origin_time_us + LISTEN_ON_US
        give_up_us = chain.timelines[1].origin_time_us + SILENCE_US
        while (now_us := host_clock.now_ns() // 1000) < end_us:
            if not heard_us and now_us > give_up_us:
                break
            more = output.fill(now_us, now_us * 1000)
            if more is not None:
                engine.submit(more)
                sent_us += [time_us for time_us, data in more.events if data == CLOCK]
            await asyncio.sleep(FILL_S)
    finally:
        running.cancel()
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    return Calibration(sent_us, heard_us).result()


def pattern(begin_us: int) -> "TimelineChain":
    """The calibration's tempos as timelines that begin at room time `begin_us`, and their end."""
    from midipool.meter import Meter
    from midipool.timeline import Timeline
    from midipool.timeline_chain import TimelineChain
    from midipool_client.calibration import PATTERN

    timelines = [Timeline()]
    time_us, beats = begin_us, 0
    for revision, (bars, bpm) in enumerate(PATTERN, start=1):
        timeline = Timeline(
            origin_time_us=time_us,
            origin_beats=beats,
            playing=True,
            mbpm=round(bpm * 1000),
            revision=revision,
            epoch=1,
        )
        timelines.append(timeline)
        beats += bars * Meter().bar_beats
        time_us = timeline.time_at(beats)
    end = Timeline(origin_time_us=time_us, origin_beats=beats, revision=len(timelines), epoch=2)
    return TimelineChain((*timelines, end))
