"""A file that unpacks to far more than it is: stopped at a stated size and ratio, and told as unread."""

from __future__ import annotations

import gzip
import random
import zipfile
from pathlib import Path

import pytest

from playbooks.case import new_case
from playbooks.evidence import add
from playbooks.normalise import normalise
from playbooks.normalise.containers import source
from playbooks.normalise.containers.source import BOMB_RATIO
from playbooks.normalise.text import Damage, read_text

LIMIT = 8 << 20


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BOMB_BYTES", LIMIT)


def unpacked(file: Path) -> tuple[int, list[Damage]]:
    blocks = list(read_text(file))
    return sum(len(b) for b in blocks if isinstance(b, str)), [b for b in blocks if isinstance(b, Damage)]


def test_a_bomb_is_stopped_at_the_stated_size(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(b"0" * (100 << 20), mtime=0))
    size, [damage] = unpacked(bomb)
    assert LIMIT < size < 3 * LIMIT
    assert damage.reason.startswith(f"unpacking was stopped after {size:,} bytes, more than {BOMB_RATIO} times")


def test_a_bomb_in_many_members_is_stopped_too(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(b"0" * (4 << 20), mtime=0) * 25)
    size, [damage] = unpacked(bomb)
    assert size < 3 * LIMIT
    assert "this looks like a bomb" in damage.reason


def test_a_large_log_of_much_the_same_lines_is_read_whole(tmp_path: Path) -> None:
    """The near miss: far above the size, packed 60 to 200 times as real flow logs of one heartbeat are."""
    chance = random.Random(7)
    line = "2026-03-10T00:00:00Z 10.20.3.17 198.51.100.7 443 {} ACCEPT OK\n"
    log = "".join(line.format(chance.randrange(9999)) * 20 for _ in range(12000)).encode()
    packed = gzip.compress(log, mtime=0)
    assert len(log) > LIMIT
    assert 60 < len(log) / len(packed) < BOMB_RATIO
    (tmp_path / "flow.gz").write_bytes(packed)
    assert unpacked(tmp_path / "flow.gz") == (len(log), [])


def test_a_bomb_among_the_evidence_is_unread_with_the_reason_and_the_counts_add_up(tmp_path: Path) -> None:
    lines = b'{"ts":1773100800.0,"uid":"C1","id.orig_h":"10.0.0.1"}\n'
    (tmp_path / "bomb.log.gz").write_bytes(gzip.compress(lines + b"\n" * (100 << 20), mtime=0))
    case = new_case(tmp_path / "case", "BOMB-1")
    add(case, [tmp_path / "bomb.log.gz"])
    [reading] = normalise(case)
    assert reading.records == reading.events + reading.unread + reading.blank
    assert reading.unread >= 1
    assert LIMIT < reading.blank < 3 * LIMIT
    import pandas as pd

    reasons = pd.read_parquet(case.unread / "E001.parquet").reason
    assert reasons.str.contains("this looks like a bomb").any()


def test_a_zip_archive_is_read_and_a_bomb_in_it_is_stopped(tmp_path: Path) -> None:
    lines = b'{"ts":1773100800.0,"uid":"C1","id.orig_h":"10.0.0.1"}\n'
    with zipfile.ZipFile(tmp_path / "logs.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("small.log", lines)
        packed.writestr("bomb.log", lines + b"\n" * (100 << 20))
        packed.writestr("after.log", lines)
    case = new_case(tmp_path / "case", "ZIP-1")
    add(case, [tmp_path / "logs.zip"])
    [reading] = normalise(case)
    assert reading.records == reading.events + reading.unread + reading.blank
    assert reading.events + reading.unread == 3
    assert LIMIT < reading.blank < 4 * LIMIT
    import pandas as pd

    reasons = pd.read_parquet(case.unread / "E001.parquet").reason
    assert reasons.str.contains("this looks like a bomb").sum() == 1
