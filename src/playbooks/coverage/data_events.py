"""Are data events recorded? Per cloud, account, region and service: pass with records, fail with proof, or unknown.

Data events are what a service does, not how it is set up: runs of functions, reads of objects, use of secrets. Nearly
everywhere they are off until somebody switches them on; a log without them cannot say that nothing ran.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playbooks.coverage.places import FAIL, PASS, UNKNOWN, Place, Span, merged, row, spans, words
from playbooks.coverage.trails import ALL, NONE, Trail
from playbooks.engine import Tables
from playbooks.knowledge.operations import load_operations

AWS, AZURE, GCP, M365 = "AWS", "Azure", "GCP", "Microsoft 365"
WORKSPACE, CLOUDFLARE = "Google Workspace", "Cloudflare"
LAMBDA, S3 = "lambda.amazonaws.com", "s3.amazonaws.com"
NOT_EXPORTED = "no record of this kind in evidence: none happened, it is not recorded, or it was not exported"


@dataclass(frozen=True)
class Kind:
    """One kind of record of one cloud: how to know it, and what it is called in a check."""

    provider: str
    service: str
    check: str
    formats: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    why_unknown: str = NOT_EXPORTED

    def holds(self, key: Key) -> bool:
        """Whether records of such a key are of this kind; each part that is stated must fit."""
        return key.provider == self.provider and all(
            not wanted or (value or "").lower() in wanted
            for wanted, value in ((self.formats, key.format), (self.services, key.service), (self.codes, key.code))
        )


@dataclass(frozen=True)
class Key:
    """What tells kinds of audit records apart."""

    provider: str
    account: str | None
    region: str | None
    format: str
    service: str | None
    code: str | None


SETTINGS = "no record of this kind in evidence: it needs a diagnostic setting, and none was acquired"
KINDS = (
    Kind(
        AZURE,
        "microsoft.web",
        "runs of function apps are recorded (FunctionAppLogs)",
        ("azure_function_app", "azure_function_app_blob"),
        why_unknown=SETTINGS,
    ),
    Kind(
        AZURE,
        "microsoft.logic",
        "runs of logic apps are recorded (WorkflowRuntime)",
        ("azure_logic_app_runtime",),
        why_unknown=SETTINGS,
    ),
    Kind(
        AZURE,
        "microsoft.storage",
        "reads and writes of storage are recorded",
        codes=("storageread", "storagewrite", "storagedelete"),
        why_unknown=SETTINGS,
    ),
    Kind(AZURE, "microsoft.keyvault", "use of secrets is recorded", codes=("auditevent",), why_unknown=SETTINGS),
    Kind(
        M365,
        "Power Automate",
        "changes of flows are recorded (record type 30)",
        codes=("30", "microsoftflow"),
    ),
    Kind(M365, "Power Platform", "Power Platform is recorded", services=("powerplatform", "powerapps")),
    Kind(M365, "Exchange", "changes of mailboxes and inbox rules are recorded", services=("exchange",)),
    Kind(M365, "Exchange", "access to mail is recorded (record type 50)", codes=("50", "exchangeitemaggregated")),
    Kind(M365, "SharePoint and OneDrive", "access to files is recorded", services=("sharepoint", "onedrive")),
    Kind(M365, "Entra ID", "consent and changes are recorded (record type 8)", codes=("8", "azureactivedirectory")),
    Kind(M365, "Entra ID", "sign-ins are recorded (record type 15)", codes=("15", "azureactivedirectorystslogon")),
    Kind(WORKSPACE, "token", "consent of applications is recorded", services=("token",)),
    Kind(WORKSPACE, "admin", "changes by administrators are recorded", services=("admin",)),
    Kind(WORKSPACE, "drive", "documents and scripts are recorded", services=("drive",)),
    Kind(WORKSPACE, "login", "sign-ins are recorded", services=("login",)),
    Kind(
        WORKSPACE,
        "script.google.com",
        "runs of Apps Script are recorded",
        services=("script", "apps_script"),
        why_unknown="the audit log of Workspace does not hold them; they stand in the script's own project",
    ),
    Kind(CLOUDFLARE, "workers", "runs of Workers are recorded (workers_trace_events)", ("cloudflare_workers_trace",)),
)  # fmt: skip


def data_events(tables: Tables, trails: list[Trail]) -> list[dict[str, Any]]:
    """Checks of data events for every cloud of which there are audit records; rows as `places.row`."""
    api = tables.api_activity
    found = spans(api, "format", "api_service_name", "metadata_event_code")
    keys = {Key(*key): span for key, span in found.items()}
    ended = _ended(tables)
    return [
        *_aws(keys, trails),
        *_gcp(keys, _removed(tables)),
        *(check for kind in KINDS for check in _of_kind(kind, keys)),
        *_switched_off(ended),
    ]


def _by_place(keys: dict[Key, Span]) -> dict[Place, Span]:
    """Spans put together per place."""
    several: dict[Place, list[Span]] = {}
    for key, span in keys.items():
        several.setdefault((key.provider, key.account, key.region), []).append(span)
    return {place: merged(several[place]) for place in sorted(several, key=str)}


def _of_kind(kind: Kind, keys: dict[Key, Span]) -> Iterator[dict[str, Any]]:
    """A kind of record per account and region of its cloud: a pass where there is one, else why nobody knows."""
    mine = _by_place({key: span for key, span in keys.items() if kind.holds(key)})
    for place, span in mine.items():
        yield row(kind.service, place, kind.check, PASS, f"records in evidence: {words(span)}", span["refs"])
    accounts = {key.account for key in keys if key.provider == kind.provider} - {place[1] for place in mine}
    for account in sorted(accounts, key=str):
        yield row(kind.service, (kind.provider, account, None), kind.check, UNKNOWN, kind.why_unknown, ())


def _aws(keys: dict[Key, Span], trails: list[Trail]) -> Iterator[dict[str, Any]]:
    """Reads and writes of objects, and every other service with data events; runs of functions have their own check."""
    check = "reads and writes of objects are recorded (data events)"
    mine = {key: span for key, span in keys.items() if key.provider == AWS}
    data = {key: span for key, span in mine.items() if (key.code or "").lower() == "data"}
    objects = _by_place({key: span for key, span in data.items() if key.service == S3})
    places = {(key.provider, key.account, key.region) for key in mine if key.region}
    for place in sorted(places | set(objects), key=str):
        if place in objects:
            span = objects[place]
            yield row(S3, place, check, PASS, f"records in evidence: {words(span)}", span["refs"])
        else:
            yield row(S3, place, check, *_by_selectors(trails, place))
    for service in sorted({key.service or "" for key in data} - {S3, LAMBDA, ""}):
        for place, span in _by_place({key: span for key, span in data.items() if key.service == service}).items():
            why = f"records in evidence: {words(span)}"
            yield row(service, place, "data events are recorded", PASS, why, span["refs"])


def _by_selectors(trails: list[Trail], place: Place) -> tuple[str, str, list[str]]:
    mine = [trail for trail in trails if trail.account == place[1] and trail.covers(place[2])]
    proof = [ref for trail in mine for ref in trail.proof]
    if any(trail.objects == ALL and trail.logging is not False for trail in mine):
        return PASS, "a selector covers all objects, as acquired; no such record is in evidence", proof
    if not mine or any(trail.objects is None for trail in mine):
        return UNKNOWN, "no such record is in evidence, and the selectors of its trails were not acquired", proof
    if all(trail.objects == NONE or trail.logging is False for trail in mine):
        return FAIL, "no trail that covers it records objects, as acquired", proof
    return UNKNOWN, "selectors cover some objects only, as acquired; no such record is in evidence", proof


def _gcp(keys: dict[Key, Span], removed: dict[Any, Span]) -> Iterator[dict[str, Any]]:
    """Data Access logs per project, region and service; switched off in the records is a fail."""
    check = "data access is recorded (Data Access log)"
    mine = {key: span for key, span in keys.items() if key.provider == GCP}
    data = {key: span for key, span in mine.items() if key.code == "Data"}
    for service in sorted({key.service or "" for key in data}):
        for place, span in _by_place(
            {key: span for key, span in data.items() if (key.service or "") == service}
        ).items():
            yield row(service, place, check, PASS, f"records in evidence: {words(span)}", span["refs"])
    have = {(key.account, key.service) for key in data}
    asked = {(key.account, key.service) for key in mine if key.service}
    for account, service in sorted(asked - have, key=str):
        off = [span for place, span in removed.items() if place[1] == account]
        if off:
            why = f"Data Access logs were switched off in the records: {words(merged(off))}"
            yield row(service or "", (GCP, account, None), check, FAIL, why, merged(off)["refs"])
        else:
            yield row(service or "", (GCP, account, None), check, UNKNOWN, NOT_EXPORTED, ())


def _removed(tables: Tables) -> dict[Any, Span]:
    """Changes of audit configuration of Google Cloud that took something away."""
    api = tables.api_activity
    said = api.request.fill_null("") + api.response.fill_null("")
    away = said.contains("auditConfigDelta") & said.re_search(
        r'"action"\s*:\s*"REMOVE"[^{}]*"logType"|"logType"[^{}]*"action"\s*:\s*"REMOVE"'
    )
    return spans(api.filter(api.cloud_provider == GCP, api.status == "success", away))


def _ended(tables: Tables) -> dict[Any, Span]:
    """Successful operations that end or weaken a record, outside AWS (whose trails have their own check)."""
    api = tables.api_activity
    done = api.filter(api.cloud_provider != AWS, api.status == "success")
    told_by = ("cloud_provider", "api_service_name", "api_operation", "api_operation_base")
    names = done.select(*told_by).distinct().to_pyarrow().to_pylist()
    known = load_operations()
    ending = [
        one
        for one in names
        if one["api_operation"]
        and (found := known.find(one["cloud_provider"] or "", *(one[name] for name in told_by[1:])))
        and found.phase == "defence-evasion"
    ]
    if not ending:
        return {}
    logged, bases = (sorted({one[name] for one in ending if one[name]}) for name in told_by[2:])
    base = done.api_operation_base
    return spans(done.filter(done.api_operation.isin(logged), base.isin(bases) | base.isnull()), "api_service_name")


def _switched_off(ended: dict[Any, Span]) -> Iterator[dict[str, Any]]:
    for (provider, account, region, service), span in sorted(ended.items(), key=str):
        why = f"ended or weakened: {words(span)}; what was recorded after may be less"
        check = "no log was switched off or weakened in the records"
        yield row(service or provider, (provider, account, region), check, FAIL, why, span["refs"])
