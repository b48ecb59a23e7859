"""Controllers of a client: learned by its page, kept in its settings, obeyed at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from midipool.effects.board import Board, Boards, Effect
from midipool.effects.kinds import KINDS
from midipool.effects.parameters import Number
from midipool.errors import InvalidValue
from midipool.messages import Error, Ok
from midipool_client.controllers import looking
from midipool_client.controllers.goals import goal_of
from midipool_client.controllers.target import Target
from midipool_client.engine.messages import Heard
from midipool_client.live_settings import Playing
from midipool_client.page.effects_state import BoardView, EffectsPart, effects_of, kinds_view
from midipool_client.page.host import PageHost
from midipool_client.page.messages import Done, Refused, decode
from midipool_client.page.state import State
from midipool_client.settings import Settings
from tests.client.page.running import DEVICE, playing, until

GAIN = {"type": "set_strip", "member": "bass", "gain_db": 0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


@pytest.fixture
def client(path: Path) -> Playing:
    return playing(path)


@pytest.fixture
async def host(client: Playing) -> AsyncIterator[PageHost]:
    made = PageHost()
    made.enter(client)
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0)
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def comes(client: Playing, *messages: str) -> None:
    """At the control input, a millisecond apart."""
    events = [(n * 1_000_000, bytes.fromhex(text)) for n, text in enumerate(messages)]
    client.player.ports._heard(Heard(events, control=True))


async def ask(host: PageHost, **request: Any) -> Done | Refused:
    return await host.ask(decode(json.dumps({"id": 1, **request})))


async def learn(host: PageHost, source: str = "", **target: Any) -> Done | Refused:
    return await ask(host, type="learn", source=source, **target)


def gain_of(client: Playing) -> float:
    return client.live.listening.mix.strip_of("bass").gain_db


async def test_a_fader_is_learned_moves_the_mix_and_is_kept(
    host: PageHost, client: Playing, path: Path
) -> None:
    assert await learn(host, request=GAIN) == Done(1)
    assert host.state.controllers.learning == "strip bass gain_db"
    comes(client, "b04603")
    (learned,) = host.state.controllers.learned
    assert (learned.source, learned.does, learned.waits) == ("cc:1:70", "strip bass gain_db", True)
    assert not host.state.controllers.learning
    comes(client, "b0465f", "b04600")
    await until(lambda: gain_of(client) == -90)
    keeping = asyncio.create_task(client.live.run())
    await until(lambda: "cc:1:70" in Settings.load(path).learned(DEVICE))
    keeping.cancel()
    again = playing(path)
    host.enter(again)
    comes(again, "b04600", "b0467f")
    await until(lambda: gain_of(again) == 12)


async def test_a_seven_bit_fader_is_learned_by_waiting_for_no_other_half(
    host: PageHost, client: Playing
) -> None:
    await learn(host, request=GAIN)
    comes(client, "b00703")
    await until(lambda: bool(host.state.controllers.learned))
    assert host.state.controllers.learned[0].source == "cc:1:7"


async def test_what_is_forgotten_does_nothing(host: PageHost, client: Playing) -> None:
    await learn(host, "cc:1:7", request=GAIN, how="jump")
    await learn(host, "cc:1:8", request={"type": "set_mix"}, field="send_mute")
    assert len(host.state.controllers.learned) == 2
    assert isinstance(await ask(host, type="forget", source="cc:1:9"), Refused)
    assert await ask(host, type="forget", source="cc:1:7") == Done(1)
    comes(client, "b00700", "b0087f")
    await until(lambda: client.live.listening.mix.send_mute)
    assert gain_of(client) == 0
    assert await ask(host, type="forget", source="all") == Done(1)
    assert host.state.controllers.learned == []


async def test_what_makes_no_sense_is_refused_and_learning_can_be_left(host: PageHost) -> None:
    said = await learn(host, request={"type": "no_such"})
    assert isinstance(said, Refused)
    assert "nothing that a controller can do" in said.text
    for source in ("cc:99:1", "note:1:36", "program:1:1"):
        assert isinstance(await learn(host, source, request=GAIN), Refused)
    for source in ("bend:1", "cc14:1:7"):
        assert isinstance(await learn(host, source, request={"type": "play"}), Refused)
    assert isinstance(await learn(host, "bend:1", request=GAIN, how="relative"), Refused)
    assert not host.state.controllers.learning
    await learn(host, request=GAIN)
    assert host.state.controllers.learning
    assert await ask(host, type="learn_end") == Done(1)
    assert not host.state.controllers.learning


async def test_of_a_fader_that_moves_faster_than_the_room_answers_the_newest_counts(
    host: PageHost, client: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    answers: list[Callable[[Ok | Error | None], None]] = []

    def conduct(request: Any, answer: Callable[[Ok | Error | None], None]) -> None:
        asked.append(request.bpm)
        answers.append(answer)

    monkeypatch.setattr(client.player, "conduct", conduct)
    await learn(host, "cc:1:7", request={"type": "tempo"}, low=0x40, high=0xBF, how="jump")
    comes(client, "b00720")
    await until(lambda: len(answers) == 1)
    comes(client, *(f"b007{value:02x}" for value in range(0x21, 0x60)))
    answers[0](Ok(1, 0, 1, 1))
    await until(lambda: len(answers) == 2)
    assert asked == [0x60, 0x9F]
    answers[1](Error("not_leader", "drums leads this room"))
    await until(lambda: host._controllers.part.problem == "drums leads this room")


def put(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data))


async def test_the_settings_may_be_changed_from_outside(
    host: PageHost, client: Playing, path: Path
) -> None:
    learned = {"cc:1:7": {"request": GAIN, "how": "jump"}, "cc:1:8": "rubbish"}
    put(path, {"controllers": {f"device:{DEVICE}": learned}})
    client.live.file_changed(Settings.load(path))
    comes(client, "b0077f")
    await until(lambda: gain_of(client) == 12)


async def test_nothing_of_the_control_input_goes_to_the_room(
    client: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = client.player.ports
    played: list[Any] = []

    def heard(events: Any, *_: int) -> tuple[list[Any], list[Any]]:
        played.append(events)
        return [], []

    monkeypatch.setattr(ports, "_now", lambda: (0, 0))
    monkeypatch.setattr(ports.ports[0], "heard", heard)
    ports._heard(Heard([(0, b"\x90\x40\x40")], control=True))
    assert played == []
    ports._heard(Heard([(0, b"\x90\x40\x40")]))
    assert len(played) == 1


def test_an_effects_value_moves_between_its_own_ends() -> None:
    kind = next(k for k in KINDS.values() if any(isinstance(p, Number) for p in k.parameters))
    number = next(p for p in kind.parameters if isinstance(p, Number))
    boards = Boards({"own": Board((Effect(id=3, kind=kind.id),))})
    view = BoardView(board="own", title="", effects=effects_of(boards, "own", {}, {}))
    state = State(effects=EffectsPart(boards=[view]), effect_kinds=kinds_view())
    target = looking.as_learned(state, Target({"type": "set_effect", "effect": 3}, number.name))
    goal = goal_of(target)
    assert goal.law is not None
    assert goal.law.value(1.0) == pytest.approx(number.most)
    assert goal.request(number.least)["values"] == {number.name: number.least}
    now = looking.current(state, goal.target.request, goal.target.field)
    assert now == number.default
    for request in ({"type": "set_effect", "effect": 4}, {"type": "bypass_effect", "effect": 4}):
        with pytest.raises(InvalidValue, match="there is no effect 4"):
            looking.as_learned(state, Target(request, number.name))
    bypass = goal_of(Target({"type": "bypass_effect", "effect": 3}))
    assert bypass.target.in_words() == "bypass-effect 3 bypass"
    assert (bypass.kind, bypass.target.field) == ("switch", "bypass")
    assert looking.current(state, bypass.target.request, "bypass") is False
    from_page = Target({"type": "set_effect", "effect": 3, "values": {number.name: number.least}})
    assert looking.as_learned(state, from_page).field == f"values.{number.name}"


def _with(*kinds: str, first_id: int) -> State:
    board = Board(tuple(Effect(id=n, kind=kind) for n, kind in enumerate(kinds, first_id)))
    effects = effects_of(Boards({"own": board}), "own", {}, {})
    view = BoardView(board="own", title="", effects=effects)
    return State(effects=EffectsPart(boards=[view]), effect_kinds=kinds_view())


def test_an_effect_that_was_learned_is_the_same_one_of_the_next_preset() -> None:
    before = _with("delay", "gain", "gain", first_id=1)
    after = _with("gain", "eq", "gain", first_id=4)
    learned = looking.as_learned(before, Target({"type": "set_effect", "effect": 3}, "gain"))
    assert learned.request == {"type": "set_effect", "effect": "own/gain/2"}
    assert looking.current(after, learned.request, learned.field) == 0.0
    delay = looking.as_learned(before, Target({"type": "bypass_effect", "effect": 1}))
    assert goal_of(delay).request(True)["effect"] == "own/delay"
    assert looking.current(after, delay.request, "bypass") is None
    again = looking.as_learned(before, Target({"type": "bypass_effect", "effect": "own/delay/1"}))
    assert again == delay
