"""A standard ROC sender and receiver in one program: libroc's own network, as the tools have it.

`python -m tests.e2e.plain_roc SEED SEND_PORT RECEIVE_PORT FILE`: known noise, sampled at 44.1 kHz,
goes to SEND_PORT of this machine (repair and control to the next two), and what comes to
RECEIVE_PORT is recorded. It says when the first receiver reports by RTCP that it hears. When its
standard input ends it writes FILE (a numpy array) and goes.
"""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cffi import FFI

from midipool_demo.background import child_environment
from midipool_native import roc
from midipool_native.roc import header
from tests.e2e.owned_process import OwnedProcess
from tests.e2e.sound_daw import noise

RATE_HZ = 44_100
PIECE = 441
CDEF = """
typedef struct roc_sender roc_sender;
typedef struct roc_receiver roc_receiver;
typedef struct roc_endpoint roc_endpoint;
typedef struct { unsigned int connection_count; } roc_side_metrics;
int roc_endpoint_allocate(roc_endpoint **result);
int roc_endpoint_set_uri(roc_endpoint *endpoint, const char *uri);
int roc_sender_open(roc_context *context, const roc_sender_config *config, roc_sender **result);
int roc_sender_connect(roc_sender *sender, unsigned long long slot, int interface,
    const roc_endpoint *endpoint);
int roc_sender_query(roc_sender *sender, unsigned long long slot, roc_side_metrics *metrics,
    roc_connection_metrics *connections, size_t *count);
int roc_sender_write(roc_sender *sender, const roc_frame *frame);
int roc_sender_close(roc_sender *sender);
int roc_receiver_open(roc_context *context, const roc_receiver_config *config,
    roc_receiver **result);
int roc_receiver_bind(roc_receiver *receiver, unsigned long long slot, int interface,
    roc_endpoint *endpoint);
int roc_receiver_read(roc_receiver *receiver, roc_frame *frame);
int roc_receiver_close(roc_receiver *receiver);
"""
CLOCK_INTERNAL = 2
ENDPOINTS = ((roc.SOURCE, "rtp+rs8m"), (roc.REPAIR, "rs8m"), (roc.CONTROL, "rtcp"))

Floats = npt.NDArray[np.float32]


def noise_at_44100(seed: int) -> Floats:
    """The same second as `noise`."""
    spectrum = np.fft.rfft(noise(seed))[: RATE_HZ // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, RATE_HZ) * (RATE_HZ / 48_000), np.float32)


class Peer:
    """Both sides, on one context of libroc's."""

    def __init__(self, send_port: int, receive_port: int) -> None:
        self.ffi = FFI()
        self.ffi.cdef(header.CDEF + CDEF)
        self.lib: Any = self.ffi.dlopen(roc.find().path)
        context = self.ffi.new("roc_context **")
        self._check(self.lib.roc_context_open(self.ffi.new("roc_context_config *"), context))
        encoding = (RATE_HZ, header.FORMAT_FLOAT32, header.LAYOUT_STEREO, 0)
        sending = self.ffi.new("roc_sender_config *")
        sending.frame_encoding, sending.clock_source = encoding, CLOCK_INTERNAL
        sending.packet_encoding = roc.payload_type(RATE_HZ, 2)
        sender = self.ffi.new("roc_sender **")
        self._check(self.lib.roc_sender_open(context[0], sending, sender))
        receiving = self.ffi.new("roc_receiver_config *")
        receiving.frame_encoding, receiving.clock_source = encoding, CLOCK_INTERNAL
        receiver = self.ffi.new("roc_receiver **")
        self._check(self.lib.roc_receiver_open(context[0], receiving, receiver))
        self.sender, self.receiver = sender[0], receiver[0]
        for number, (interface, protocol) in enumerate(ENDPOINTS):
            there = self._endpoint(f"{protocol}://127.0.0.1:{send_port + number}")
            self._check(self.lib.roc_sender_connect(self.sender, 0, interface, there))
            here = self._endpoint(f"{protocol}://127.0.0.1:{receive_port + number}")
            self._check(self.lib.roc_receiver_bind(self.receiver, 0, interface, here))

    def _endpoint(self, uri: str) -> Any:
        made = self.ffi.new("roc_endpoint **")
        self._check(self.lib.roc_endpoint_allocate(made))
        self._check(self.lib.roc_endpoint_set_uri(made[0], uri.encode()))
        return made[0]

    @staticmethod
    def _check(status: int) -> None:
        if status != 0:
            raise RuntimeError("libroc refuses")

    def write(self, samples: Floats) -> None:
        """Send them, and wait until there is time for more."""
        data = np.ascontiguousarray(samples, np.float32)
        pointer = self.ffi.from_buffer(data)
        self._check(
            self.lib.roc_sender_write(
                self.sender, self.ffi.new("roc_frame *", (pointer, data.nbytes))
            )
        )

    def read(self) -> Floats:
        """What is due."""
        data = np.zeros((PIECE, 2), np.float32)
        frame = self.ffi.new("roc_frame *", (self.ffi.from_buffer(data), data.nbytes))
        self._check(self.lib.roc_receiver_read(self.receiver, frame))
        return data

    def receivers(self) -> int:
        """Who reports to the sender that it is heard."""
        metrics = self.ffi.new("roc_side_metrics *")
        query = self.lib.roc_sender_query
        self._check(query(self.sender, 0, metrics, self.ffi.NULL, self.ffi.NULL))
        return int(metrics.connection_count)


def main(seed: int, send_port: int, receive_port: int, file: str) -> None:
    peer = Peer(send_port, receive_port)
    stopped = threading.Event()
    recorded: list[Floats] = []

    def send() -> None:
        sound = np.stack([noise_at_44100(seed), noise_at_44100(seed + 1)], axis=1)
        at, told = 0, False
        while not stopped.is_set():
            peer.write(sound[at : at + PIECE])
            at = (at + PIECE) % RATE_HZ
            if not told and peer.receivers():
                told = True
                sys.stdout.write("a receiver reports\n")
                sys.stdout.flush()

    def receive() -> None:
        while not stopped.is_set():
            recorded.append(peer.read())

    threads = [threading.Thread(target=send), threading.Thread(target=receive)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stopped.set()
    for thread in threads:
        thread.join()
    np.save(file, np.concatenate(recorded))


class PlainRocPeer(OwnedProcess):
    """Runs the program; a context manager."""

    def __init__(self, seed: int, send_port: int, receive_port: int, file: Path) -> None:
        self._file = file
        words = [str(seed), str(send_port), str(receive_port), str(file)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.plain_roc", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment({}),
            text=True,
            start_new_session=True,
        )

    def wait_reported(self) -> None:
        """Until a receiver says by RTCP that it hears."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "a receiver reports\n":
            raise RuntimeError("the ROC program ended")

    def end(self) -> Floats:
        """Stop it; what it recorded."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        recorded: Floats = np.load(self._file)
        return recorded


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
