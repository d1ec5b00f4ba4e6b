"""What each identity did: calls that attackers use, the others, from where, with what, and whether that is new.

Every audit record of the window counts, catalogued or not. A call that attackers use is one that the catalogue holds
and that is neither a read nor a run of a function; that says nothing against a call by itself. Where a cell is not
told by the records it is null.

Innocent when: an administrator, a pipeline or a scanner does its work; it calls what attackers call.
Cannot see: calls that no trail in evidence records, and whether a second factor was used: no column holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema
from playbooks.knowledge.operations import Operation, load_operations
from playbooks.scoping.actors import counted, together
from playbooks.scoping.control_plane import plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import CaseFile
    from playbooks.engine import Tables

IDENTITY = ["principal", "principal_type", "cloud_provider"]
MAX_LISTED = 20  # values in one cell of the summary; the details hold all
LONG_TERM_KEY = "AKIA"  # AWS IAM user guide, "unique identifiers": long-term keys; others end with their session
CONSOLE = ("ConsoleLogin", "UserLoggedIn", "login_success")  # sign-ins of AWS, Microsoft 365, Google Workspace
DISCOVERY_VERBS = r"(Get|List|Describe|Lookup|Head|BatchGet|Search)[A-Z]"
NOT_CHANGING = ("discovery", "invoke")  # reads, and runs: triggers make millions of these
KINDS = ("operation", "region", "account", "address", "user agent", "access key")


def identities(tables: Tables, case: CaseFile) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per principal, and one per principal and value: operation, region, account, address, agent, key.

    Returns
    -------
    tuple of pandas.DataFrame
        Exactly the columns of `schema.IDENTITIES`, most calls that attackers use first, and those of
        `schema.IDENTITY_DETAILS`, by principal, kind and number of calls.
    """
    events = tables.api_activity
    calls = _with_knowledge(_calls(events, case))
    parts = {
        "operation": together(calls, *IDENTITY, "operation", "service", "phase"),
        "region": together(calls, *IDENTITY, "cloud_region").rename(columns={"cloud_region": "value"}),
        "account": together(calls, *IDENTITY, "cloud_account_uid").rename(columns={"cloud_account_uid": "value"}),
        "address": _values(events, case, events.src_endpoint_ip),
        "user agent": _values(events, case, events.http_request_user_agent),
        "access key": _values(events, case, _long_term(events)),
    }
    parts["operation"] = parts["operation"].rename(columns={"operation": "value"})
    details = _details(parts, case.baseline is not None)
    shown = details.rename(columns={"cloud_provider": "provider"})[list(schema.IDENTITY_DETAILS.names)]
    return _summary(calls, details, case.baseline is not None), shown


def _calls(events: ir.Table, case: CaseFile) -> pd.DataFrame:
    named = events.mutate(
        service=events.api_service_name, operation=events.api_operation_base.fill_null(events.api_operation)
    )
    return counted(named, case, "service", "operation", "cloud_region")


def _long_term(events: ir.Table) -> ir.StringValue:
    key = events.actor_session_uid
    return key.startswith(LONG_TERM_KEY).ifelse(key, None)


def _values(events: ir.Table, case: CaseFile, value: ir.Value) -> pd.DataFrame:
    told = events.mutate(value=value)
    return together(counted(told.filter(told.value.notnull()), case, "value"), *IDENTITY, "value")


def _with_knowledge(calls: pd.DataFrame) -> pd.DataFrame:
    """`calls` with the phase and the technique ids of what the catalogue holds; null and none for others."""
    catalogue, held = load_operations(), {}
    for key in calls[["cloud_provider", "service", "operation"]].drop_duplicates().itertuples(index=False, name=None):
        held[key] = catalogue.find(*key) if key[0] and key[2] else None
    keys = list(zip(calls["cloud_provider"], calls["service"], calls["operation"], strict=True))
    known: list[Operation | None] = [held[key] for key in keys]
    phase = [one.phase if one else None for one in known]
    attack = [one.attack if one else () for one in known]
    return calls.assign(
        phase=pd.Series(phase, index=calls.index, dtype=object),
        attack=pd.Series(attack, index=calls.index, dtype=object),
    )


def _details(parts: dict[str, pd.DataFrame], has_baseline: bool) -> pd.DataFrame:
    told = [rows.assign(kind=kind) for kind, rows in parts.items()]
    rows = pd.concat([one.reindex(columns=_DETAIL) for one in told], ignore_index=True)
    rows = rows[(rows["calls"] > 0) & rows["value"].notna()]
    new = rows["before"] == 0
    rows = rows.assign(
        new=new.astype(object) if has_baseline else pd.Series(None, index=rows.index, dtype=object),
        order=rows["kind"].map({kind: place for place, kind in enumerate(KINDS)}),
    )
    by = [*IDENTITY, "order", "calls", "value"]
    up = [True, True, True, True, False, True]
    return plain(rows.sort_values(by, ascending=up, kind="stable", ignore_index=True))


_DETAIL = [*IDENTITY, "kind", "value", "service", "phase", "calls", "failed", "refused", "before", "first_seen"]
_DETAIL += ["last_seen", "first_ref", "last_ref"]


def _summary(calls: pd.DataFrame, details: pd.DataFrame, has_baseline: bool) -> pd.DataFrame:
    whole = together(calls, *IDENTITY)
    whole = whole[whole["calls"] > 0]
    made = dict(list(calls[calls["calls"] > 0].groupby(_keys(calls[calls["calls"] > 0]), sort=True)))
    told = dict(list(details.groupby(_keys(details), sort=True)))
    rows = [
        _row(row, made[key], told[key], has_baseline)
        for key, row in zip(_keys(whole), whole.to_dict("records"), strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(schema.IDENTITIES.names))
    order = ["attack_calls", "discovery_calls", "calls", "principal"]
    return plain(table.sort_values(order, ascending=[False, False, False, True], kind="stable", ignore_index=True))


def _keys(rows: pd.DataFrame) -> pd.Series[str]:
    """One text per identity; parts that the records do not tell are empty."""
    parts = [rows[name].fillna("").astype(str) for name in IDENTITY]
    return parts[0] + "\x1f" + parts[1] + "\x1f" + parts[2]


def _row(row: dict[Any, Any], calls: pd.DataFrame, details: pd.DataFrame, has_baseline: bool) -> dict[str, object]:
    attacks = calls[calls["phase"].notna() & ~calls["phase"].isin(NOT_CHANGING)]
    reads = calls["operation"].astype(str).str.match(DISCOVERY_VERBS) & calls["phase"].isna()
    discovery = reads | (calls["phase"] == "discovery")
    signs_in = calls[calls["operation"].isin(CONSOLE)]
    listed = {kind: details[details["kind"] == kind] for kind in KINDS}
    operations = listed["operation"]
    used = operations[operations["phase"].notna() & ~operations["phase"].isin(NOT_CHANGING)]
    return {
        "principal": row["principal"],
        "principal_type": row["principal_type"],
        "provider": row["cloud_provider"],
        "calls": int(row["calls"]),
        "failed": int(row["failed"]),
        "refused": int(row["refused"]),
        "attack_calls": int(attacks["calls"].sum()),
        "attack_failed": int(attacks["failed"].sum()),
        "attack_operations": [_with_counts(one) for one in used.head(MAX_LISTED).itertuples(index=False)],
        "attack": sorted({technique for ids in attacks["attack"] for technique in ids}),
        "runs": int(calls.loc[calls["phase"] == "invoke", "calls"].sum()),
        "discovery_calls": int(calls.loc[discovery, "calls"].sum()),
        "console_sign_ins": int(signs_in["calls"].sum()),
        "operation_count": len(operations),
        **{name: _values_of(listed[kind]) for name, kind in _LISTED.items()},
        "address_count": len(listed["address"]),
        "address_list": _values_of(listed["address"]),
        "first_seen": row["first_seen"],
        "last_seen": row["last_seen"],
        "new_in_window": bool(row["before"] == 0) if has_baseline else None,
        "refs": list(dict.fromkeys([row["first_ref"], *used["first_ref"].head(MAX_LISTED), row["last_ref"]])),
    }


_LISTED = {"accounts": "account", "regions": "region", "user_agents": "user agent", "access_keys": "access key"}


def _values_of(rows: pd.DataFrame) -> list[str]:
    return [str(value) for value in rows["value"].head(MAX_LISTED)]


def _with_counts(operation: Any) -> str:
    failed = f", {operation.failed:,} failed" if operation.failed else ""
    return f"{operation.value} ({operation.calls:,}{failed})"
