"""A board at work: stages in order, which come, go and move without a click. Pure."""

from collections.abc import Sequence

from midipool_client.effects.stage import Block, Stage
from midipool_native.effects import OwnEffect


class Chain:
    """One thread says what is wanted, another one works."""

    def __init__(self) -> None:
        self._stages: list[Stage] = []
        self._wanted: Sequence[Stage] | None = None
        self._steady = False
        """Whether all that is on it is there as a whole."""

    def want(self, stages: Sequence[Stage]) -> None:
        """These, in this order, from one of the next blocks on."""
        self._wanted = tuple(stages)

    @property
    def empty(self) -> bool:
        """Nothing is, or will be, on it."""
        return not self._stages and not self._wanted

    @property
    def own(self) -> list[OwnEffect] | None:
        """All that it is made of, if that is ours and nothing is to change; else None."""
        if self._wanted is not None:
            return None
        each = [stage.own for stage in self._stages]
        return None if None in each else [own for of in each for own in of or ()]

    @property
    def latency(self) -> int:
        """Frames by which all of it lets sound out later."""
        return sum(stage.latency for stage in self._stages)

    def process(self, block: Block) -> Block:
        """Sound as it is behind the board."""
        wanted, self._wanted = self._wanted, None
        if wanted is None:
            return self._pass(block)
        # What goes, or stands elsewhere, is faded out by the end of this block; what comes is
        # faded in from the next one on.
        self._steady, staying = False, _staying(self._stages, wanted)
        for stage in self._stages:
            stage.target = float(stage in staying)
        block = self._pass(block)
        for stage in wanted:
            if stage not in staying:
                stage.wet, stage.target = 0.0, 1.0
        self._stages, self._steady = list(wanted), False
        return block

    def _pass(self, block: Block) -> Block:
        if self._steady:
            for stage in self._stages:
                block = stage.work(block)
            return block
        for stage in self._stages:
            block = stage.process(block)
        self._steady = all(stage.steady for stage in self._stages)
        return block


def _staying(before: Sequence[Stage], after: Sequence[Stage]) -> set[Stage]:
    """Those that need not move when others come, go, or move."""
    first = [stage for stage in before if stage in after]
    then = [stage for stage in after if stage in before]
    return set(first) if first == then else set()
