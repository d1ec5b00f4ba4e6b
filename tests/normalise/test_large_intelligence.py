"""Intelligence that is larger than the sample by which a format is told, or that means harm to its reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playbooks.normalise import Source, detect, read
from playbooks.normalise.json_records import closed
from playbooks.normalise.sample import SAMPLE_CHARS


def test_a_misp_event_longer_than_the_sample_is_read_whole(tmp_path: Path) -> None:
    items = [
        {"type": "domain", "value": f"h{n}.example.test", "to_ids": True, "timestamp": "1773133200"}
        for n in range(20_000)
    ]
    file = tmp_path / "event.json"
    file.write_text(
        json.dumps({"Event": {"uuid": "5a5397f4-0d70-4a4c-915e-334a0a016219", "Attribute": items}}, indent=1)
    )
    assert file.stat().st_size > 2 * SAMPLE_CHARS
    assert (found := detect(file).format) is not None
    assert found.name == "misp_event"
    assert sum(rows.tables["indicators"].num_rows for rows in read(Source("E001", file))) == len(items)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('{"a": {"b": [1, 2], "c": "x', '{"a": {"b": [1, 2]}}'),
        ('{"a": [{"b": 1}, {"c": ', '{"a": [{"b": 1}, {}]}'),
        ('{"a": "}{', "{}"),
        ("", ""),
    ],
)
def test_json_that_is_cut_off_is_closed_behind_its_last_bracket(text: str, whole: str) -> None:
    assert closed(text) == whole


@pytest.mark.parametrize(
    "text",
    [
        "[" * 2_000_000,
        '{"Event": ' * 200_000,
        '{"objects": [' + '{"id": "x", "type": ' * 100_000,
        '{"Event": {"Attribute": [' + "{}," * 100_000,
    ],
    ids=["brackets", "events", "bundle", "empty attributes"],
)
def test_a_bomb_of_brackets_is_unread_and_the_run_goes_on(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bomb.json"
    file.write_text(text)
    unread = [row for rows in read(Source("E001", file)) for row in rows.unread.to_pylist()]
    assert unread
    assert all(row["reason"] for row in unread)
