"""The closing lines of ./run test, by which one knows how all of it went."""

import subprocess
import sys
from pathlib import Path

from tests.sum_up import sum_up

RUN = """import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.skip
def test_not(): pass
@pytest.fixture
def broken(): raise OSError
def test_error(broken): pass
"""


def found_by_pytest(folder: Path, name: str, *words: str) -> Path:
    (folder / "test_some.py").write_text(RUN)
    file = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "--rootdir", ".", f"--junitxml={file}", *words]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL)
    return file


def test_runs_are_added_up_and_what_failed_is_named(tmp_path: Path) -> None:
    files = [found_by_pytest(tmp_path, "first"), found_by_pytest(tmp_path, "second", "-k", "good")]
    *wrong, first, second, total = sum_up(files).splitlines()
    assert wrong == ["FAILED test_some::test_bad", "FAILED test_some::test_error"]
    assert " 1 failed, 1 errors, 1 skipped, 1 passed in " in first
    assert second.startswith("second ")
    assert " 1 failed, 1 errors, 1 skipped, 2 passed in " in total


def test_a_run_that_was_cut_off_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "torn.xml").write_text("<testsuites><testsui")
    lines = sum_up([tmp_path / "none.xml", tmp_path / "torn.xml"]).splitlines()
    assert all(line.endswith("did not get to its end") for line in lines[:2])
    assert lines[2].endswith("no tests in 0 s and more")
