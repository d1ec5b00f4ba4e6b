"""Is the audit log on, everywhere, and does it record runs? Pass, fail or unknown, each with its proof.

Proof is a record or an acquired answer. Where neither says, the state is *unknown*: a record that is not there
proves nothing. Selectors say what is recorded since they were set, not what was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from playbooks.case import Case
from playbooks.coverage.trails import ALL, NONE, Trail, trails_of
from playbooks.engine import Tables
from playbooks.knowledge.operations import load_operations

if TYPE_CHECKING:
    import ibis.expr.types as ir

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
LAMBDA = "lambda.amazonaws.com"
TRAIL = "cloudtrail.amazonaws.com"
AWS = "AWS"
Place = tuple[str, str | None, str | None]  # provider, account, region
Span = dict[str, Any]


def audit_logging(case: Case, tables: Tables) -> list[dict[str, Any]]:
    """Every check of the audit logs of a case.

    Returns
    -------
    list of dict
        `service, account, region, check, state` (pass, fail, unknown), `why`, `proof` (references), in order of
        provider, account, region and check.
    """
    spans = _spans(tables.api_activity)
    runs = _spans(_runs_in(tables.api_activity))
    trails = trails_of(tables)
    rows = [
        *_control_plane(case, spans),
        *_function_runs(spans, runs, trails),
        *_every_region(spans, trails),
        *_writing(tables.api_activity, trails),
    ]
    return sorted(rows, key=lambda row: tuple(str(row[key] or "") for key in ("account", "region", "service", "check")))


def _row(service: str, place: Place, check: str, state: str, why: str, proof: Iterable[str]) -> dict[str, Any]:
    _, account, region = place
    return {
        "service": service,
        "account": account,
        "region": region,
        "check": check,
        "state": state,
        "why": why,
        "proof": list(proof),
    }


def _spans(events: ir.Table) -> dict[Place, Span]:
    """Per place: events, first and last with their records, the same ones each time."""
    known = events.filter(events.cloud_provider.notnull())
    number = known.record_no.cast("string").lpad(12, "0")
    key = known.time.cast("string") + "|" + known.evidence_id + "|" + number
    places = ("cloud_provider", "cloud_account_uid", "cloud_region")
    counted = known.group_by(*places).aggregate(events=known.count(), first=key.min(), last=key.max())
    rows = counted.to_pyarrow().to_pylist()
    return {
        tuple(row[name] for name in places): {
            "events": row["events"],
            "first": row["first"].split("|")[0][:16],
            "last": row["last"].split("|")[0][:16],
            "refs": list(dict.fromkeys(_ref(row[edge]) for edge in ("first", "last"))),
        }
        for row in rows
    }


def _ref(key: str) -> str:
    _, item, number = key.split("|")
    return f"{item}:{int(number)}"


def _words(span: Span) -> str:
    return f"{span['events']:,} from {span['first']} to {span['last']} UTC"


def _runs_in(events: ir.Table) -> ir.Table:
    """Runs of Lambda functions that are recorded only where a selector was set."""
    mine = events.filter(events.api_service_name == LAMBDA)
    names = mine.select("api_operation").distinct().to_pyarrow()["api_operation"].to_pylist()
    return mine.filter(mine.api_operation.isin([name for name in names if name and _needs_selector(name)]))


def _needs_selector(name: str) -> bool:
    known = load_operations().find(AWS, LAMBDA, name)
    return known is not None and known.phase == "invoke" and known.log_class == "data" and not known.logged_by_default


def _control_plane(case: Case, spans: dict[Place, Span]) -> Iterator[dict[str, Any]]:
    """Whether an account has records at all; one that the case names and no record speaks of is unknown."""
    check = "the control plane is recorded"
    for place, span in spans.items():
        yield _row(place[0], place, check, PASS, f"records in evidence: {_words(span)}", span["refs"])
    own = case.config.estate.own
    stated = {AWS: own.aws_accounts, "Azure": own.azure_tenants, "GCP": own.gcp_projects}
    stated["Cloudflare"] = own.cloudflare_accounts
    seen = {(provider.lower(), account) for provider, account, _ in spans}
    for provider, accounts in stated.items():
        for account in accounts:
            if (provider.lower(), account) not in seen:
                yield _row(provider, (provider, account, None), check, UNKNOWN, "no record of it in evidence", ())


def _function_runs(spans: dict[Place, Span], runs: dict[Place, Span], trails: list[Trail]) -> Iterator[dict[str, Any]]:
    """Per account and region of AWS: are runs of functions recorded?"""
    places = {place for place in spans if place[0] == AWS}
    places |= {(AWS, trail.account, trail.home) for trail in trails}
    for place in sorted(places, key=str):
        check = "runs of functions are recorded (data events)"
        if place in runs:
            why = f"runs in evidence: {_words(runs[place])}"
            yield _row(LAMBDA, place, check, PASS, why, runs[place]["refs"])
            continue
        mine = [trail for trail in trails if trail.account == place[1] and trail.covers(place[2])]
        yield _row(LAMBDA, place, check, *_by_selectors(mine))


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


def _every_region(spans: dict[Place, Span], trails: list[Trail]) -> Iterator[dict[str, Any]]:
    """Per account of AWS: is there a trail of all regions?"""
    accounts = {place[1] for place in spans if place[0] == AWS} | {trail.account for trail in trails}
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
        yield _row(TRAIL, (AWS, account, None), "a trail covers every region", state, why, proof)


WRITES = {
    None: (UNKNOWN, "its status was not acquired"),
    True: (PASS, "it writes, as acquired"),
    False: (FAIL, "it is stopped, as acquired"),
}
VERIFIED = {
    True: (PASS, "digest files are written, as acquired"),
    False: (FAIL, "no digest files: its log files cannot be verified"),
}
ENDING = ("StopLogging", "DeleteTrail", "PutEventSelectors", "UpdateTrail")


def _writing(events: ir.Table, trails: list[Trail]) -> Iterator[dict[str, Any]]:
    """Per trail: does it write, and can its files be verified? Per place: was a trail stopped or changed?"""
    for trail in trails:
        place: Place = (AWS, trail.account, trail.home)
        yield _row(TRAIL, place, f"trail {trail.name} is writing", *WRITES[trail.logging], trail.proof)
        yield _row(
            TRAIL, place, f"files of trail {trail.name} can be verified", *VERIFIED[trail.validated], trail.proof[:1]
        )
    done = events.filter(
        events.api_operation.isin(ENDING), events.status == "success", events.api_service_name == TRAIL
    )
    for changed, span in _spans(done).items():
        why = f"changed, stopped or deleted: {_words(span)}; what was recorded after may be less"
        yield _row(TRAIL, changed, "no trail was stopped or changed in the records", FAIL, why, span["refs"])
