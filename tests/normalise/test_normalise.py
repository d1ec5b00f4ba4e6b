"""A case's evidence becomes tables; per item records = events + unread + blank."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.formats.refresh_cases import CASES

from playbooks import schema
from playbooks.case import Case, new_case, open_case
from playbooks.engine import open_tables
from playbooks.evidence import add, items
from playbooks.normalise import Reading, normalise, readings

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


def case_with(folder: Path, *files: Path) -> Case:
    case = new_case(folder / "case", "NORM-1")
    add(case, list(files))
    return case


def case_of(folder: Path, **contents: bytes) -> Case:
    (folder / "in").mkdir()
    for name, data in contents.items():
        (folder / "in" / name).write_bytes(data)
    return case_with(folder, *sorted((folder / "in").iterdir()))


def lines(file: Path) -> int:
    """Line ends of a file, counted without the kit; a last line without one counts."""
    data = file.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.count(b"\n") + (not data.endswith(b"\n"))


@pytest.fixture(scope="module", params=["incident", "quiet"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, dict[str, object]]:
    case = case_with(tmp_path_factory.mktemp(request.param), SAMPLES / request.param / "logs")
    normalise(case)
    return case, json.loads((SAMPLES / request.param / "truth.json").read_text())


def test_the_samples_obey_the_conservation_law(sample: tuple[Case, dict[str, object]]) -> None:
    case, truth = sample
    stated = {file["file"].replace(" ", "_"): file["records"] for file in truth["files"]}  # type: ignore[attr-defined]
    found = {r.name.partition("-")[2]: r.records - r.blank for r in readings(case)}
    assert found == stated
    for reading in readings(case):
        assert reading.records == reading.events + reading.unread + reading.blank
        assert reading.tables == {table: rows(case.events / table, reading) for table in reading.tables}
        assert reading.events == sum(reading.tables.values())
        assert reading.unread == rows(case.unread, reading)


def rows(folder: Path, reading: Reading) -> int:
    file = folder / f"{reading.evidence_id}.parquet"
    return int(pq.read_metadata(file).num_rows) if file.exists() else 0


def test_in_the_samples_exactly_the_planted_damage_is_unread(sample: tuple[Case, dict[str, object]]) -> None:
    case, truth = sample
    names = {item.evidence_id: Path(item.source).name for item in items(case)}
    found = [row for file in sorted(case.unread.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    assert {(names[row["evidence_id"]], row["record_no"], row["kind"]) for row in found} == {
        (row["file"], row["record"], row["kind"])
        for row in truth["unread"]  # type: ignore[attr-defined]
    }


def test_tables_hold_the_columns_of_the_dictionary_in_the_order_of_the_record(
    sample: tuple[Case, dict[str, object]],
) -> None:
    case, _ = sample
    for reading in readings(case):
        times = []
        files = [case.events / name / f"{reading.evidence_id}.parquet" for name in reading.tables]
        for file in filter(Path.is_file, files):  # a log of many kinds need not hold them all
            table, name = pq.read_table(file), file.parent.name
            assert tuple(table.column_names) == schema.TABLES[name].names
            numbers = table["record_no"].to_pylist()
            assert numbers == sorted(set(numbers))
            assert set(table["evidence_id"].to_pylist()) == {reading.evidence_id}
            times += table["time"].to_pylist()
        assert (reading.first, reading.last) == (min(times).isoformat(), max(times).isoformat())


def test_every_line_of_a_sample_is_counted(sample: tuple[Case, dict[str, object]]) -> None:
    """Line ends are counted byte by byte; headers and comments are the only lines that are no records."""
    case, _ = sample
    for reading in readings(case):
        if reading.format and reading.format.startswith(("squid", "route53")):
            file = next(item for item in items(case) if item.evidence_id == reading.evidence_id).file(case)
            assert reading.records == lines(file), reading.name


def test_a_file_of_no_known_format_is_kept_unread_and_the_others_are_read(tmp_path: Path) -> None:
    squid = (CASES / "squid_access" / "normal.log").read_bytes()
    case = case_of(tmp_path, a=b"some\nother\n\nlog\n", b=squid, c=b"", d=b"\x7fELF\0\xff\n")
    unknown, known, empty, binary = normalise(case)
    assert (unknown.format, unknown.events, unknown.unread, unknown.blank) == (None, 0, 3, 1)
    assert unknown.note.startswith("no format fits; nearest: ")
    assert (known.format, known.events, known.note) == ("squid_access", 5, "")
    assert (empty.format, empty.records, empty.note) == (None, 0, "empty: no records in it")
    assert binary.note == "no format fits: the content is binary, not text"
    unread = pq.read_table(case.unread / "E001.parquet").to_pylist()
    assert [(row["record_no"], row["kind"], row["raw"]) for row in unread] == [
        (1, "unknown", "some"),
        (2, "unknown", "other"),
        (3, "unknown", "log"),
    ]
    assert int(open_tables(case.events).http_activity.count().execute()) == 5


def test_the_law_is_said_in_words(tmp_path: Path) -> None:
    case = case_of(tmp_path, log=b"one\n\ntwo\n")
    assert normalise(case)[0].law() == "E001 E001-log: 3 records = 0 events + 2 unread + 1 blank"


def test_an_item_is_read_once(tmp_path: Path) -> None:
    case = case_with(tmp_path, CASES / "zeek_dns" / "normal.log")
    told: list[Reading] = []
    first = normalise(case, done=told.append)
    stamp = (case.events / "dns_activity" / "E001.parquet").stat().st_mtime_ns
    add(case, [CASES / "zeek_http" / "normal.log"])
    again = normalise(case, done=told.append)
    assert [reading.evidence_id for reading in told] == ["E001", "E002"]
    assert again[:1] == first
    assert (case.events / "dns_activity" / "E001.parquet").stat().st_mtime_ns == stamp
    assert readings(case) == again


def test_another_clock_means_reading_again(tmp_path: Path) -> None:
    case = case_with(tmp_path, CASES / "zeek_dns" / "normal.log")
    normalise(case)
    file = case.path / "case.yaml"
    file.write_text(file.read_text().replace("clock: null ", "clock: Europe/Berlin "))
    changed = open_case(case.path)
    assert changed.config.clock == "Europe/Berlin"
    told: list[Reading] = []
    normalise(changed, done=told.append)
    assert len(told) == 1


def test_tables_can_be_deleted_and_come_back_byte_for_byte(tmp_path: Path) -> None:
    case = case_with(tmp_path, CASES / "zeek_dns" / "normal.log", CASES / "squid_access" / "half_line.log")
    before = normalise(case)
    files = {file: file.read_bytes() for file in [*case.events.rglob("*"), *case.unread.rglob("*")] if file.is_file()}
    for file in files:
        file.unlink()
    assert normalise(case) == before
    assert {file: file.read_bytes() for file in files} == files


def test_many_processes_give_what_one_gives(tmp_path: Path) -> None:
    case = case_with(tmp_path, SAMPLES / "incident" / "logs")
    alone = normalise(case)
    (case.events / "readings.json").unlink()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert normalise(case, pool) == alone


@pytest.mark.parametrize(("pack", "by_processes"), [(bytes, False), (gzip.compress, True)])
def test_packed_evidence_is_weighed_by_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes], by_processes: bool
) -> None:
    import playbooks.normalise as module

    packed = pack((CASES / "squid_access" / "normal.log").read_bytes())
    case = case_of(tmp_path, a=packed, b=packed + pack(b"\n"))
    size = sum(item.file(case).stat().st_size for item in items(case))
    monkeypatch.setattr(module, "WORTH_PROCESSES", 2 * size)
    monkeypatch.setattr(module, "FILE_WEIGHT", 0)
    with module._workers(case, items(case), None) as workers:
        assert isinstance(workers, ProcessPoolExecutor) == by_processes


def test_many_small_files_are_read_by_processes_and_a_few_are_not(tmp_path: Path) -> None:
    import playbooks.normalise as module

    log = (CASES / "squid_access" / "normal.log").read_bytes()
    many = case_of(tmp_path, **{f"log{number:03d}": log + b"\n" * number for number in range(80)})
    for some, by_processes in ((items(many), True), (items(many)[:8], False)):
        with module._workers(many, some, None) as workers:
            assert isinstance(workers, ProcessPoolExecutor) == by_processes


def test_a_broken_off_reading_leaves_no_half_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import playbooks.normalise as module

    case = case_with(tmp_path, CASES / "zeek_dns" / "normal.log")
    real = module.read

    def broken_off(*arguments: object) -> object:
        yield from real(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "read", broken_off)
    with pytest.raises(KeyboardInterrupt):
        normalise(case)
    assert not list(case.path.rglob("*.parquet*"))
    monkeypatch.undo()
    assert normalise(case)[0].events == 4


def test_the_zone_of_the_machine_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_with(tmp_path, CASES / "squid_common" / "normal.log", CASES / "route53_resolver" / "odd_clock.log")
    before = normalise(case)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        (case.events / "readings.json").unlink()
        assert normalise(case) == before
        assert before[0].first == "2026-03-10T09:00:00+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()
        assert os.environ.get("TZ") != "America/New_York"
