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
    ("ul",),
    ("li",),
    ("pre", "class"),
    ("span", "class"),
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
    "what comes next": View(("x",), next=(ATTACK,)),
    "query": View(("x",), queries=((ATTACK, ATTACK),)),
    "frame": View(("x",), (Table("x", rows(ATTACK), whole=rows(ATTACK)),)),
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


def test_an_outcome_is_a_badge_by_sign_and_word_and_nothing_else_is(shell: None) -> None:
    said = ["found", "clear", "blind", "Found", "found <b>", "lost"]
    [output] = shown(View((), (Table("x", pd.DataFrame({"outcome": said})),)))
    assert '<span class="answer blind">∅ blind</span>' in output["text/html"]
    assert output["text/html"].count('<span class="answer ') == 3


def test_what_comes_next_stands_last_in_words_and_markup(shell: None) -> None:
    [output] = shown(View(("x",), (Table("t", rows("x")),), next=("Look: guide.show(case)",)))
    assert output["text/html"].endswith("<ul><li>Look: guide.show(case)</li></ul></div>")
    assert output["text/plain"].endswith("What to look for next: Look: guide.show(case)")


def test_a_form_and_whole_tables_are_for_the_lab_alone(shell: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from playbooks.report import view

    one = View(("x",), (Table.first("t", pd.DataFrame({"n": range(300)}), 20, "results/x.parquet"),), form="a form")
    [output] = shown(one)
    assert output["text/html"].count("<tr>") == 21
    monkeypatch.setattr(view, "_in_lab", True)
    whole, form = shown(one)
    assert whole["text/html"].count("<tr>") == 301
    assert form["text/plain"] == "'a form'"


def test_a_frame_is_shown_like_a_table_of_a_view_with_an_index_that_says_something() -> None:
    from playbooks.report import frame_markup

    assert tags(frame_markup(rows(ATTACK))) <= ALLOWED
    assert "<caption>1 rows, 1 columns</caption>" in frame_markup(pd.DataFrame({"n": [1]}))
    assert '<th scope="col">who</th>' in frame_markup(pd.DataFrame({"n": [1]}, index=pd.Index(["a"], name="who")))


def test_a_view_without_anything_shows_nothing(shell: None) -> None:
    assert shown(View(())) == []
