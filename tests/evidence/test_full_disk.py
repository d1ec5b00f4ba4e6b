"""A disk that runs full at any moment: a clear error, an intact case, and the same command goes on later."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.case import Case, new_case, open_case
from playbooks.errors import PlaybookError
from playbooks.evidence import add, items, verify

DISK_KIB = 2048
FILES = [150_000, 90_000, 200_000, 30_000, 700_000, 10]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "none", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("playbooks.evidence.preserve.BATCH_FILES", 2)
    folder = tmp_path / "in"
    folder.mkdir()
    for number, size in enumerate(FILES):
        (folder / f"{number}.log").write_bytes(bytes([65 + number]) * size)
    return folder


def fill(disk: Path, free: int) -> Path:
    """A file that leaves `free` bytes of the disk."""
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * (shutil.disk_usage(disk).free - free))
    return ballast


@pytest.mark.parametrize("free", range(0, 1_900_000, 90_000))
def test_a_disk_that_is_full_after_any_number_of_bytes_is_told_and_the_case_is_intact(
    free: int, small_disk: Path, logs: Path
) -> None:
    case = new_case(small_disk / "case", "FULL-1")
    ballast = fill(small_disk, free)
    try:
        add(case, [logs])
    except PlaybookError as error:
        assert "the disk is full" in str(error)
        assert "Free space" in str(error)
    else:
        assert free > sum(FILES)
    require_sound(case)
    ballast.unlink()
    add(case, [logs])
    assert [item.file(case).stat().st_size for item in items(case)] == FILES
    assert verify(case).faults == ()


def require_sound(case: Case) -> None:
    """Whatever is recorded is whole; nothing is recorded that is not there."""
    verdict = verify(open_case(case.path))
    assert [fault for fault in verdict.faults if "missing: nothing says" not in fault.what] == []
    assert all(item.file(case).stat().st_size == item.size for item in items(case))


def test_an_act_that_could_not_be_written_leaves_no_half_line(small_disk: Path) -> None:
    from playbooks.evidence import custody

    chain = small_disk / "custody.jsonl"
    custody.append(chain, "FULL-1", "noted")
    before = chain.read_bytes()
    fill(small_disk, 0)
    with pytest.raises(PlaybookError, match="could not be recorded"):
        custody.append(chain, "FULL-1", "noted", text="x" * 20_000)
    assert chain.read_bytes() == before
