"""Which concrete field would have decided this case: computed from its findings, leads and open pairs.

A field is named only where records of this case lack it, with the sources that lack it, whom that concerns, and the
records to look at. No field in general: nothing is said of what this case did not touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from playbooks.findings.lacks import LACKS, Lack
from playbooks.findings.wording import counted
from playbooks.schema.arrow import texts

SHOWN = 5
# types of resources that run
RUNNING = (
    "function", "function-app", "edge-function", "workflow", "flow", "script", "state-machine", "job", "runbook",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pair:
    """A pair that lacks a field, and the findings and leads that speak of it."""

    place: int
    src: str
    dst: str
    priority: float
    findings: list[str]


def deciding_fields(
    found: Mapping[str, Any], pairs: pd.DataFrame, activity: pd.DataFrame, coverage: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Fields and records that are missing and would have decided something in this case.

    Parameters
    ----------
    found, coverage
        Content of `findings.json` and `coverage.json`.
    pairs, activity
        Rows of `schema.EGRESS_PAIRS` and `schema.CLOUD_ACTIVITY`.

    Returns
    -------
    list of dict
        `field, label, tables, sources` (evidence that lacks it, with its share), `pairs, hosts, destinations` (how
        many are concerned), `findings` (ids of findings and leads), `questions` (blind ones it would answer),
        `sentence`, `examples` (`src, dst, refs`), `recommend`; what concerns most findings first.
    """
    told = [(entry, True) for entry in found["findings"]] + [(entry, False) for entry in found["leads"]]
    rows = [row for lack in LACKS if (row := _of_pairs(lack, pairs, told, coverage))]
    rows += [*_of_runs(told, activity, coverage), *_of_audit(told, activity), *_of_blind(found, coverage)]
    findings = {entry["id"] for entry in found["findings"]}

    def weight(row: dict[str, Any]) -> tuple[int, int, int, str]:
        return -len(findings & set(row["findings"])), -len(row["findings"]), -row["pairs"], row["field"]

    return sorted(rows, key=weight)


def _of_pairs(
    lack: Lack, pairs: pd.DataFrame, told: list[tuple[Any, bool]], coverage: Mapping[str, Any]
) -> dict[str, Any] | None:
    """One field over all pairs that it would decide; null where none of them lacks it."""
    lacking = _lacking(lack, coverage)
    concerned, items = _concerned(lack, pairs, _told_pairs(told), frozenset(coverage.get("proxies") or ()), lacking)
    if not concerned:
        return None
    sources = list({lacking[item]["source"]: lacking[item] for item in items}.values())
    refs = [texts(pairs.refs.iat[one.place]) for one in concerned[:SHOWN]]
    return {
        "field": lack.field,
        "label": lack.label,
        "tables": list(lack.tables),
        "sources": [_source(one) for one in sources],
        "pairs": len(concerned),
        "hosts": len({one.src for one in concerned}),
        "destinations": len({one.dst for one in concerned}),
        "findings": list(dict.fromkeys(name for one in concerned for name in one.findings)),
        "questions": [],
        "sentence": _pair_sentence(lack, concerned, sources, refs[0]),
        "examples": [
            {"src": one.src, "dst": one.dst, "refs": mine[:SHOWN]}
            for one, mine in zip(concerned[:SHOWN], refs, strict=True)
        ],
        "recommend": lack.recommend,
    }


def _concerned(
    lack: Lack,
    pairs: pd.DataFrame,
    by_pair: Mapping[tuple[str, str], list[str]],
    proxies: frozenset[str],
    lacking: Mapping[str, Any],
) -> tuple[list[_Pair], list[str]]:
    """Pairs that lack the field, those of findings and leads first; and the evidence that lacks it."""
    asked = pairs.dst.isin({dst for _, dst in by_pair}).to_numpy() if lack.only_told else np.ones(len(pairs), bool)
    places = np.flatnonzero(asked)
    places = places[lack.concerns(pairs.iloc[places], proxies)]
    found: list[_Pair] = []
    items: dict[str, None] = {}
    rows: Iterator[Any] = pairs[["src", "dst", "priority", "refs"]].iloc[places].itertuples(index=False)
    for place, row in zip(places.tolist(), rows, strict=True):
        ids = by_pair.get((row.src, row.dst), [])
        if lack.only_told and not ids:
            continue
        mine = [item for item in dict.fromkeys(ref.partition(":")[0] for ref in row.refs) if item in lacking]
        if mine or lack.field == "connection":
            items.update(dict.fromkeys(mine))
            found.append(_Pair(place, row.src, row.dst, _number(row.priority), ids))
    return sorted(found, key=lambda one: (not one.findings, -one.priority, one.src, one.dst)), list(items)


def _number(value: Any) -> float:
    return 0.0 if pd.isna(value) else float(value)


def _told_pairs(told: Iterable[tuple[Any, bool]]) -> dict[tuple[str, str], list[str]]:
    """Findings and leads that speak of a pair."""
    found: dict[tuple[str, str], list[str]] = {}
    for entry, _ in told:
        subjects = entry["subjects"]
        for src in subjects.get("src", []):
            for dst in subjects.get("dst", []):
                found.setdefault((src, dst), []).append(entry["id"])
    return found


def _lacking(lack: Lack, coverage: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Evidence items whose records lack the field: item → row of `coverage.fields`."""
    members = {_label(source["evidence"]): source["evidence"] for source in coverage["sources"]}
    found = {}
    for row in coverage.get("fields") or ():
        if row["field"] == lack.field and row["table"] in lack.tables and row["state"] in ("absent", "in part"):
            found.update(dict.fromkeys(members.get(row["source"], [row["source"]]), row))
    return found


def _label(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{items[0]}–{items[-1]}"


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("source", "name", "table", "filled", "of")}


def _pair_sentence(lack: Lack, concerned: list[_Pair], sources: list[dict[str, Any]], cited: list[str]) -> str:
    first = concerned[0]
    where = ", ".join(f"{one['source']} ({one['filled']:,} of {one['of']:,} carry it)" for one in sources[:SHOWN])
    more = f" and {counted(len(sources) - SHOWN, 'more source')}" if len(sources) > SHOWN else ""
    place = f" in {where}{more}" if where else ""
    rest = len(concerned) - 1
    hosts = len({one.src for one in concerned})
    others = f"; the same for {counted(rest, 'more pair')} of {counted(hosts, 'host')}" if rest else ""
    refs = f" ({cited[0]})" if cited else ""
    return f"{lack.label}{place} would tell {lack.sentence(first.src, first.dst)}{refs}{others}."


def _of_runs(
    told: Iterable[tuple[Any, bool]], activity: pd.DataFrame, coverage: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Runs of functions in findings and leads, in places where nothing shows that runs are recorded."""
    mine = [entry for entry, _ in told if entry["hypothesis"] == "B"]
    named = {name for entry in mine for name in entry["subjects"].get("resource", [])}
    functions = activity[activity.resource.isin(named) & activity.resource_type.isin(RUNNING)]
    open_ = [
        (row["account"], row["region"])
        for row in coverage.get("audit_logging") or ()
        if row["state"] != "pass" and row["check"].startswith("runs of ")
    ]
    blind = any(spot["id"] == "no-data-events" for spot in coverage["blind_spots"])
    rows = functions[[blind or _is_open(row, open_) for row in functions.itertuples(index=False)]]
    if not len(rows):
        return
    names = list(dict.fromkeys(rows.resource))
    places = dict.fromkeys(" ".join(filter(None, place)) for place in zip(rows.account, rows.region, strict=True))
    entries = [entry for entry in mine if set(names) & set(entry["subjects"].get("resource", []))]
    yield _row(
        "data_events",
        "data events (runs)",
        f"data events of {_some(list(places))} would tell who ran {_some(names)}, when and how often",
        entries,
        [(None, name, list(rows[rows.resource == name].ref)[:SHOWN]) for name in names],
        "Turn on data events for functions now; for the past take invocation metrics and the function's own logs.",
        ["function_runs"],
    )


def _is_open(row: Any, places: list[tuple[str | None, str | None]]) -> bool:
    """Whether the runs of a resource lie in one of these places; a check without a region speaks of all."""
    return any(account == row.account and region in (None, row.region) for account, region in places)


AUDIT_FIELDS = (
    ("principal", "principal", "who did it", "Export the full record; console exports drop the identity."),
    ("source_ip", "caller's address", "from where it was done", "Export the full record of the same event ids."),
    ("user_agent", "user agent", "with which tool it was done", "Export the full record of the same event ids."),
    ("resource", "resource", "to which function it was done", "Export the request parameters of the same event ids."),
)


def _of_audit(told: Iterable[tuple[Any, bool]], activity: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Fields that audit records behind findings and leads do not carry."""
    mine = [(entry, set(_refs(entry, None))) for entry, _ in told if entry["hypothesis"] == "B"]
    if not mine:
        return
    cited = set().union(*(refs for _, refs in mine))
    rows = activity[activity.ref.isin(cited)]
    for column, label, tells, recommend in AUDIT_FIELDS:
        empty = rows[rows[column].isna()]
        if len(empty):
            refs = list(empty.ref)
            entries = [entry for entry, known in mine if known & set(refs)]
            first = empty.iloc[0]
            sentence = (
                f"{label} in {len(empty):,} of {len(rows):,} audit records behind findings and leads would tell "
                f"{tells}, first of all of {first.operation} ({first.ref})"
            )
            yield _row(column, label, sentence, entries, [(None, first.operation, refs[:SHOWN])], recommend, [])


def _of_blind(found: Mapping[str, Any], coverage: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Questions that could not be asked: the columns of which any one would have been enough."""
    needs = {question["id"]: question["needs"] for question in coverage["questions"]}
    for name, outcome in found["outcomes"].items():
        if outcome["outcome"] == "blind" and name in needs and name != "function_runs":
            fields = " or ".join(needs[name])
            sentence = f"{fields} would have let the question be asked: {outcome['title']} {outcome['reason']}"
            yield _row(
                fields, fields, sentence.rstrip("."), [], [], "Export a source that carries one of them.", [name]
            )


def _row(
    field: str,
    label: str,
    sentence: str,
    entries: list[Any],
    examples: list[tuple[str | None, str, list[str]]],
    recommend: str,
    questions: list[str],
) -> dict[str, Any]:
    return {
        "field": field,
        "label": label,
        "tables": ["api_activity"] if entries else [],
        "sources": [],
        "pairs": 0,
        "hosts": 0,
        "destinations": 0,
        "findings": [entry["id"] for entry in entries],
        "questions": questions,
        "sentence": f"{sentence}.",
        "examples": [{"src": src, "dst": dst, "refs": refs} for src, dst, refs in examples[:SHOWN]],
        "recommend": recommend,
    }


def _refs(entry: Mapping[str, Any], most: int | None = SHOWN) -> list[str]:
    return list(dict.fromkeys(ref for signal in entry["signals"] for ref in signal["refs"]))[:most]


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
