"""Is the audit log on, everywhere, and does it record runs? Pass, fail or unknown, each with its proof.

Proof is a record or an acquired answer. Where neither says, the state is *unknown*: a record that is not there
proves nothing. Selectors say what is recorded since they were set, not what was before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playbooks.case import Case
from playbooks.coverage.data_events import data_events
from playbooks.coverage.places import FAIL, PASS, UNKNOWN, Place, Span, row, spans, words
from playbooks.coverage.trails import ALL, NONE, Trail, trails_of
from playbooks.engine import Tables
from playbooks.knowledge.operations import load_operations

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

LAMBDA = "lambda.amazonaws.com"
TRAIL = "cloudtrail.amazonaws.com"
AWS = "AWS"


def audit_logging(case: Case, tables: Tables, changes: pd.DataFrame | None = None) -> list[dict[str, Any]]:
    """Every check of the audit logs of a case.

    Parameters
    ----------
    case, tables
        The case and its events.
    changes
        Rows of `schema.LOGGING_CHANGES` over all records, where scoping has judged them.

    Returns
    -------
    list of dict
        `provider, service, account, region, check, state` (pass, fail, unknown), `why`, `proof` (references), in order
        of account, region, service and check.
    """
    seen = spans(tables.api_activity)
    runs = spans(_runs_in(tables.api_activity))
    trails = trails_of(tables)
    rows = [
        *_control_plane(case, seen),
        *_function_runs(seen, runs, trails),
        *_every_region(seen, trails),
        *_writing(trails),
        *(_changed(changes) if changes is not None else ()),
        *data_events(tables, trails),
    ]
    order = ("account", "region", "service", "check")
    return sorted(rows, key=lambda one: tuple(str(one[key] or "") for key in order))


def _runs_in(events: ir.Table) -> ir.Table:
    """Runs of Lambda functions that are recorded only where a selector was set."""
    mine = events.filter(events.api_service_name == LAMBDA)
    names = mine.select("api_operation").distinct().to_pyarrow()["api_operation"].to_pylist()
    return mine.filter(mine.api_operation.isin([name for name in names if name and _needs_selector(name)]))


def _needs_selector(name: str) -> bool:
    known = load_operations().find(AWS, LAMBDA, name)
    return known is not None and known.phase == "invoke" and known.log_class == "data" and not known.logged_by_default


def _control_plane(case: Case, recorded: dict[Any, Span]) -> Iterator[dict[str, Any]]:
    """Whether an account has records at all; one that the case names and no record speaks of is unknown."""
    check = "the control plane is recorded"
    for place, span in recorded.items():
        yield row(place[0], place, check, PASS, f"records in evidence: {words(span)}", span["refs"])
    own = case.config.estate.own
    stated = {AWS: own.aws_accounts, "Azure": own.azure_tenants, "GCP": own.gcp_projects}
    stated["Cloudflare"] = own.cloudflare_accounts
    seen = {(provider.lower(), account) for provider, account, _ in recorded}
    for provider, accounts in stated.items():
        for account in accounts:
            if (provider.lower(), account) not in seen:
                yield row(provider, (provider, account, None), check, UNKNOWN, "no record of it in evidence", ())


def _function_runs(recorded: dict[Any, Span], runs: dict[Any, Span], trails: list[Trail]) -> Iterator[dict[str, Any]]:
    """Per account and region of AWS: are runs of functions recorded?"""
    places = {place for place in recorded if place[0] == AWS}
    places |= {(AWS, trail.account, trail.home) for trail in trails}
    for place in sorted(places, key=str):
        check = "runs of functions are recorded (data events)"
        if place in runs:
            why = f"runs in evidence: {words(runs[place])}"
            yield row(LAMBDA, place, check, PASS, why, runs[place]["refs"])
            continue
        mine = [trail for trail in trails if trail.account == place[1] and trail.covers(place[2])]
        yield row(LAMBDA, place, check, *_by_selectors(mine))


def _by_selectors(trails: list[Trail]) -> tuple[str, str, list[str]]:
    """State, reason and proof where no run is in evidence."""
    proof = [ref for trail in trails for ref in trail.proof]
    if any(trail.runs == ALL and trail.logging is not False for trail in trails):
        return PASS, "a selector covers all functions, as acquired; no run is in evidence", proof
    if not trails or any(trail.runs is None for trail in trails):
        return UNKNOWN, "no run is in evidence, and the selectors of its trails were not acquired", proof
    if all(trail.runs == NONE or trail.logging is False for trail in trails):
        return FAIL, "no trail that covers it records runs, as acquired: no run in evidence proves nothing", proof
    return UNKNOWN, "selectors cover some functions only, as acquired; no run is in evidence", proof


def _every_region(recorded: dict[Any, Span], trails: list[Trail]) -> Iterator[dict[str, Any]]:
    """Per account of AWS: is there a trail of all regions?"""
    accounts = {place[1] for place in recorded if place[0] == AWS} | {trail.account for trail in trails}
    for account in sorted(accounts, key=str):
        mine = [trail for trail in trails if trail.account == account]
        wide = [trail for trail in mine if trail.multi_region]
        chosen = wide or mine
        names = ", ".join(trail.name for trail in chosen)
        state = PASS if wide else FAIL if mine else UNKNOWN
        why = {
            PASS: f"{names}: a trail of all regions",
            FAIL: f"{names}: no trail of all regions among those acquired",
            UNKNOWN: "no answer about trails was acquired; records alone cannot say",
        }[state]
        proof = [trail.proof[0] for trail in chosen]
        yield row(TRAIL, (AWS, account, None), "a trail covers every region", state, why, proof)


WRITES = {
    None: (UNKNOWN, "its status was not acquired"),
    True: (PASS, "it writes, as acquired"),
    False: (FAIL, "it is stopped, as acquired"),
}
VERIFIED = {
    True: (PASS, "digest files are written, as acquired"),
    False: (FAIL, "no digest files: its log files cannot be verified"),
}
STILL = "no log was stopped, narrowed or redirected in the records"
CHANGES_NAMED = 3


def _writing(trails: list[Trail]) -> Iterator[dict[str, Any]]:
    """Per trail: does it write, and can its files be verified?"""
    for trail in trails:
        place: Place = (AWS, trail.account, trail.home)
        yield row(TRAIL, place, f"trail {trail.name} is writing", *WRITES[trail.logging], trail.proof)
        yield row(
            TRAIL, place, f"files of trail {trail.name} can be verified", *VERIFIED[trail.validated], trail.proof[:1]
        )


def _changed(changes: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Per place of any cloud: changes of a log after which less was recorded, or of which nobody can tell."""
    done = changes[(changes["outcome"] != "failure") & changes["effect"].isin(["less", "unknown"])]
    for place, rows in done.groupby(["provider", "account", "region"], dropna=False, sort=True):
        less = rows[rows["effect"] == "less"]
        state, told = (FAIL, less) if len(less) else (UNKNOWN, rows)
        open_ended = int(told["until"].isna().sum())
        what = f"less was recorded after {len(told)} change(s), {open_ended} of them not undone in the records"
        why = what if state == FAIL else "logs were changed, and nothing in evidence says from what"
        named = "; ".join(told["sentence"].head(CHANGES_NAMED))
        provider, account, region = (part if isinstance(part, str) else None for part in place)
        where = (provider or "", account, region)
        yield row(TRAIL if provider == AWS else where[0], where, STILL, state, f"{why}: {named}", told["ref"].head(20))
