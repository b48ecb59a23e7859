"""Reads a recording's tracks ahead of time: a thread that may wait for the disk."""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from midipool_client.playback.pieces import Span, stretch

log = logging.getLogger(__name__)

BLOCK_S, AHEAD_S = 0.1, 4.0
WAIT_S = 0.5


class Block(NamedTuple):
    """Frames of the room from `at` on; `sounds` of each track, None where nothing plays."""

    at: int
    frames: int
    take: int | None
    sounds: list[Any] | None


class TakeReader:
    """`want` and `next` are one thread's; reading is another's."""

    def __init__(self, paths: Sequence[Path], rate: int) -> None:
        self.why = ""
        """Why a track is silent."""
        self._paths = list(paths)
        self._block, self._ahead = round(rate * BLOCK_S), round(rate * AHEAD_S)
        self._files: list[Any] = [None] * len(self._paths)
        self._spans: list[Span] = []
        self._changes = 0
        self._blocks: deque[Block] = deque()
        self._at: int | None = None
        """Where the next block begins."""
        self._done = 0
        self._ending = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="take", daemon=True)
        self._thread.start()

    def want(self, spans: Sequence[Span]) -> None:
        """Play this: what was read of something else is forgotten."""
        with self._news:
            self._spans = list(spans)
            self._changes += 1
            kept: deque[Block] = deque()
            for block in self._blocks:
                if stretch(spans, block.at, block.frames) != (block.frames, block.take):
                    self._at = block.at
                    break
                kept.append(block)
            self._blocks = kept
            self._news.notify()

    def next(self, at: int) -> Block | None:
        """What holds frame `at` of the room; what was before is over. None: not read yet."""
        with self._news:
            while self._blocks and self._blocks[0].at + self._blocks[0].frames <= at:
                self._blocks.popleft()
            self._done = at
            fits = self._blocks and self._blocks[0].at <= at
            if not fits and (self._at is None or self._blocks or self._at != at):
                self._blocks.clear()
                self._at = at
                self._changes += 1
            self._news.notify()
            return self._blocks[0] if fits else None

    def forget(self) -> None:
        """Other frames of the room come next."""
        with self._news:
            self._blocks.clear()
            self._at = None
            self._changes += 1

    def close(self) -> None:
        """End the thread, unless the disk holds it."""
        with self._news:
            self._ending = True
            self._news.notify()
        self._thread.join(WAIT_S)

    # ---- the thread ----

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._ending and not self._has_work():
                    self._news.wait(WAIT_S)
                if self._ending:
                    break
                assert self._at is not None
                at, changes = self._at, self._changes
                count, take = stretch(self._spans, at, self._block)
            sounds = None if take is None else self._read(take, count)
            with self._news:
                if changes == self._changes:
                    self._blocks.append(Block(at, count, take, sounds))
                    self._at = at + count
        for file in self._files:
            if file:
                file.close()

    def _has_work(self) -> bool:
        return self._at is not None and self._at - self._done < self._ahead

    def _read(self, take: int, count: int) -> list[Any]:
        return [self._read_track(number, take, count) for number in range(len(self._paths))]

    def _read_track(self, number: int, take: int, count: int) -> Any:
        """Frames as floats, (count, channels); None where there are none."""
        import soundfile

        file = self._files[number]
        try:
            if file is None:
                file = self._files[number] = soundfile.SoundFile(self._paths[number])
            if file is False or take >= file.frames:
                return None
            if file.tell() != take:
                file.seek(take)
            return file.read(count, dtype="float32", always_2d=True, fill_value=0.0)
        except (OSError, RuntimeError) as error:
            self.why = f"{self._paths[number].name} cannot be read: {error}"
            self._files[number] = False
            return None
