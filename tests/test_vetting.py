"""What the house holds of its sources of intelligence is checked, and the entry that names most counts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from playbooks.case_file import read_case_file
from playbooks.errors import CaseError
from playbooks.vetting import VettedSource, read_vetting, vetting_of

DAY = dt.date(2026, 3, 10)


def entry(**facts: object) -> VettedSource:
    return VettedSource.model_validate({"source": "CERT", "vetted_by": "A", "vetted_on": "2026-03-01"} | facts)


def test_a_file_beside_the_case_is_read_as_csv_and_as_yaml(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("case_id: IR-1\nintel: vetting.csv\n")
    (tmp_path / "vetting.csv").write_text(
        "source,item,vetted_by,vetted_on,expires,verdict\nCERT,,A,2026-03-01,,\n*,*.example,B,2026-03-02,2026-06-30,rejected\n"
    )
    (tmp_path / "vetting.yaml").write_text(
        "- {source: CERT, vetted_by: A, vetted_on: 2026-03-01}\n"
        "- {item: '*.example', vetted_by: B, vetted_on: 2026-03-02, expires: 2026-06-30, verdict: rejected}\n"
    )
    entries = read_case_file(tmp_path / "case.yaml").vetting
    assert entries == read_vetting(tmp_path / "vetting.yaml")
    assert [(one.source, one.item, one.verdict) for one in entries] == [
        ("CERT", "*", "accepted"),
        ("*", "*.example", "rejected"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("source,vetted_by,vetted_on\nCERT,,2026-03-01\n", "entry 0.vetted_by: Field required"),
        ("source,vetted_by,vetted_on\nCERT,A,2026-15-01\n", "entry 0.vetted_on: "),
        ("source,vetted_by,vetted_on,verdict\nCERT,A,2026-03-01,perhaps\n", "entry 0.verdict: "),
        ("source,vetted_by,vetted_on,owner\nCERT,A,2026-03-01,B\n", "entry 0.owner: Extra inputs"),
        ("vetted_by,vetted_on\nA,2026-03-01\n", "name a source, an item, or both"),
        ("source,vetted_by,vetted_on,expires\nCERT,A,2026-03-01,2026-02-01\n", "expires must not lie before"),
    ],
)
def test_a_fault_names_the_file_the_entry_and_the_field(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "vetting.csv"
    file.write_text(text)
    with pytest.raises(CaseError) as caught:
        read_vetting(file)
    assert str(file) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["missing.csv", "bad.yaml", "bytes.csv"])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.yaml").write_text("- [")
    (tmp_path / "bytes.csv").write_bytes(b"source\n\xff\xfe\n")
    with pytest.raises(CaseError, match="cannot be read"):
        read_vetting(tmp_path / name)


@pytest.mark.parametrize(
    ("entries", "counts"),
    [
        ((entry(), entry(item="h.example", verdict="rejected")), "rejected"),
        ((entry(verdict="rejected"), entry(source="*", item="*.example")), "accepted"),
        ((entry(vetted_on="2026-03-02"), entry(verdict="rejected")), "accepted"),
        ((entry(), entry(verdict="rejected")), "rejected"),
        ((entry(expires="2026-03-09"),), None),
        ((entry(expires="2026-03-10"),), "accepted"),
        ((entry(source="cert"),), None),
        ((entry(item="other.example"),), None),
        ((), None),
    ],
)
def test_the_entry_that_names_most_counts_then_the_latest_then_a_rejection(
    entries: tuple[VettedSource, ...], counts: str | None
) -> None:
    for given in (entries, entries[::-1]):
        found = vetting_of(given, "CERT", "h.example", DAY)
        assert (found.verdict if found else None) == counts
