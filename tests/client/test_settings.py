"""The user's settings, and the file that keeps them."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.click import ClickSettings
from midipool.errors import InvalidValue, Unavailable
from midipool_client.settings import Settings, default_path
from midipool_client.settings_file import MAX_BYTES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "midipool" / "settings.json"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def held(path: Path) -> Any:
    return json.loads(path.read_text())


class TestWhere:
    def test_the_xdg_folder_is_honoured(self) -> None:
        environ = {"XDG_CONFIG_HOME": "/x", "HOME": "/home/ann"}
        assert default_path(environ, "linux") == Path("/x/midipool/settings.json")
        assert default_path(environ, "darwin") == Path("/x/midipool/settings.json")

    @pytest.mark.parametrize("xdg", ["", "relative"])
    def test_without_a_good_one_it_is_in_the_home_folder(self, xdg: str) -> None:
        environ = {"XDG_CONFIG_HOME": xdg, "HOME": "/home/ann"}
        assert default_path(environ, "linux") == Path("/home/ann/.config/midipool/settings.json")

    def test_on_macos_it_is_where_settings_are_there(self) -> None:
        expected = Path("/Users/ann/Library/Application Support/midipool/settings.json")
        assert default_path({"HOME": "/Users/ann"}, "darwin") == expected

    def test_load_looks_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        assert Settings.load().path == tmp_path / "midipool" / "settings.json"


class TestOffsets:
    def test_without_a_file_every_offset_is_nothing(self, path: Path) -> None:
        settings = Settings.load(path)
        assert settings.offset_ms("midiPool") == 0.0
        assert settings.offset_ms("midiPool", "Hydrogen") == 0.0
        assert not path.parent.exists()

    def test_what_was_saved_is_there_the_next_time(self, path: Path) -> None:
        settings = Settings.load(path)
        settings.set_offset_ms(2.5, "midiPool")
        settings.save()
        assert Settings.load(path).offset_ms("midiPool") == 2.5

    def test_the_daws_wins_over_the_devices(self, path: Path) -> None:
        settings = Settings.load(path)
        settings.set_offset_ms(2.5, "midiPool")
        settings.set_offset_ms(-12, "midiPool", "Hydrogen")
        assert settings.offset_ms("midiPool", "Hydrogen") == -12.0
        assert settings.offset_ms("midiPool", "Ardour") == 2.5
        assert settings.offset_ms("midiPool") == 2.5

    def test_a_daws_offset_of_nothing_still_wins(self, path: Path) -> None:
        settings = Settings.load(path)
        settings.set_offset_ms(2.5, "midiPool")
        settings.set_offset_ms(0, "midiPool", "Hydrogen")
        assert settings.offset_ms("midiPool", "Hydrogen") == 0.0

    def test_none_forgets_one_and_leaves_no_trace(self, path: Path) -> None:
        settings = Settings.load(write(path, '{"ports": {"daw:A": {"offset_ms": 1}}}'))
        settings.set_offset_ms(None, "midiPool", "A")
        assert settings.offset_ms("midiPool", "A") == 0.0
        settings.save()
        assert held(path) == {}

    @pytest.mark.parametrize("offset_ms", [-1000.5, 1001, float("nan"), float("inf"), True, "3"])
    def test_one_out_of_range_is_refused(self, path: Path, offset_ms: Any) -> None:
        settings = Settings.load(path)
        with pytest.raises(InvalidValue, match="-1000 to 1000"):
            settings.set_offset_ms(offset_ms, "midiPool")
        assert settings.offset_ms("midiPool") == 0.0

    @pytest.mark.parametrize("name", ["", "x" * 257])
    def test_a_name_must_be_one(self, path: Path, name: str) -> None:
        with pytest.raises(InvalidValue, match="device: must have 1 to 256"):
            Settings.load(path).set_offset_ms(1, name)
        with pytest.raises(InvalidValue, match="daw: must have 1 to 256"):
            Settings.load(path).set_offset_ms(1, "midiPool", name)

    @given(
        st.text(st.characters(codec=None), min_size=1, max_size=20),
        st.floats(-1000, 1000, allow_nan=False),
    )
    def test_any_name_and_any_offset_come_back(
        self, tmp_path_factory: pytest.TempPathFactory, name: str, offset_ms: float
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "any" / "settings.json"
        settings = Settings.load(path)
        settings.set_offset_ms(offset_ms, "midiPool", name)
        settings.save()
        assert Settings.load(path).offset_ms("midiPool", name) == offset_ms
        path.unlink()


class TestClick:
    def test_without_a_file_it_is_the_default(self, path: Path) -> None:
        assert Settings.load(path).click == ClickSettings()

    def test_what_was_saved_is_there_the_next_time(self, path: Path) -> None:
        settings = Settings.load(path)
        settings.click = click = ClickSettings(volume=0.5, compound=True, channel=3)
        settings.save()
        assert Settings.load(path).click == settings.click == click
        assert held(path) == {"click": {"volume": 0.5, "compound": True, "channel": 3}}

    def test_it_can_be_set_back(self, path: Path) -> None:
        settings = Settings.load(write(path, '{"click": {"note": 50, "swing": 3}}'))
        settings.click = ClickSettings()
        settings.save()
        assert Settings.load(path).click == ClickSettings()
        assert held(path)["click"]["swing"] == 3


class TestTheFile:
    def test_it_is_the_users_own(self, path: Path) -> None:
        write(path, "{}").chmod(0o644)
        settings = Settings.load(path)
        settings.set_offset_ms(1, "midiPool")
        settings.save()
        assert path.stat().st_mode & 0o777 == 0o600

    def test_what_is_unknown_is_kept(self, path: Path) -> None:
        before: dict[str, Any] = {
            "theme": ["dark"],
            "ports": {"daw:A": {"colour": 3}},
            "click": {"swing": 0.1},
        }
        settings = Settings.load(write(path, json.dumps(before)))
        settings.set_offset_ms(5, "midiPool", "A")
        settings.click = replace(settings.click, channel=2)
        settings.save()
        before["ports"]["daw:A"]["offset_ms"] = 5
        before["click"]["channel"] = 2
        assert held(path) == before

    def test_names_are_written_as_people_read_them(self, path: Path) -> None:
        settings = Settings.load(path)
        settings.set_offset_ms(1, "Größe")
        settings.save()
        assert '"device:Größe"' in path.read_text(encoding="utf-8")

    def test_saving_nothing_new_writes_nothing(self, path: Path) -> None:
        settings = Settings.load(path)
        settings.click = settings.click
        settings.save()
        assert not path.exists()

    def test_a_link_stays_a_link(self, path: Path, tmp_path: Path) -> None:
        real = write(tmp_path / "dotfiles" / "midipool.json", "{}")
        path.parent.mkdir()
        path.symlink_to(real)
        settings = Settings.load(path)
        settings.set_offset_ms(1, "midiPool")
        settings.save()
        assert path.is_symlink()
        assert held(real) == {"ports": {"device:midiPool": {"offset_ms": 1}}}

    def test_what_a_crash_left_behind_is_in_nobodys_way(self, path: Path) -> None:
        write(path, "{}").with_name("settings.json.new").write_text('{"po')
        settings = Settings.load(path)
        settings.set_offset_ms(1, "midiPool")
        settings.save()
        assert Settings.load(path).offset_ms("midiPool") == 1
        assert sorted(os.listdir(path.parent)) == ["settings.json", "settings.json.lock"]

    def test_when_it_cannot_be_written_the_old_one_stays(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        settings = Settings.load(write(path, '{"theme": 1}'))
        settings.set_offset_ms(1, "midiPool")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match=r"cannot save the settings: .*No space left"):
            settings.save()
        assert held(path) == {"theme": 1}
        assert not path.with_name("settings.json.new").exists()
        monkeypatch.undo()
        settings.save()
        assert held(path) == {"theme": 1, "ports": {"device:midiPool": {"offset_ms": 1}}}

    def test_it_does_not_grow_beyond_what_can_be_read(self, path: Path) -> None:
        text = json.dumps({"theme": "x" * (MAX_BYTES - 20)})
        settings = Settings.load(write(path, text))
        settings.set_offset_ms(1, "midiPool")
        with pytest.raises(InvalidValue, match="larger than"):
            settings.save()
        assert path.read_text() == text


# Lines are those of the value that is wrong.
BROKEN = {
    '{\n "ports": {},\n "click": {]\n}': 3,
    "": 1,
    "[]": 1,
    '{"ports": 3}': 1,
    '{\n"ports":\n{"daw:A":\n[]}}': 4,
    '{"ports":\n{"device:midiPool": {"offset_ms":\n5000}}}': 3,
    '{"ports":\n{"daw:B": {"offset_ms": 1},\n"daw:A": {"offset_ms": "3"}}}': 3,
    '{"daw:A": {"offset_ms":\n0},\n"ports": {"x": {"daw:A":\n1}, "daw:A": {"offset_ms": []}}}': 4,
    '{"ports": {},\n"click": 1}': 2,
    '{"click": {\n"swing": {"channel": 1},\n"channel": 17}}': 3,
    '{"click": {"volume": 1,\n"volume":\n"loud"}}': 3,
    '{"x":\n' + "[" * 100_000 + "}": 1,
    '{"x": ' + "9" * 5_000 + "}": 1,
}


class TestABrokenFile:
    @pytest.mark.parametrize(("text", "line"), BROKEN.items(), ids=range(len(BROKEN)))
    def test_it_is_refused_with_its_name_and_the_line(
        self, path: Path, text: str, line: int
    ) -> None:
        with pytest.raises(InvalidValue) as caught:
            Settings.load(write(path, text))
        assert str(caught.value).startswith(f"{path}: line {line}: ")
        assert "\n" not in str(caught.value)

    def test_the_rule_is_told(self, path: Path) -> None:
        write(path, '{"click": {"channel": 17}}')
        with pytest.raises(InvalidValue, match=r"line 1: click.channel must be 1 to 16; correct"):
            Settings.load(path)

    def test_other_encodings_are_refused_with_the_line(self, path: Path) -> None:
        write(path, "").write_bytes(b'{\n"device:Gr\xf6\xdfe": 1}')
        with pytest.raises(InvalidValue, match="line 2: is not UTF-8"):
            Settings.load(path)

    def test_one_that_windows_editors_marked_is_not_broken(self, path: Path) -> None:
        write(path, "").write_bytes(b'\xef\xbb\xbf{"click": {"note": 50}}')
        assert Settings.load(path).click.note == 50

    def test_one_that_is_too_large_is_not_read_to_its_end(self, path: Path) -> None:
        with pytest.raises(InvalidValue, match="is larger than"):
            Settings.load(write(path, " " * (MAX_BYTES + 1)))

    def test_one_that_cannot_be_read_is_told_in_words(self, path: Path) -> None:
        path.mkdir(parents=True)
        with pytest.raises(Unavailable, match=r"cannot read the settings: .*settings.json"):
            Settings.load(path)

    def test_one_that_is_read_but_cannot_be_written_again_stays(self, path: Path) -> None:
        # Indented it is larger than it was.
        text = '{"theme": ' + "[" * 800 + "]" * 800 + "}"
        settings = Settings.load(write(path, text))
        settings.set_offset_ms(1, "midiPool")
        with pytest.raises(InvalidValue, match=r"would be larger|brackets too deep"):
            settings.save()
        assert path.read_text() == text

    def test_one_that_broke_meanwhile_is_not_written_over(self, path: Path) -> None:
        settings = Settings.load(path)
        settings.set_offset_ms(1, "midiPool")
        write(path, "{ my own notes")
        with pytest.raises(InvalidValue, match="line 1"):
            settings.save()
        assert path.read_text() == "{ my own notes"

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["ports", "click", "offset_ms", "daw:A", "channel", "volume"]),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ),
        st.none() | st.integers(0, 3),
    )
    def test_no_file_raises_anything_else(
        self, tmp_path_factory: pytest.TempPathFactory, data: Any, indent: int | None
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "broken.json"
        path.write_text(json.dumps(data, indent=indent))
        with contextlib.suppress(InvalidValue):
            settings = Settings.load(path)
            assert -1000 <= settings.offset_ms("B", "A") <= 1000
            assert 1 <= settings.click.channel <= 16


class TestTwoClients:
    def test_neither_loses_what_the_other_set(self, path: Path) -> None:
        one, other = Settings.load(path), Settings.load(path)
        one.set_offset_ms(1, "one")
        one.click = replace(one.click, volume=0.5)
        other.set_offset_ms(2, "other")
        other.click = replace(other.click, channel=2)
        one.save()
        other.save()
        both = Settings.load(path)
        assert (both.offset_ms("one"), both.offset_ms("other")) == (1, 2)
        assert both.click == ClickSettings(volume=0.5, channel=2)

    def test_what_was_saved_once_is_not_saved_again_over_the_others(self, path: Path) -> None:
        one, other = Settings.load(path), Settings.load(path)
        for client, offset_ms in ((one, 1), (other, 2)):
            client.set_offset_ms(offset_ms, "midiPool")
            client.save()
        one.set_offset_ms(3, "another")
        one.save()
        assert one.offset_ms("midiPool") == 2

    def test_many_at_once_do_not_either(self, path: Path) -> None:
        clients, rounds = 6, 10
        at_once = threading.Barrier(clients)

        def save(client: int) -> None:
            settings = Settings.load(path)
            for turn in range(rounds):
                settings.set_offset_ms(turn, f"{client}.{turn}")
                at_once.wait(30)
                settings.save(patience_s=30)

        threads = [threading.Thread(target=save, args=(client,)) for client in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(held(path)["ports"]) == clients * rounds

    def test_processes_do_not_either(self, path: Path) -> None:
        code = """if True:
            import sys
            from pathlib import Path
            from midipool_client.settings import Settings
            for turn in range(1, 21):
                settings = Settings.load(Path(sys.argv[1]))
                settings.set_offset_ms(turn, sys.argv[2] + str(turn))
                settings.save(patience_s=30)
        """
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code, str(path)]
        running = [subprocess.Popen([*command, name], env=environ) for name in "ab"]
        assert [process.wait(30) for process in running] == [0, 0]
        assert len(held(path)["ports"]) == 40

    def test_one_that_never_finishes_is_not_waited_for_for_ever(self, path: Path) -> None:
        settings = Settings.load(write(path, "{}"))
        settings.set_offset_ms(1, "midiPool")
        with path.with_name("settings.json.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(Unavailable, match=r"another client holds .*; try again"):
                settings.save(patience_s=0.01)
        settings.save()
        assert Settings.load(path).offset_ms("midiPool") == 1
