"""A page is one closed file: complete, inert, the same each time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat.v4 as nb
import pandas as pd
import plotly.graph_objects as go
import pytest
from bs4 import BeautifulSoup
from tests.report.closed_page import assert_closed
from tests.report.fabricated import ATTACK, LONG, REF, calm, finding, hostile

from playbooks.report import CaseFacts, notebook_to_html, write_case_report
from playbooks.report.figures.picture import PLOTLY_MIME
from playbooks.report.inert import defanged, visible, without_ansi
from playbooks.report.sections import CONTENTS


def report(facts: CaseFacts, folder: Path) -> BeautifulSoup:
    return assert_closed(write_case_report(facts, folder).read_text("utf-8"))


def hostile_notebook() -> nb.NotebookNode:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[1, 2], text=[ATTACK, ATTACK], name=ATTACK))
    figure.update_layout(
        title=ATTACK, images=[{"source": "https://evil.example/i.png"}],
        annotations=[{"text": '<a href="https://evil.example">x</a>'}],
    )  # fmt: skip
    outputs = [
        nb.new_output("stream", name="stdout", text=ATTACK),
        nb.new_output("stream", name="stderr", text=ATTACK),
        nb.new_output("display_data", data={"text/html": ATTACK + LONG}),
        nb.new_output("display_data", data={"text/markdown": ATTACK}),
        nb.new_output("display_data", data={"text/plain": ATTACK}),
        nb.new_output("display_data", data={"image/png": '"><script>alert(8)</script>'}),
        nb.new_output("display_data", data={"image/svg+xml": "<svg onload=alert(9)>", "text/x": "alert(10)"}),
        nb.new_output(
            "display_data", data={PLOTLY_MIME: figure.to_dict(), "text/html": ATTACK}, metadata={"caption": ATTACK}
        ),
        nb.new_output("error", ename=ATTACK, evalue=ATTACK, traceback=[ATTACK, "\x1b[31mValueError\x1b[0m: x"]),
    ]
    cells = [
        nb.new_markdown_cell(f"# {ATTACK}\n\n![x](https://evil.example/i.png) <{ATTACK}>\n\n{ATTACK}"),
        nb.new_raw_cell(ATTACK),
        nb.new_code_cell(f"print(1)  # {ATTACK}", execution_count=1, outputs=outputs),
    ]
    return nb.new_notebook(cells=cells)


def test_a_calm_report_has_every_section_in_order(tmp_path: Path) -> None:
    page = report(calm(), tmp_path)
    assert [(head["id"], head.text.split(":")[0]) for head in page.find_all("h2")] == [*CONTENTS]
    assert [link["href"].removeprefix("#") for link in page.select("nav a")] == [anchor for anchor, _ in CONTENTS]


def test_a_report_with_an_attack_in_every_field_is_closed_and_shows_the_text(tmp_path: Path) -> None:
    page = report(hostile(), tmp_path)
    for section in page.find_all("script"):
        section.decompose()
    text = page.get_text()
    for planted in ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{7*7}}{% raw %}", "]]><!--"):
        assert text.count(planted) > 20
    assert "invoice‹U+202E›gpj.exe" in text and "nul‹U+0000›byte" in text
    assert not any(character in text for character in "\u202e\x00\x1b")


def test_a_hostile_raw_record_and_title_are_shown_whole(tmp_path: Path) -> None:
    page = report(hostile(), tmp_path)
    assert page.find(id="E002-4118").find("pre").text == visible(ATTACK)
    assert page.find("h1").text == defanged(visible(without_ansi(ATTACK)))


def test_values_of_100_kb_are_cut_and_the_page_stays_small(tmp_path: Path) -> None:
    path = write_case_report(hostile(LONG), tmp_path)
    page = assert_closed(path.read_text("utf-8"))
    assert path.stat().st_size < 7_000_000
    assert "80,000 more characters are not shown: playbooks show CASE E002:4118" in " ".join(page.get_text().split())


def test_every_reference_leads_to_its_raw_record_or_stays_text(tmp_path: Path) -> None:
    page = report(calm(), tmp_path)
    anchors = {element["id"] for element in page.find_all(id=True)}
    links = {link["href"].removeprefix("#") for link in page.find_all("a", href=True)}
    assert links <= anchors
    assert REF.replace(":", "-") in links
    assert "E009:1" in page.get_text() and "E009-1" not in links


def test_hosts_are_defanged_in_words_and_left_alone_in_raw_records(tmp_path: Path) -> None:
    page = report(calm(), tmp_path)
    raw = page.find(id="E002-4118").find("pre").extract()
    assert "poll.workers.dev" in raw.text
    for script in page.find_all("script"):
        script.decompose()
    assert "poll.workers[.]dev" in page.get_text()
    assert "poll.workers.dev" not in page.get_text()


def test_secrets_are_hidden_in_raw_records_unless_the_case_says_otherwise(tmp_path: Path) -> None:
    hidden = report(calm(), tmp_path / "a").get_text()
    shown = report(replace(calm(), redact_secrets=False), tmp_path / "b").get_text()
    assert "token=REDACTED" in hidden and "s3cr3tvalue" not in hidden
    assert "token=s3cr3tvalue" in shown


def test_secrets_are_hidden_in_sentences_too(tmp_path: Path) -> None:
    facts = calm()
    facts.findings["findings"][0]["title"] = "GET https://f.azurewebsites.net/api/x?code=s3cr3t&id=1"
    text = report(facts, tmp_path).get_text()
    assert "GET hxxps://f.azurewebsites[.]net/api/x?code=REDACTED&id=1" in text and "s3cr3t" not in text


def test_a_report_without_anything_says_so_in_every_section(tmp_path: Path) -> None:
    facts = calm()
    empty = replace(
        facts, findings={}, coverage={}, activity=facts.activity.head(0), resources=facts.resources.head(0),
        evidence=[], raw={}, checkins=facts.checkins.head(0), egress_hours=facts.egress_hours.head(0), window=None,
        estate={}, run={}, custody={}, tlp="",
    )  # fmt: skip
    text = report(empty, tmp_path).get_text()
    for sentence in (
        "0 findings, 0 leads", "No finding.", "No lead.", "Nothing was suppressed.", "No picture: no evidence item",
        "No blind spot was established.", "The results carry no limits; they must.", "The case holds no evidence.",
        "TLP not stated: treat as TLP:RED", "none was set; every record was searched", "not verified in this run",
    ):  # fmt: skip
        assert sentence in text
    assert "None" not in text.replace("None was given", "").replace("None was stated", "")


def test_counts_that_do_not_add_up_are_announced(tmp_path: Path) -> None:
    facts = calm()
    facts.coverage["items"][0]["events"] -= 1
    assert "These counts do not add up." in report(facts, tmp_path).get_text()


def test_changed_custody_is_announced(tmp_path: Path) -> None:
    facts = replace(calm(), custody={"entries": 3, "head": "x", "intact": False})
    assert "BROKEN" in report(facts, tmp_path).get_text()


def test_a_step_that_did_not_come_to_its_end_is_announced(tmp_path: Path) -> None:
    facts = calm()
    told = "3_scope_egress did not come to its end: ValueError: <b>no</b>"
    assert (
        told
        in report(replace(facts, run={**facts.run, "failed": [told]}), tmp_path).find("p", class_="warn").get_text()
    )
    assert "did not come to its end" not in report(facts, tmp_path).get_text()


def test_large_results_are_cut_and_name_the_file_that_has_the_rest(tmp_path: Path) -> None:
    facts = calm()
    many = pd.concat([facts.resources.assign(resource=f"f{number}") for number in range(260)])
    findings = {**facts.findings, "leads": [finding(id=f"A-{number}") for number in range(80)]}
    text = report(replace(facts, resources=many, findings=findings), tmp_path).get_text()
    assert "60 more rows are not shown here; all of them are in results/resources.parquet." in text
    assert "The other leads in short" in text


def test_two_runs_give_the_same_bytes_and_leave_nothing_else(tmp_path: Path) -> None:
    first, second = (write_case_report(calm(), tmp_path / name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["report.html"]


def test_a_page_without_figures_carries_no_script_at_all() -> None:
    page = assert_closed(notebook_to_html(nb.new_notebook(cells=[nb.new_markdown_cell("# Q")]), "Q"))
    assert page.find_all("script") == []
    assert "script-src 'none'" in str(page.head)


def test_a_notebook_with_an_attack_in_every_output_is_closed_and_shows_the_text() -> None:
    page = assert_closed(notebook_to_html(hostile_notebook(), ATTACK, ATTACK))
    assert len(page.find_all("script")) == 3  # the figure's data, plotly.js, ours
    spec = page.find("script", type="application/json").text
    assert "evil.example/i.png" not in spec and "\\u003ca href" not in spec
    for script in page.find_all("script"):
        script.decompose()
    assert page.get_text().count("<script>alert(1)</script>") >= 6
    assert "ValueError: x" in page.get_text()
    assert "An image that is not valid base64 is left out." in page.get_text()
    assert "does not show (image/svg+xml, text/x)" in page.get_text()


def test_code_is_folded_and_outputs_stay_open() -> None:
    result = nb.new_output("execute_result", data={"text/plain": "1"})
    cell = nb.new_code_cell("a = 1\na", execution_count=2, outputs=[result])
    page = assert_closed(notebook_to_html(nb.new_notebook(cells=[cell]), "Q"))
    assert page.find("details").find("summary").text == "Code of cell 2 (2 lines)"
    assert [pre.text for pre in page.select("main > pre.text")] == ["1"]


def test_a_figure_of_a_kind_that_would_fetch_or_evaluate_is_left_out_with_a_sentence() -> None:
    data = {PLOTLY_MIME: {"data": [{"type": "scattermap"}], "layout": {}}}
    cell = nb.new_code_cell("", outputs=[nb.new_output("display_data", data=data)])
    page = assert_closed(notebook_to_html(nb.new_notebook(cells=[cell]), "Q"))
    assert "A figure of a kind that this page does not draw is left out." in page.get_text()
    assert page.find_all("script") == []


@pytest.mark.parametrize(("tlp", "shown"), [("amber", "TLP:AMBER"), ("TLP:AMBER+STRICT", "TLP:AMBER+STRICT")])
def test_the_marking_stands_at_head_and_foot(tlp: str, shown: str, tmp_path: Path) -> None:
    page = report(replace(calm(), tlp=tlp), tmp_path)
    assert [mark.text for mark in page.select("p.marking.tlp-amber")] == [shown, shown]
