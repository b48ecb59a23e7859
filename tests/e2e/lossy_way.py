"""A forwarder of UDP on this machine that loses some of what it forwards."""

import random
import select
import socket
import threading
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
LOOK_S = 0.1


class LossyWay:
    """Three ports, from `port` on, to three others; answers go back. A context manager.

    `loss` is the part that is lost there, 0 to 1, and may be changed at any time.
    """

    def __init__(self, port: int, to_port: int) -> None:
        self.loss = 0.0
        self.forwarded = self.lost = 0
        self._dice = random.Random(1)
        self._pairs = [(_bound(port + n), _connected(to_port + n)) for n in range(3)]
        self._senders: dict[socket.socket, tuple[str, int]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        here = {outer: inner for outer, inner in self._pairs}
        back = {inner: outer for outer, inner in self._pairs}
        while not self._stopped.is_set():
            for sock in select.select([*here, *back], [], [], LOOK_S)[0]:
                try:
                    data, sender = sock.recvfrom(4096)
                    if sock in here:
                        self._senders[sock] = sender
                        self._forward(here[sock], data)
                    elif back[sock] in self._senders:
                        back[sock].sendto(data, self._senders[back[sock]])
                except (ConnectionRefusedError, BlockingIOError):
                    pass  # nobody is there (yet)

    def _forward(self, to: socket.socket, data: bytes) -> None:
        if self._dice.random() < self.loss:
            self.lost += 1
        else:
            self.forwarded += 1
            to.send(data)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        for pair in self._pairs:
            for sock in pair:
                sock.close()


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HOST, port))
    made.setblocking(False)
    return made


def _connected(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.connect((HOST, port))
    made.setblocking(False)
    return made
