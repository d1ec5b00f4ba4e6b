"""Verbs that ask services outside: first what would leave the house, then, only if told so, the asking."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from playbooks.case import Case
from playbooks.engine import open_tables
from playbooks.enrichment import lookup_plan as planned
from playbooks.errors import UsageError
from playbooks.evidence.acquire.lookups import SOURCE, Question, acquire_lookups
from playbooks.guide.opened import results_of
from playbooks.normalise import normalise
from playbooks.report import Table, View, counted

SETTLED = ("answered", "absent")
KEY = ["observable", "provider"]


def lookup_plan(case: Case, rows: int = 20) -> View:
    """What a look-up outside would tell to whom: each observable beside each provider that `case.yaml` names.

    Nothing leaves the house. Private and own names, and what is marked above `tlp_max`, never do.
    Example: `guide.lookup_plan(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many destinations are looked at, those most worth a look first.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per observable and provider, with what would leave the house.
    """
    results = results_of(case)
    plan = planned(results.pairs, results.intel, case.config, rows)
    if not case.config.lookups.providers:
        return View(("No provider is named as `lookups` in case.yaml: nothing would leave the house.",), data=plan)
    leaves = int(plan.leaves.sum())
    words = f"{counted(leaves, 'question')} would leave the house, {len(plan) - leaves:,} would not. Nothing was sent."
    return View((words,), (Table("What would be told to whom", plan),), data=plan)


def lookup(case: Case, send: bool = False, rows: int = 20, desk: Any = None) -> View:
    """What services outside answered about what was seen; only with `send=True` are they asked.

    Each answer is evidence. What was answered before is read from there and never asked again.
    Example: `guide.lookup(case, send=True)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    send : bool
        True asks the services that `case.yaml` names; nothing else does.
    rows : int
        How many destinations are looked at, those most worth a look first.
    desk : optional
        Who asks, for tests and own providers.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per observable and provider.
    """
    plan: pd.DataFrame = lookup_plan(case, rows).data
    known = _answers(case)
    settled = set(known.loc[known.status.isin(SETTLED), KEY].itertuples(index=False, name=None))
    if send:
        open_ = plan[plan.leaves & ~plan[KEY].apply(tuple, axis=1).isin(settled)] if len(plan) else plan
        _send(case, open_, desk)
        known = _answers(case)
    told = plan.merge(known, on=KEY, how="outer") if len(plan) else known
    if "why_not" in told:
        told["status"] = told.status.fillna(told.why_not)
    told["status"] = told.status.fillna("not asked")
    counts = ", ".join(f"{n:,} {status}" for status, n in told.status.value_counts().items())
    words = f"{counted(len(told), 'question')}: {counts or 'none'}."
    return View((words,), (Table("What became of each question", told),), data=told)


def _send(case: Case, plan: pd.DataFrame, desk: Any) -> None:
    from playbooks.enrichment.lookup_desk import asking, checked, desk_of

    rules = case.config.lookups
    if not case.config.options.online_lookups:
        raise UsageError(f"{case.path}: case.yaml has `options.online_lookups: false`. Nothing was sent.")
    if not rules.providers:
        raise UsageError(f"{case.path}: no provider is named as `lookups` in case.yaml. Nothing was sent.")
    if not len(plan):
        return
    ready = checked(desk, rules.providers) if desk is not None else desk_of(rules.providers)
    questions = [Question(str(r.observable), str(r.observable_type), str(r.provider)) for r in plan.itertuples()]
    acquire_lookups(case, questions, asking(ready), rules.per_minute, rules.timeout_s)
    normalise(case)


def _answers(case: Case) -> pd.DataFrame:
    """The last answer to each question, from evidence."""
    table = open_tables(case.events).acquired_answers
    rows = table.filter(table.source == SOURCE).to_pandas().sort_values(["time", "evidence_id", "record_no"])
    last = rows.drop_duplicates(["resource_name", "api_service_name"], keep="last")
    made = [_made(status, text) for status, text in zip(last.status, last.response, strict=True)]
    return pd.DataFrame(
        {
            "observable": last.resource_name.astype(object),
            "provider": last.api_service_name.astype(object),
            "status": last.status.astype(object),
            "listed": [one.get("listed") for one in made],
            "severity": [one.get("severity") for one in made],
            "asked": last.time,
            "error": last.status_detail.astype(object),
            "ref": (last.evidence_id + ":" + last.record_no.astype("string")).astype(object),
        }
    ).reset_index(drop=True)


def _made(status: object, text: object) -> dict[str, Any]:
    """What msticpy made of an answer, as it was kept."""
    if status != "answered" or not isinstance(text, str):
        return {}
    found = json.loads(text)
    return found if isinstance(found, dict) else {}
