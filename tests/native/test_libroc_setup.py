"""native/libroc.sh on a machine of fakes: apt, scons and the like, which write down their calls."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from midipool_native import roc

SCRIPT = Path(__file__).resolve().parents[2] / "native" / "libroc.sh"
REAL = "bash env mkdir rm mv touch flock find mktemp sha256sum cut uname awk sed tar cat cp nproc"
# What a Debian 12 without libroc says and does.
FAKES = {
    "ldconfig": "cat ldconfig.txt 2>/dev/null",
    "apt-cache": "cat apt-cache.txt 2>/dev/null",
    "dpkg-query": "echo installed",
    "sudo": "exit 1",
    "cmake": "true",
    "strip": "true",
    "apt-get": """case "$*" in
        indextargets*) echo "Debian main bookworm http://archive.invalid/debian" ;;
        *source*) [[ ! -e offline ]] || exit 100 ;;&
        *source*openfec/*) cp openfec.tar openfec_1.orig.tar.xz ;;
        *source*roc-toolkit/*) cp roc.tar roc-toolkit_0.4.7+dfsg.orig.tar.xz ;;
    esac""",
    "scons": """for word; do [[ $word != --prefix=* ]] || out=${word#--prefix=}; done
        [[ ${!#} != install ]] || { mkdir -p $out/lib && touch $out/lib/libroc.so.0.4; }""",
}


class Machine:
    """A folder that stands for a machine: its programs, its home, and what was called."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls_path = root / "calls"
        self.bin = root / "bin"
        self.bin.mkdir()
        for name in REAL.split():
            (self.bin / name).symlink_to(shutil.which(name) or pytest.skip(f"no {name} here"))
        for name, does in FAKES.items():
            self.provide(name, does)
        for name in ("openfec", "roc"):
            (root / name).mkdir()
            (root / name / "CMakeLists.txt").touch()
            subprocess.run(["tar", "-cf", f"{name}.tar", name], cwd=root, check=True)
        keyring = root / "keyring.gpg"
        keyring.touch()
        text = SCRIPT.read_text().replace(
            "/usr/share/keyrings/debian-archive-keyring.gpg", str(keyring)
        )
        self.script = root / "libroc.sh"
        self.script.write_text(text)

    def provide(self, name: str, does: str) -> None:
        """Put a program there that writes its call down; files of its own are in the root."""
        note = f'echo "{name} $*" >>{self.calls_path}\n'
        does = does.replace("ldconfig.txt", f"{self.root}/ldconfig.txt")
        does = does.replace("apt-cache.txt", f"{self.root}/apt-cache.txt")
        for there in ("offline", "openfec.tar", "roc.tar"):
            does = does.replace(f" {there}", f" {self.root}/{there}")
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!{shutil.which('bash')}\n{note}{does}\n")
        path.chmod(0o755)

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {"PATH": str(self.bin), "HOME": str(self.root / "home")}
        command = [str(self.bin / "bash"), str(self.script), *words]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def setup(self, *words: str) -> str:
        """What it says; it must succeed in any case."""
        with self.start(*words) as process:
            said = process.communicate(timeout=30)[1]
        assert process.returncode == 0, said
        return said

    def calls(self, name: str) -> list[str]:
        """The calls of a program since the last look at any."""
        text = self.calls_path.read_text() if self.calls_path.exists() else ""
        return [line for line in text.splitlines() if line.startswith(f"{name} ")]

    def cache(self) -> Path:
        return self.root / "home" / ".cache" / "midipool"

    def built(self) -> list[Path]:
        return list(self.cache().glob("libroc-0.4.7-*/lib/libroc.so.0.4"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_installed_libroc_is_taken_at_once(machine: Machine) -> None:
    (machine.root / "ldconfig.txt").write_text("libroc.so.0.4 => /lib/libroc.so.0.4")
    assert machine.setup() == ""
    assert machine.calls("apt-get") == []
    assert not machine.cache().exists()


def test_the_archives_package_is_installed(machine: Machine) -> None:
    (machine.root / "apt-cache.txt").write_text("Package: libroc0.4")
    machine.provide("sudo", 'shift $(($# > 1 && 0)); [[ $1 == -n ]] || "$@"')
    assert "installing libroc0.4" in machine.setup()
    assert any(
        call.endswith("install -y --no-install-recommends libroc0.4")
        for call in machine.calls("apt-get")
    )
    assert machine.calls("scons") == []


def test_it_is_built_once_and_found(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "building libroc" in machine.setup()
    assert len(machine.built()) == 1
    calls = machine.calls_path.read_text()
    assert machine.setup() == ""
    assert machine.calls_path.read_text().replace("ldconfig -p\n", "") == calls.replace(
        "ldconfig -p\n", ""
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine.root / "home" / ".cache"))
    assert roc.cache_folder() == machine.cache()
    assert not list(machine.cache().glob("building.*"))


def test_setups_side_by_side_build_it_once(machine: Machine) -> None:
    both = [machine.start(), machine.start()]
    for process in both:
        with process:
            process.communicate(timeout=30)
        assert process.returncode == 0
    assert len([call for call in machine.calls("scons") if call.endswith(" install")]) == 1
    assert len(machine.built()) == 1


def test_without_a_network_setup_goes_on_and_asks_once_a_day(machine: Machine) -> None:
    (machine.root / "offline").touch()
    said = machine.setup()
    assert said.splitlines()[-1].startswith("setup: going on without libroc, which audio needs:")
    assert machine.setup() == ""
    (machine.root / "offline").unlink()
    assert "building" in machine.setup("--again")
    assert machine.built()


def test_a_build_that_fails_leaves_nothing(machine: Machine) -> None:
    machine.provide("cmake", "exit 1")
    assert "it does not build" in machine.setup()
    assert not machine.built()
    assert not list(machine.cache().glob("building.*"))


def test_a_build_that_was_cut_off_is_done_anew(machine: Machine) -> None:
    machine.setup()
    stamp = machine.built()[0].parents[1] / "stamp"
    stamp.unlink()
    (machine.cache() / "building.old").mkdir()
    assert "building" in machine.setup()
    assert stamp.exists()
    assert not list(machine.cache().glob("building.*"))


def test_another_archive_cannot_build_it(machine: Machine) -> None:
    machine.provide("apt-get", 'case "$*" in indextargets*) echo "Ubuntu main jammy x" ;; esac')
    assert "no Debian archive" in machine.setup()


def test_without_apt_it_says_what_to_install(machine: Machine) -> None:
    (machine.bin / "apt-get").unlink()
    assert "no apt-get here; install libroc 0.4" in machine.setup()


@pytest.mark.skipif(os.geteuid() == 0, reason="root needs no sudo")
def test_without_root_it_says_what_root_should_do(machine: Machine) -> None:
    machine.provide("dpkg-query", "echo none")
    assert "as root: apt-get update && apt-get install" in machine.setup()
