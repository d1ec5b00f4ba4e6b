"""Which concrete field would have decided this case: computed from its findings, leads and open pairs.

A field is named only where records of this case lack it, with the sources that lack it, whom that concerns, and the
records to look at. No field in general: nothing is said of what this case did not touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from playbooks.findings.wording import counted

SHOWN = 5
# types of resources that run
RUNNING = (
    "function", "function-app", "edge-function", "workflow", "flow", "script", "state-machine", "job", "runbook",
)  # fmt: skip


@dataclass(frozen=True)
class Lack:
    """A field that is missing somewhere: what it is, what it would tell of a pair, and how to get it."""

    field: str
    tables: tuple[str, ...]
    label: str
    tells: str
    recommend: str
    concerns: Callable[[Any, frozenset[str]], bool]
    only_told: bool = True

    def sentence(self, src: object, dst: object) -> str:
        return self.tells.format(src=src, dst=dst)


def _is_named(row: Any) -> bool:
    return str(row.kind) == "fqdn"


def _seen_in(row: Any, *telemetry: str) -> bool:
    return bool(set(telemetry) & set(row.sources))


LACKS = (
    Lack(
        "sni",
        ("network_activity",),
        "server name (SNI)",
        "which name, and so which tenant, stands behind {dst} that {src} contacted",
        "Log TLS handshakes at the egress (server name, JA4), or DNS answers per client.",
        lambda row, _: not _is_named(row) and _seen_in(row, "tls", "flow"),
        only_told=False,
    ),
    Lack(
        "https_path",
        ("http_activity",),
        "URL path",
        "which customer's function at {dst} was asked by {src}",
        "Where policy allows, inspect TLS for this host, or collect URLs on the endpoint.",
        lambda row, _: isinstance(row.catalogue_id, str) and not isinstance(row.tenant, str) and _is_named(row),
        only_told=False,
    ),
    Lack(
        "client_behind_proxy",
        ("http_activity", "network_activity"),
        "client behind the proxy",
        "which host behind {src} contacted {dst}",
        "Export the log of the proxy itself, or have it log the client it serves.",
        lambda row, proxies: row.src in proxies,
        only_told=False,
    ),
    Lack(
        "process",
        ("network_activity", "http_activity", "dns_activity"),
        "process",
        "which program on {src} contacted {dst}",
        "Collect endpoint connection records (Sysmon 3 and 22, EDR) of this host.",
        lambda row, _: True,
    ),
    Lack(
        "user_agent",
        ("http_activity",),
        "user agent",
        "what kind of program on {src} sent the requests to {dst}",
        "Log the user agent at the proxy; in tunnels only the endpoint or inspection shows it.",
        lambda row, _: _seen_in(row, "http") and not len(row.user_agents),
    ),
    Lack(
        "bytes",
        ("http_activity", "network_activity"),
        "bytes both ways",
        "how much {src} sent to {dst}, and so whether data left",
        "Log bytes of both directions at proxy and firewall.",
        lambda row, _: pd.isna(row.bytes_out) or pd.isna(row.bytes_in),
    ),
    Lack(
        "ja4",
        ("network_activity",),
        "JA4",
        "whether the TLS client on {src} that contacted {dst} is a browser",
        "Log JA4 (or JA3) at the egress sensor.",
        lambda row, _: _seen_in(row, "tls", "flow"),
    ),
    Lack(
        "connection",
        ("network_activity", "http_activity"),
        "record of the connection",
        "whether {src} reached {dst} or only asked for its name",
        "Export flow or proxy logs of the same clients and hours.",
        lambda row, _: list(row.sources) == ["dns"],
    ),
)


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
    proxies = frozenset(coverage.get("proxies") or ())
    lacking = _lacking(lack, coverage)
    by_pair = _told_pairs(told)
    concerned: list[tuple[Any, list[str]]] = []
    items: dict[str, None] = {}
    row: Any
    for row in pairs.itertuples(index=False):
        ids = by_pair.get((row.src, row.dst), [])
        if (lack.only_told and not ids) or not lack.concerns(row, proxies):
            continue
        mine = [item for item in dict.fromkeys(ref.partition(":")[0] for ref in row.refs) if item in lacking]
        if mine or lack.field == "connection":
            items.update(dict.fromkeys(mine))
            concerned.append((row, ids))
    if not concerned:
        return None
    concerned.sort(key=lambda one: (not one[1], -_number(one[0].priority), one[0].src, one[0].dst))
    sources = list({lacking[item]["source"]: lacking[item] for item in items}.values())
    return {
        "field": lack.field,
        "label": lack.label,
        "tables": list(lack.tables),
        "sources": [_source(one) for one in sources],
        "pairs": len(concerned),
        "hosts": len({row.src for row, _ in concerned}),
        "destinations": len({row.dst for row, _ in concerned}),
        "findings": list(dict.fromkeys(name for _, ids in concerned for name in ids)),
        "questions": [],
        "sentence": _pair_sentence(lack, concerned, sources),
        "examples": [
            {"src": row.src, "dst": row.dst, "refs": list(map(str, row.refs))[:SHOWN]} for row, _ in concerned[:SHOWN]
        ],
        "recommend": lack.recommend,
    }


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


def _pair_sentence(lack: Lack, concerned: list[tuple[Any, list[str]]], sources: list[dict[str, Any]]) -> str:
    first = concerned[0][0]
    where = ", ".join(f"{one['source']} ({one['filled']:,} of {one['of']:,} carry it)" for one in sources[:SHOWN])
    more = f" and {counted(len(sources) - SHOWN, 'more source')}" if len(sources) > SHOWN else ""
    place = f" in {where}{more}" if where else ""
    rest = len(concerned) - 1
    hosts = len({row.src for row, _ in concerned})
    others = f"; the same for {counted(rest, 'more pair')} of {counted(hosts, 'host')}" if rest else ""
    refs = f" ({first.refs[0]})" if len(first.refs) else ""
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
