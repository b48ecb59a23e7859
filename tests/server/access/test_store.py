"""What a server keeps of its rooms' access, the commands of its operator, and the audit log."""

import io
import json
import stat
import sys
import threading
from pathlib import Path

import pytest

from midipool.errors import Refused, Unavailable
from midipool_server import cli
from midipool_server.access import audit_file
from midipool_server.access.audit import AuditEvent
from midipool_server.access.audit_file import AuditFile
from midipool_server.access.invitations import Invited, Uses, opened
from midipool_server.access.passwords import hashed
from midipool_server.access.store import AccessStore, default_folder, new_id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_the_key_is_made_once_and_nobody_else_reads_it(folder: Path) -> None:
    keys: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: keys.append(AccessStore(folder).key())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert stat.S_IMODE((folder / "invitation.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_uses_and_passwords_are_there_again(folder: Path) -> None:
    uses = Uses()
    uses.use(Invited("t", "jam", "player", 2**40, 3), None, "anna", 0)
    AccessStore(folder).keep_uses(uses)
    assert AccessStore(folder).uses() == uses
    kept = hashed("secret", b"salt")
    AccessStore(folder).set_password("jam", kept)
    assert AccessStore(folder).password("jam") == kept
    assert AccessStore(folder).password("other") is None
    assert b"secret" not in (folder / "passwords.json").read_bytes()


@pytest.mark.parametrize("text", ["", "{", '{"jam": 3}', '{"jam": "secret"}'])
def test_a_broken_file_is_told_and_opens_no_door(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "passwords.json").write_text(text)
    with pytest.raises(Unavailable, match=r"passwords\.json"):
        AccessStore(folder).password("jam")


def test_where_it_is() -> None:
    where = default_folder({"STATE_DIRECTORY": "/var/lib/midipool:/x", "HOME": "/home/x"})
    assert where == Path("/var/lib/midipool")
    assert default_folder({"XDG_STATE_HOME": "/s"}) == Path("/s/midipool-server")
    assert default_folder({"XDG_STATE_HOME": "s", "HOME": "/home/x"}) == Path(
        "/home/x/.local/state/midipool-server"
    )


def test_no_id_of_an_invitation_looks_like_an_option() -> None:
    assert not [id for id in (new_id() for _ in range(1000)) if id.startswith("-")]


class TestCommands:
    def test_invite_prints_a_link_that_the_server_takes(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = f"invite jam --role listener --hours 2 --uses 3 --state-dir {folder}"
        assert cli.main([*words.split(), "--public-url", "https://jam.example/"]) == 0
        link = capsys.readouterr().out.strip()
        base, _, text = link.partition("#invite=")
        assert base == "https://jam.example/jam"
        invited = opened(text, AccessStore(folder).key(), "jam", 0)
        assert (invited.role, invited.uses) == ("listener", 3)

    def test_an_invitation_is_taken_back_by_the_id_that_was_printed(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        state = ["--state-dir", str(folder)]
        for _ in range(2):
            assert cli.main(["invite", "jam", *state]) == 0
        said = capsys.readouterr()
        command = said.err.partition("midipool-server ")[2].partition(" takes it back")[0]
        assert cli.main([*command.split(), *state]) == 0
        taken, kept = (
            opened(line.partition("#invite=")[2], AccessStore(folder).key(), "jam", 0)
            for line in said.out.split()
        )
        with pytest.raises(Refused, match="taken back"):
            AccessStore(folder).revoked().check(taken)
        AccessStore(folder).revoked().check(kept)

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ("invite api", "'api' is not a room"),
            ("invite jam --hours 0", "hours: must be"),
            ("invite jam --hours 99999999", "hours: must be"),
            ("invite jam --uses 0", "uses: must be"),
            ("revoke api ticket", "'api' is not a room"),
            ("revoke jam https://h/jam", "the id that `invite` printed"),
            (f"revoke jam {'x' * 33}", "1 to 32 characters"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, folder: Path, capsys: pytest.CaptureFixture[str], words: str, told: str
    ) -> None:
        assert cli.main([*words.split(), "--state-dir", str(folder)]) == 1
        assert told in capsys.readouterr().err
        assert not folder.exists()

    @pytest.mark.parametrize(
        ("words", "base"),
        [
            ("--host 127.0.0.2 --port 9", "http://127.0.0.2:9/"),
            ("--host ::1", "http://[::1]:8765/"),
            ("--host h --tls-cert c --tls-key k", "https://h:8765/"),
            ("--host h --behind-proxy", "https://h/"),
        ],
    )
    def test_the_address_is_what_the_settings_say(
        self, folder: Path, capsys: pytest.CaptureFixture[str], words: str, base: str
    ) -> None:
        assert cli.main(["invite", "jam", *words.split(), "--state-dir", str(folder)]) == 0
        said = capsys.readouterr()
        assert said.out.startswith(base)
        assert "a guess" in said.err

    def test_a_password_is_asked_for_kept_and_removed(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = ["--state-dir", str(folder)]
        monkeypatch.setattr(sys, "stdin", io.StringIO("secret\n"))
        assert cli.main(["password", "jam", *state]) == 0
        kept = AccessStore(folder).password("jam")
        assert kept is not None
        assert kept.matches("secret")
        assert cli.main(["password", *state]) == 0
        assert "secret" not in (said := capsys.readouterr().out)
        assert "jam" in said
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
        assert cli.main(["password", "jam", *state]) == 1
        assert "1 to 128 characters" in capsys.readouterr().err
        assert cli.main(["password", "jam", "--remove", *state]) == 0
        assert AccessStore(folder).password("jam") is None


class TestAudit:
    def test_a_line_for_each_event_that_its_owner_alone_reads(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.jsonl"
        log = AuditFile(path)
        log.write(AuditEvent("admitted", "jam", "anna", "192.0.2.1", role="host", how="open"))
        log.write(AuditEvent("kicked", "jam", "b\n\u2028ert", by="anna"))
        log.close()
        first, second = map(json.loads, path.read_text().split("\n")[:-1])
        assert first.pop("time")[:2] == "20"
        assert first == {
            "what": "admitted",
            "room": "jam",
            "name": "anna",
            "address": "192.0.2.1",
            "role": "host",
            "how": "open",
        }
        assert second["name"] == "b\n\u2028ert"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_it_is_turned_over_and_bounded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audit_file, "MAX_BYTES", 2000)
        log = AuditFile(tmp_path / "audit.jsonl")
        for n in range(500):
            log.write(AuditEvent("admitted", "jam", f"m{n}"))
        log.close()
        files = sorted(tmp_path.iterdir())
        assert len(files) == 1 + audit_file.OLD_FILES
        assert sum(file.stat().st_size for file in files) <= 2000 * len(files)
        assert "m499" in (tmp_path / "audit.jsonl").read_text()

    def test_who_is_refused_all_the_time_does_not_fill_it(self, tmp_path: Path) -> None:
        log = AuditFile(tmp_path / "audit.jsonl")
        for n in range(1000):
            log.write(AuditEvent("refused", "jam", f"m{n}", code="bad_password"))
        log.write(AuditEvent("admitted", "jam", "anna"))
        log.close()
        lines = (tmp_path / "audit.jsonl").read_text().splitlines()
        assert len(lines) < 150
        assert json.loads(lines[-1])["name"] == "anna"

    def test_where_it_cannot_be_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="--audit-log"):
            AuditFile(tmp_path / "none" / "audit.jsonl")
