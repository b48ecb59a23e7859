"""A room's list of modules: who changes it, who hears of it, and what comes back of it."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from midipool import messages as m
from midipool import snapshot
from midipool.errors import InvalidValue, Refused
from midipool.messages import LoadRoom, Message, ModuleNews, Modules, Ok, RoomModule, RoomSaved
from midipool.snapshot.modules import ModuleEntry
from midipool_server.access.invitations import opened
from midipool_server.access.means import Means
from midipool_server.access.state import Entry
from midipool_server.modules.listing import Task
from midipool_server.modules.specs import parse_specs
from midipool_server.outgoing import Outgoing
from midipool_server.room import Room
from midipool_server.saving import room_state

from ..simulation import ANNA, BERT, SECOND, Simulation

KEY = b"k" * 32
FILE = """
[drums]
command = ["drums", "{url}"]
about = "boom"
[delay]
command = ["delay", "{url}", "{beats}"]
listed = false
options.beats = { default = 0.75, least = 0.25 }
[secret]
command = ["secret"]
rooms = ["cellar"]
"""
PARTS = ("chat", "modules", "snapshots")
ADD = m.AddModule(id=1, program="delay", name="echo", options={"beats": 0.5})


def new_room(file: str = FILE) -> Room:
    ids = iter(range(1000))
    means = Means(key=lambda: KEY, new_id=lambda: f"id{next(ids)}")
    programs = parse_specs(file, "m.toml")
    return Room("jam", "c10c", 8765, programs=programs, means=means, unix_us=lambda us: us)


@dataclass
class Stage(Simulation):
    """anna is host, bert a player. Processes join when `play` is called."""

    room: Room = field(default_factory=new_room)
    running: dict[str, Task] = field(default_factory=dict)
    told: dict[str, RoomModule] = field(default_factory=dict)

    def take(self, out: list[Outgoing]) -> list[Outgoing]:
        for outgoing in out:
            match outgoing.message:
                case Modules(modules=modules):
                    self.told = {module.name: module for module in modules}
                case ModuleNews(modules=modules, gone=gone):
                    self.told |= {module.name: module for module in modules}
                    self.told = {n: told for n, told in self.told.items() if n not in gone}
        for task in self.room.modules.take_tasks():
            if task.do == "start":
                self.running[task.name] = task
            else:
                del self.running[task.name]
                for id in [i for i, who in self.room.members.items() if who.name == task.name]:
                    self.take(self.room.leave(self.now_us, id))
                self.ends(task.name, 0)
        return super().take(out)

    def come(self, id: int, name: str, token: str = "", entry: Entry | None = None) -> None:
        new = f"{id:032x}"
        _, out = self.room.join(self.now_us, id, name, token, False, new, PARTS, entry or Entry())
        self.take(out)

    def play(self, name: str, id: int) -> None:
        text = self.running[name].invitation
        invited = opened(text, KEY, "jam", self.now_us / 1e6)
        entry = Entry("127.0.0.1", invited=invited, kind="instrument")
        self.come(id, name, entry=entry)

    def ends(self, name: str, code: int, why: str = "") -> None:
        self.running.pop(name, None)
        self.take(self.room.modules.exited(self.now_us, name, code, why))

    def ask(self, message: Message, id: int = ANNA) -> None:
        out = self.take(self.room.handle(self.now_us, id, message))
        assert any(isinstance(o.message, Ok) and o.to == id for o in out)

    def state(self, name: str = "drums") -> str:
        shown = {module.name: module for module in self.room.modules.shown(self.now_us)}
        assert list(self.told.values()) == list(shown.values()) or set(self.told) == set(shown)
        assert self.told[name] == shown[name]
        return shown[name].state

    def document(self) -> dict[str, Any]:
        data = self.room.documents.document(self.now_us)
        said: dict[str, Any] = msgspec.json.decode(data)
        return said

    def load(self, modules: object, id: int = ANNA) -> None:
        document = {"midipool_room": 1, "modules": modules}
        self.now_us += 10 * SECOND
        self.ask(LoadRoom(id=1, data=msgspec.json.encode(document), left=0), id)


def stage() -> Stage:
    made = Stage()
    made.come(ANNA, "anna")
    made.come(BERT, "bert")
    return made


def test_a_room_begins_with_what_the_operator_listed_and_knows_what_else_there_is() -> None:
    jam = stage()
    [whole] = [o.message for _, o in jam.sent if o.to == BERT and isinstance(o.message, Modules)]
    assert [program.name for program in whole.programs] == ["drums", "delay"]
    assert whole.programs[1].options == [m.ModuleOption("beats", 0.75, 0.25)]
    assert [module.name for module in whole.modules] == ["drums"]
    assert jam.running["drums"].spec is not None
    assert jam.state() == "starting"
    jam.play("drums", 9)
    assert jam.state() == "playing"
    assert jam.room.members[9].role == "player"
    assert jam.room.describe(jam.now_us)["modules"] == list(jam.told.values())


def test_a_host_adds_one_with_options_and_everybody_hears_of_it() -> None:
    jam = stage()
    jam.play("drums", 9)
    jam.ask(ADD)
    assert jam.running["echo"].options == {"beats": 0.5}
    assert jam.state("echo") == "starting"
    jam.play("echo", 10)
    assert jam.state("echo") == "playing"
    assert "added the module echo" in [n.line.text for n in jam.heard(m.ChatNews)]
    jam.ask(m.StopModule(id=1, name="echo"))
    assert jam.state("echo") == "stopped"
    jam.ask(m.StartModule(id=1, name="echo"))
    jam.play("echo", 11)
    jam.ask(m.RestartModule(id=1, name="echo"))
    assert jam.state("echo") == "starting"
    jam.ask(m.RemoveModule(id=1, name="echo"))
    assert "echo" not in jam.told
    assert jam.room.modules.shown(jam.now_us) == [jam.told["drums"]]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (m.AddModule(id=1, program="secret"), "no_such_program"),
        (m.AddModule(id=1, program="rm -rf"), "no_such_program"),
        (m.AddModule(id=1, program="drums"), "name_taken"),
        (m.AddModule(id=1, program="delay", name="bert"), "name_taken"),
        (m.AddModule(id=1, program="delay", name="@all"), "name_taken"),
        (m.AddModule(id=1, program="delay", options={"beats": 0.1}), "options.beats"),
        (m.StartModule(id=1, name="echo"), "no_such_module"),
        (m.StopModule(id=1, name="anna"), "no_such_module"),
        (m.RestartModule(id=1, name="echo"), "no_such_module"),
        (m.RemoveModule(id=1, name="echo"), "no_such_module"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(command: Message, code: str) -> None:
    jam = stage()
    before = jam.room.modules.shown(jam.now_us)
    with pytest.raises((Refused, InvalidValue)) as refused:
        jam.ask(command)
    said = refused.value
    assert code in (getattr(said, "code", ""), getattr(said, "field", ""))
    assert jam.room.modules.shown(jam.now_us) == before
    assert list(jam.running) == ["drums"]


def flood(jam: Stage) -> None:
    for _ in range(100):
        jam.ask(m.StopModule(id=1, name="drums"))


def test_a_list_has_an_end_and_so_has_patience() -> None:
    jam = stage()
    for number in range(m.MAX_MODULES - 1):
        jam.now_us += SECOND
        jam.ask(msgspec.structs.replace(ADD, name=f"echo {number}"))
    with pytest.raises(Refused, match="remove one"):
        jam.ask(ADD)
    with pytest.raises(Refused, match="too often"):
        flood(jam)


def test_a_program_of_another_start_or_a_stranger_is_not_taken_for_the_module() -> None:
    jam = stage()
    old = jam.running["drums"]
    jam.come(9, "drums", entry=Entry("192.0.2.9", kind="instrument"))
    assert jam.state() == "starting"
    jam.take(jam.room.leave(jam.now_us, 9))
    jam.ends("drums", 1, "name taken")
    assert (jam.state(), jam.told["drums"].why) == (
        "restarting",
        "it ended with code 1: name taken",
    )
    assert jam.told["drums"].again_us == jam.now_us + SECOND // 2
    jam.run(SECOND)
    assert jam.running["drums"].invitation != old.invitation


def test_one_that_loses_its_connection_is_degraded_until_it_is_back_by_its_token() -> None:
    jam = stage()
    jam.play("drums", 9)
    token = jam.room.members[9].token
    jam.take(jam.room.lost(jam.now_us, 9))
    assert jam.state() == "degraded"
    jam.come(10, "drums", token, Entry(kind="instrument"))
    assert jam.state() == "playing"
    assert jam.room.members[10].guest


def test_a_room_stays_until_its_modules_have_ended() -> None:
    jam = stage()
    for id in (ANNA, BERT):
        jam.take(jam.room.leave(jam.now_us, id))
    assert not jam.room.empty
    assert jam.running
    jam.run(11 * SECOND)
    assert jam.room.empty
    assert not jam.running


def test_a_player_is_refused_and_a_remote_that_acts_for_nobody() -> None:
    jam = stage()
    jam.join(7, "desk", remote=True)
    for id in (BERT, 7):
        with pytest.raises(Refused, match="only a host"):
            jam.ask(ADD, id)


# ---- snapshots ----


def test_a_document_holds_the_list_and_loading_it_is_the_list() -> None:
    jam = stage()
    jam.play("drums", 9)
    jam.ask(ADD)
    jam.ask(m.StopModule(id=1, name="echo"))
    said = jam.document()["modules"]
    assert said == [
        {"name": "drums"},
        {"name": "echo", "program": "delay", "options": {"beats": 0.5}, "stopped": True},
    ]
    jam.load([{"name": "deep", "program": "delay"}, {"name": "drums"}])
    assert list(jam.told) == ["deep", "drums"]
    assert jam.state("drums") == "playing"  # it plays on
    assert "deep" in jam.running
    jam.load(said)
    assert jam.document()["modules"] == said
    assert (jam.state("drums"), jam.state("echo")) == ("playing", "stopped")


def test_a_module_that_is_other_than_before_begins_anew() -> None:
    jam = stage()
    jam.play("drums", 9)
    jam.ask(ADD)
    jam.play("echo", 10)
    jam.load([{"name": "drums"}, {"name": "echo", "program": "delay", "options": {"beats": 2}}])
    assert jam.running["echo"].options == {"beats": 2.0}
    assert jam.state("drums") == "playing"


@pytest.mark.parametrize(
    ("modules", "code", "where"),
    [
        ([{"name": "drums"}, {"name": "fuzz"}], "no_such_program", "modules[2].name"),
        ([{"name": "x", "program": "secret"}], "no_such_program", "modules[1].program"),
        (
            [{"name": "x", "program": "delay", "options": {"beats": 0}}],
            "bad_value",
            "modules[1].options.beats",
        ),
        ([{"name": "bert", "program": "delay"}], "name_taken", "modules[1].name"),
        ([{"name": "a", "program": "delay"}] * 2, "bad_snapshot", "modules[2].name"),
    ],
)
def test_what_is_not_allowed_here_is_one_error_that_names_it(
    modules: object, code: str, where: str
) -> None:
    jam = stage()
    jam.play("drums", 9)
    before = jam.document()
    with pytest.raises(Refused) as refused:
        jam.load(modules)
    assert (refused.value.code, refused.value.field) == (code, where)
    assert jam.document()["modules"] == before["modules"]
    assert jam.state() == "playing"


def test_a_player_loads_the_list_as_it_is_and_no_other() -> None:
    jam = stage()
    jam.load(jam.document()["modules"], BERT)
    with pytest.raises(Refused) as refused:
        jam.load([], BERT)
    assert (refused.value.code, refused.value.field) == ("not_host", "modules")


def test_a_room_without_modules_says_nothing_of_them() -> None:
    jam = Stage(room=Room("jam", "c10c", 8765))
    jam.come(ANNA, "anna")
    assert "modules" not in jam.document()
    assert "modules" not in jam.room.describe(jam.now_us)
    with pytest.raises(Refused, match="there are: none"):
        jam.ask(ADD)
    assert not jam.heard(RoomSaved)


def test_a_server_that_comes_back_has_the_list_and_starts_it_with_the_first_player() -> None:
    jam = stage()
    jam.play("drums", 9)
    jam.ask(ADD)
    token = jam.room.members[ANNA].token
    kept = room_state.decode(
        room_state.state_of(jam.room, room_state.body_of(jam.room, jam.now_us), jam.now_us)
    )
    back = Stage(room=new_room(FILE + '[new]\ncommand = ["new"]\n'), now_us=jam.now_us)
    room_state.bring_back(back.room, kept, back.now_us)
    assert not back.running
    back.come(ANNA, "anna", token)
    assert list(back.told) == ["drums", "echo", "new"]
    # It takes its place again, with all links that it had.
    back.play("drums", 2)
    back.play("echo", 3)
    assert (back.state("drums"), back.state("echo")) == ("playing", "playing")
    assert back.running["echo"].options == {"beats": 0.5}
    assert [o.name for o in back.room.places.members()].count("drums") == 1


def test_what_the_operator_allows_no_more_stays_in_the_list_and_is_not_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    jam = stage()
    jam.ask(ADD)
    token = jam.room.members[ANNA].token
    kept = room_state.decode(
        room_state.state_of(jam.room, room_state.body_of(jam.room, jam.now_us), jam.now_us)
    )
    back = Stage(room=new_room('[drums]\ncommand = ["drums"]\n'), now_us=jam.now_us)
    room_state.bring_back(back.room, kept, back.now_us)
    assert "module echo is not run" in caplog.text
    back.come(ANNA, "anna", token)
    back.play("drums", 2)
    assert back.state("echo") == "failed"
    assert "no program 'delay'" in back.told["echo"].why
    with pytest.raises(Refused, match="no program 'delay'"):
        back.ask(m.RestartModule(id=1, name="echo"))
    assert back.document()["modules"][1]["name"] == "echo"
    back.ask(m.RemoveModule(id=1, name="echo"))
    assert list(back.told) == ["drums"]


def test_a_document_of_modules_keeps_what_it_does_not_know() -> None:
    said = {"midipool_room": 1, "modules": [{"name": "a", "colour": "red"}]}
    found = snapshot.read(said)
    assert found.snapshot.modules == [ModuleEntry(name="a")]
    assert snapshot.to_builtins(found.snapshot, found.kept) == said
    assert found.unknown == [("modules", 0, "colour")]
