"""A program on JACK that measures how long sound takes to come back, in frames.

`python -m tests.bench.sound_round_trip SECONDS SINK SOURCE`: noise goes into the port SINK, and
what comes from SOURCE is compared with it. It prints JSON: the lag of each piece, or null where
the piece is not like the noise.

jack_iodelay, which is there for this purpose, finds the delay from the phases of 13 steady tones.
What resamples shifts these all the time, and lossy encoding changes them; noise is found anyway.
"""

import gc
import json
import sys
import threading

import numpy as np

from tests.e2e.sound_daw import NOISE_FRAMES, PIECE_FRAMES, Floats, noise

SEED = 30
ALIKE = 0.5


def lags(recorded: Floats, played: Floats) -> list[int | None]:
    """By how many frames each piece of a recording is behind the noise; None where it is not it.

    The recording begins with the noise, which repeats: lags are below NOISE_FRAMES.
    """
    spectrum = np.conj(np.fft.rfft(played))
    around = np.concatenate((played, played[:PIECE_FRAMES]))
    found: list[int | None] = []
    for begin in range(0, len(recorded) - PIECE_FRAMES + 1, PIECE_FRAMES):
        piece = recorded[begin : begin + PIECE_FRAMES]
        # The product at n is largest where the noise from frame -n on is the piece.
        products = np.fft.irfft(np.fft.rfft(piece, NOISE_FRAMES) * spectrum, NOISE_FRAMES)
        at = -int(np.argmax(products)) % NOISE_FRAMES
        norm = np.linalg.norm(piece) * np.linalg.norm(around[at : at + PIECE_FRAMES])
        alike = float(products.max()) / (float(norm) or 1.0)
        found.append((begin - at) % NOISE_FRAMES if alike > ALIKE else None)
    return found


def main(seconds: float, sink: str, source: str) -> None:
    import jack

    client = jack.Client("round-trip", no_start_server=True)
    output = client.outports.register("out")
    heard = client.inports.register("in")
    played = noise(SEED)
    recorded = np.zeros(round(seconds * client.samplerate), np.float32)
    at = xruns = 0
    full = threading.Event()

    def process(frames: int) -> None:
        nonlocal at
        output.get_array()[:] = played[(at + np.arange(frames)) % NOISE_FRAMES]
        end = min(at + frames, len(recorded))
        recorded[at:end] = heard.get_array()[: end - at]
        at = end
        if at == len(recorded):
            full.set()

    def xrun(delayed_us: float) -> None:
        nonlocal xruns
        xruns += 1

    client.set_process_callback(process)
    client.set_xrun_callback(xrun)
    gc.disable()
    with client:
        client.connect(output, sink)
        client.connect(source, heard)
        if not full.wait(seconds + 20):
            raise TimeoutError("JACK does not run")
    json.dump({"lag_frames": lags(recorded, played), "xruns": xruns}, sys.stdout)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3])
