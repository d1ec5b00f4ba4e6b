"""A view shows hostile text as text, whatever part of it the text reaches."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest
from tests.guide.test_verbs import shell, shown
from tests.report.fabricated import ATTACK, ATTACKS, LONG

from playbooks.report import Table, View
from playbooks.report.figures import Picture

__all__ = ["shell"]  # a fixture

ALLOWED = {
    ("p",),
    ("div", "class"),
    ("table", "class"),
    ("caption",),
    ("thead",),
    ("tbody",),
    ("tr",),
    ("th", "scope"),
    ("td",),
    ("td", "class"),
}
UNSEEN = ("\x00", "\x1b", "\u202e", "\ud800")


class Tags(HTMLParser):
    """Every element with the names of its attributes; comments and the like are elements too."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, ...]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, *(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.found.add(("comment", data))

    def unknown_decl(self, data: str) -> None:
        self.found.add(("declaration", data))


def tags(markup: str) -> set[tuple[str, ...]]:
    parser = Tags()
    parser.feed(markup)
    return parser.found


def rows(text: object) -> pd.DataFrame:
    return pd.DataFrame([{"plain": 1, str(text)[:300]: text}])


VIEWS = {
    "words": View((ATTACK,)),
    "caption": View(("x",), (Table(ATTACK, rows("x")),)),
    "column and cell": View(("x",), (Table("x", rows(ATTACK)),)),
    "list in a cell": View(("x",), (Table("x", pd.DataFrame([{"refs": list(ATTACKS)}])),)),
    "where the rest is": View(("x",), (Table("x", pd.DataFrame({"n": range(99)}), ATTACK),)),
    "picture": View(("x",), pictures=(Picture(None, ATTACK, ATTACK, rows("x")),)),
}


@pytest.mark.parametrize("part", VIEWS)
def test_an_attack_in_any_part_stays_text(part: str, shell: None) -> None:
    for output in shown(VIEWS[part]):
        assert tags(output["text/html"]) <= ALLOWED
        for text in (output["text/html"], output["text/plain"]):
            assert [f"U+{ord(char):04X}" for char in UNSEEN if char in text] == []


def test_an_attack_is_shown_and_not_swallowed(shell: None) -> None:
    [output] = shown(View((ATTACKS[0],)))
    assert output["text/html"] == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    assert output["text/plain"] == ATTACKS[0]


def test_long_values_and_many_rows_are_cut_and_the_cut_is_told(shell: None) -> None:
    many = pd.DataFrame({"name": [LONG] * 70})
    [output] = shown(View((LONG,), (Table("Names", many, "results/names.parquet"),)))
    assert len(output["text/html"]) < 20_000
    assert "20 more rows in results/names.parquet." in output["text/html"]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NaT, pd.NA])
def test_what_is_missing_is_a_dash(missing: object, shell: None) -> None:
    [output] = shown(View((), (Table("x", pd.DataFrame({"a": [missing]}, dtype=object)),)))
    assert "<td" in output["text/html"] and ">–</td>" in output["text/html"]


def test_a_view_without_anything_shows_nothing(shell: None) -> None:
    assert shown(View(())) == []
