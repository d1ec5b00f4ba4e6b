"""HTML pages: one per executed notebook, and the case report. Both leave through the same exporter."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from playbooks.report.exporter import TLP, exported
from playbooks.report.facts import CaseFacts
from playbooks.report.figures import (
    Picture,
    attack_strip,
    checkin_raster,
    coverage_heatmap,
    egress_timeline,
    function_history,
    hosts_and_tenants,
    identity_chain,
    lifecycle_timeline,
    novelty_by_time,
    swim_lanes,
)
from playbooks.report.inert import visible
from playbooks.report.sections import CONTENTS, environment, told, written
from playbooks.scoping.chains import CHAIN_FROM

if TYPE_CHECKING:
    from nbformat import NotebookNode

REPORT = "report.html"
MOST_LIFECYCLES = 3  # pictures
MOST_CHAINS = 3


def notebook_to_html(notebook: NotebookNode, title: str, marking: str = "") -> str:
    """Give an executed notebook as one self-contained page.

    Code is folded away, outputs stay; log content in them is inert, and nothing in the page refers to the
    outside. `marking` is the TLP label to print at its head and foot.
    """
    return exported(notebook, title, marking)


def write_case_report(facts: CaseFacts, folder: Path) -> Path:
    """Write `report/report.html` below the case `folder`, whole or not at all, and give its path."""
    page = exported(case_notebook(facts), f"{facts.case_id}: {facts.title}", tlp_label(facts.tlp), list(CONTENTS))
    return write_page_whole(page, folder)


def write_page_whole(page: str, folder: Path) -> Path:
    """Write the page of a case's report below the case `folder`, whole or not at all, and give its path."""
    target = folder / "report" / REPORT
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n", dir=target.parent, delete=False) as part:
        part.write(page)
    whole = Path(part.name)
    whole.chmod(0o644)
    whole.replace(target)
    return target


def tlp_label(tlp: str) -> str:
    """Give a marking as `TLP:AMBER`; an empty one is said to be missing."""
    word = visible(tlp).strip().upper().removeprefix("TLP:")
    if not word:
        return "TLP not stated: treat as TLP:RED"
    return f"TLP:{word}" if word.lower() in TLP else f"Marked as: {visible(tlp)[:200]}"


def case_notebook(facts: CaseFacts) -> NotebookNode:
    """Give the case report as a notebook in memory: HTML outputs and figures, no code."""
    from nbformat import from_dict

    pen = environment(facts)
    parts = written(facts, pen)
    first = ("header", "summary", "affected", "findings", "leads", "suppressed", "collect_next", "recommended")
    cells = [html_cell(parts[name]) for name in first]
    cells.append(html_cell('<h2 id="pictures">Pictures</h2>'))
    cells += [_picture_cell(picture, told(picture, file, pen)) for picture, file in _pictures(facts)]
    cells += [html_cell(parts[name]) for name in ("lifecycle", "scope", "cloud")]
    cells += [_picture_cell(picture, told(picture, file, pen)) for picture, file in _chains(facts)]
    rest = (
        "cloud_state",
        "functions",
        "owning",
        "coverage",
        "blind_spots",
        "limits",
        "evidence",
        "links",
        "raw",
        "reproduce",
    )
    cells += [html_cell(parts[name]) for name in rest]
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    return cast("NotebookNode", from_dict(whole))


def _pictures(facts: CaseFacts) -> list[tuple[Picture, str]]:
    return [
        (coverage_heatmap(facts.coverage), "results/coverage.json"),
        (egress_timeline(facts.egress_hours), "results/egress_pairs.parquet"),
        (checkin_raster(facts.checkins), "events/"),
        (hosts_and_tenants(facts.pairs, facts.findings), "results/egress_pairs.parquet"),
        *_lifecycles(facts),
        (attack_strip(facts.findings), "results/findings.json"),
        (function_history(facts.activity), "results/cloud_activity.parquet"),
        (novelty_by_time(facts.activity), "results/cloud_activity.parquet"),
        (_identities(facts), "results/role_links.parquet"),
    ]


def _identities(facts: CaseFacts) -> Picture:
    called = None if facts.cloud is None else facts.cloud.role_activity
    return identity_chain(facts.activity, facts.roles, called, facts.findings)


def _lifecycles(facts: CaseFacts) -> list[tuple[Picture, str]]:
    """Around the first contact of each finding, up to three; the others stand in the section in words."""
    if facts.related is None or facts.stages is None:
        return []
    told = [entry["id"] for entry in facts.findings.get("findings") or () if entry.get("lifecycle")]
    frames = [
        (facts.related[facts.related.finding == id], facts.stages[facts.stages.finding == id])
        for id in told[:MOST_LIFECYCLES]
    ]
    return [(lifecycle_timeline(*frame), "results/related_activity.parquet") for frame in frames]


def _chains(facts: CaseFacts) -> list[tuple[Picture, str]]:
    """The strongest chains of our own clouds; those that say no more than a deployment stand in the table only."""
    if facts.cloud is None:
        return []
    strong = facts.cloud.chains[facts.cloud.chains["score"] >= CHAIN_FROM].head(MOST_CHAINS)
    drawn = [swim_lanes(strong, facts.cloud.chain_steps, str(chain)) for chain in strong["chain"]]
    return [(picture, "results/chain_steps.parquet") for picture in drawn]


def html_cell(markup: str) -> dict[str, Any]:
    """Give HTML as a cell of a notebook in memory."""
    return _output_cell({"text/html": markup}, {})


def _picture_cell(picture: Picture, words: str) -> dict[str, Any]:
    if picture.figure is None:
        return html_cell(f'<figure class="picture">{words}</figure>')
    return _output_cell({**picture.bundle(), "text/html": words}, {"caption": picture.caption})


def _output_cell(data: dict[str, Any], metadata: dict[str, str]) -> dict[str, Any]:
    output = {"output_type": "display_data", "data": data, "metadata": metadata}
    return {"cell_type": "code", "source": "", "metadata": {}, "execution_count": None, "outputs": [output]}
