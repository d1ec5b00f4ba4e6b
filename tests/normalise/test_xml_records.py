"""XML is cut by its elements: lines mean nothing, a broken element costs itself, nothing is expanded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.normalise import xml_records as xml
from playbooks.normalise.text import Damage
from playbooks.normalise.xml_records import BETWEEN, NO_END, xml_fields, xml_json, xml_records

ONE = "<Event><System><EventID>1</EventID></System></Event>"
TWO = '<Event xmlns="urn:x">\n <System>\n  <EventID>2</EventID>\n </System>\n</Event>'


def cut(*blocks: str | Damage) -> tuple[list[str], list[str], int]:
    """Records, the reasons of the broken ones, and the count of blank lines."""
    runs = list(xml_records(blocks, "Event"))
    raws = [raw for run in runs for raw in run.raws]
    return raws, [reason for run in runs for reason in run.broken.values()], sum(run.blank for run in runs)


@pytest.mark.parametrize(
    "between, blank",
    {
        "": 0,
        "\n": 0,
        "\r\n": 0,
        "\n\n": 1,
        "\n \r\n\t\n": 2,
        "<!-- one\n\ntwo -->": 1,
        "</Log>\n<Log a='1'>": 0,
    }.items(),
)
def test_what_stands_between_elements_changes_nothing(between: str, blank: int) -> None:
    assert cut(ONE + between + TWO) == ([ONE, TWO], [], blank)


def test_the_tags_and_the_declaration_around_the_records_are_no_records() -> None:
    assert cut(f"<?xml version='1.0'?>\n<Events>{ONE}{TWO}\n</Events>\n") == ([ONE, TWO], [], 0)
    assert cut("<?xml version='1.0'?><Events></Events>") == ([], [], 0)
    assert cut("") == ([], [], 0)
    assert cut("\n\n" + ONE + "\n\n") == ([ONE], [], 3)


def test_a_header_on_the_line_of_an_element_belongs_to_it() -> None:
    assert cut(f"{ONE}\n<13>Mar 10 09:00:00 relay: {TWO}") == ([ONE, f"<13>Mar 10 09:00:00 relay: {TWO}"], [], 0)
    assert xml_fields(f"<13>Mar 10 relay: {TWO}", "Event") == {"System": {"EventID": "2"}}


@pytest.mark.parametrize("length", [1, 4, 7, 20, 10_000])
def test_the_end_of_a_block_changes_nothing(length: int) -> None:
    text = f"<Events>\n\n{ONE}\nwords\n{ONE[:30]}\n{TWO}\r\n{ONE[20:]}{ONE}<Ev\n</Events>\n{TWO[:40]}"
    blocks = [text[at : at + length] for at in range(0, len(text), length)]
    assert cut(*blocks) == cut(text)
    raws, broken, blank = cut(text)
    assert raws == [ONE, "words", ONE[:30], TWO, ONE[20:], ONE, "<Ev\n</Events>", TWO[:40]]
    assert broken == [BETWEEN, NO_END, BETWEEN, BETWEEN, NO_END]
    assert blank == 1


@given(st.lists(st.sampled_from([ONE, TWO, "<Event", ">", "</Event>", "<", "x", "\n", "<a>", "<!--", "-->", " "])))
def test_no_character_is_lost(pieces: list[str]) -> None:
    """What is in no record is white space, a comment or a tag."""
    text = "".join(pieces)
    raws, _, _ = cut(text)
    rest = text
    for raw in raws:
        before, found, rest = rest.partition(raw)
        assert found, raw
        assert xml._Cutter("Event").holds_nothing(before), before
    assert xml._Cutter("Event").holds_nothing(rest)


def test_damage_ends_the_text_and_is_told() -> None:
    assert cut(ONE, TWO[:30], Damage("gzip: cut short")) == (
        [ONE, TWO[:30], ""],
        [NO_END, "gzip: cut short"],
        0,
    )


def test_an_element_too_long_is_kept_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MAX_ELEMENT_CHARS", 30)
    long = "<Event>" + 60 * "x" + "</Event>"
    raws, broken, _ = cut(*(long[at : at + 20] for at in range(0, len(long), 20)), ONE)
    assert "".join(raws) == long + ONE
    assert raws[-1] == ONE
    assert broken[0] == "part of an element longer than 30 characters"


def test_chunks_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "CHUNK_RECORDS", 2)
    assert [len(run.raws) for run in xml_records([ONE + ONE, ONE, ONE, ONE], "Event")] == [2, 2, 1]


FIELDS: dict[str, dict[str, dict[str, str]] | None] = {
    ONE: {"System": {"EventID": "1"}},
    "<Event><System><Provider Name='P' Guid=\"G\"/><TimeCreated SystemTime='T'/></System></Event>": {
        "System": {"Provider_Name": "P", "Provider_Guid": "G", "TimeCreated_SystemTime": "T"}
    },
    "<Event><EventData><Data Name='a'>1</Data><Data>x</Data><Data Name='a'>2</Data><Data>y</Data>"
    "<Data Name='b'/></EventData></Event>": {"EventData": {"a": "1", "param1": "x", "param2": "y"}},
    "<Event><EventData><Data Name='a'>1 &lt; 2 &amp;amp; &#x41;&#66;&apos;&quot; &own; &#0;&#xD800;</Data></EventData>"
    "</Event>": {"EventData": {"a": "1 < 2 &amp; AB'\" &own; &#0;&#xD800;"}},
    "<Event><EventData><Data Name='a>b'><![CDATA[<x> & ]]]></Data></EventData></Event>": {
        "EventData": {"a>b": "<x> & ]"}
    },
    "<Event><EventData><Data Name='a'>1<![CDATA[<x> & ]]></Data></EventData></Event>": {"EventData": {"a": "1<x> & "}},
    "<Event><EventData><Data Name='a'>1\r\n2</Data></EventData></Event>": {"EventData": {"a": "1\n2"}},
    "<Event><UserData><Told xmlns='n'><User>ann</User><In><Deep>x</Deep></In></Told></UserData></Event>": {
        "UserData": {"Told_xmlns": "n", "User": "ann", "Deep": "x"}
    },
    "<Event><System></Event>": None,
    "<Event><System></System></Event></Event>": None,
    "<Event></Event> words": None,
    "<Event>words</Event>": None,
    "<Events></Events>": None,
    "<Event><System a=1/></Event>": None,
    "no element": None,
    "": None,
}


@pytest.mark.parametrize("raw, fields", FIELDS.items())
def test_fields_stand_under_the_child_that_holds_them(raw: str, fields: dict[str, dict[str, str]] | None) -> None:
    assert xml_fields(raw, "Event") == fields
    assert xml_json(raw, "Event") == (None if fields is None else json.dumps(fields))


def test_nothing_is_expanded() -> None:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 9))
    raw = "<Event><EventData><Data Name='a'>&e8;</Data></EventData></Event>"
    (record, *_), _, _ = cut(f"<!DOCTYPE x [{entities}]>\n{raw}")
    assert record.startswith("<!DOCTYPE")
    assert xml_fields(raw, "Event") == {"EventData": {"a": "&e8;"}}


def nasty() -> Iterator[str]:
    yield "<Event " + "a='1' " * 100_000
    yield "<Event>" + "<a>" * 200_000
    yield "<Event><System>" + "&#" * 300_000 + "</System></Event>"
    yield "<" * 500_000
    yield "<Event>" + "<![CDATA[" * 60_000
    yield "<!--" * 200_000
    yield "<?" * 300_000
    yield "<Event " + " " * 500_000
    yield "<a" + " b=" * 200_000


@pytest.mark.parametrize("text", list(nasty()), ids=lambda text: text[:12])
def test_no_text_takes_long(text: str) -> None:
    start = time.monotonic()
    cut(text)
    xml_fields(text, "Event")
    assert time.monotonic() - start < 5
