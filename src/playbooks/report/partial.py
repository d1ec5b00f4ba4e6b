"""The page that stands for the case report when a run did not come to its end: what ran, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playbooks.report.exporter import exported
from playbooks.report.pages import html_cell, tlp_label, write_page_whole
from playbooks.report.sections import bare_environment
from playbooks.report.words import column_heads

CONTENTS = (("summary", "Summary"), ("steps", "Steps"), ("go-on", "To go on"))


@dataclass(frozen=True)
class StepState:
    """How far one step of a run came.

    Attributes
    ----------
    name, question : str
        Of the notebook; the question is its title.
    status : str
        done, failed, interrupted, or "not run".
    why : str
        What stopped it; the words of a notebook or a kernel, so anybody's.
    """

    name: str
    question: str
    status: str
    why: str


def write_partial_page(
    folder: Path, about: Mapping[str, Any], run: Mapping[str, Any], steps: Sequence[StepState]
) -> Path:
    """Write `report/report.html` below the case `folder`, whole or not at all, and give its path.

    Parameters
    ----------
    about
        `case_id, title, tlp` as in `case.yaml`.
    run
        The run record.
    steps
        Every step of the case, in order.
    """
    from nbformat import from_dict

    markup = (
        bare_environment()
        .get_template("partial.html.j2")
        .render(
            case_id=about["case_id"],
            title=about["title"],
            run=run,
            versions=sorted((run.get("versions") or {}).items()),
            heads=column_heads(["Step", "Question", "State", "Why"]),
            rows=[[step.name, step.question, step.status, step.why] for step in steps],
        )
    )
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [html_cell(markup)]}
    title = f"{about['case_id']}: {about['title']} (partial)"
    page = exported(cast("Any", from_dict(whole)), title, tlp_label(str(about["tlp"])), list(CONTENTS))
    return write_page_whole(page, folder)
