"""The index of a batch: its cases sorted by what needs a person, and what several of them share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from playbooks.case import write_text
from playbooks.report.exporter import exported
from playbooks.report.figures.picture import MOST_ROWS
from playbooks.report.pages import html_cell
from playbooks.report.sections import bare_environment
from playbooks.report.words import column_heads

CONTENTS = (("cases", "Cases"), ("across", "In several cases"))


def write_batch_page(found: Mapping[str, Any], folder: Path) -> Path:
    """Write `batch.html` into `folder`, whole or not at all, and give its path.

    Parameters
    ----------
    found
        The content of `batch.json`.
    folder
        Links to the reports are seen from here.
    """
    from nbformat import from_dict

    markup = (
        bare_environment()
        .get_template("batch.html.j2")
        .render(
            cases=[_row(row, folder) for row in found["cases"]],
            counts=list(found["counts"].items()),
            across=[_shared(row) for row in found["across"]],
            heads=column_heads(["What", "Value", "Cases", "Where"], ["Cases"]),
            most=MOST_ROWS,
        )
    )
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [html_cell(markup)]}
    page = exported(cast("Any", from_dict(whole)), "Batch of cases", "", list(CONTENTS))
    target = folder / "batch.html"
    write_text(target, page)
    return target


def _row(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    report = row["report"]
    said = ", ".join(f"{count} {word}" for word, count in row["outcomes"].items() if count)
    href = quote(os.path.relpath(report, folder)) if report else ""
    return {**row, "questions": said or None, "href": href}


def _shared(row: Mapping[str, Any]) -> list[object]:
    where = ", ".join(f"{one['case_id']} {one['finding']}" for one in row["where"][:MOST_ROWS])
    return [row["kind"], row["value"], row["cases"], where]
