"""Hosts that a resource of ours has by its name, where no record shows one: by the providers' naming.

A host is listed where the telemetry holds it. Where customers of the provider can have the same name, the answer says
so. A name that the provider draws at random (the deployment of an Apps Script, an id of API Gateway) cannot be known
from the resource.
References: Azure App Service, "unique default host name"; Cloud Functions, "deterministic URL"; Cloud Run, "Service
URLs"; Cloudflare Workers, "workers.dev".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.knowledge.catalogue import plain_host
from playbooks.scoping.clouds.cloudflare import LABEL_PATHS
from playbooks.scoping.clouds.record_json import json_object, text_at

if TYPE_CHECKING:
    from playbooks.engine import Tables

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Named:
    """How hosts of a kind of resource are called.

    `seen` is a pattern of names that the telemetry may hold; `{name}`, `{region}`, `{account}` and `{label}` (a name
    that the account chose for itself) stand for what is known of the resource. `alone` says that no other customer can
    have a name of the pattern.
    """

    provider: str
    kinds: tuple[str, ...]
    seen: str
    alone: bool = True


RULES = (
    Named("Azure", ("function-app", "app"), r"{name}(?:\.scm)?\.azurewebsites\.net"),
    Named(
        "Azure",
        ("function-app", "app"),
        r"{name}-[a-z0-9]{{16}}(?:\.scm)?\.[a-z0-9]+-[0-9]{{2}}\.azurewebsites\.net",
        alone=False,
    ),
    Named("GCP", ("function",), r"{region}-{account}\.cloudfunctions\.net"),
    Named("GCP", ("function", "service"), r"{name}-[0-9]{{6,20}}\.{region}\.run\.app", alone=False),
    Named("GCP", ("function", "service"), r"{name}-[a-z0-9]{{10}}-[a-z]{{2,4}}\.a\.run\.app", alone=False),
    Named("Cloudflare", ("script",), r"(?:[a-z0-9-]+-)?{name}\.{label}\.workers\.dev"),
)
UIDS = {
    "AWS": re.compile(r"arn:"),
    "Azure": re.compile(r"/subscriptions/", re.IGNORECASE),
    "GCP": re.compile(r"(?://[^/]+/)?(?:projects|namespaces)/"),
}
CLOUDFLARE = re.compile(r"[0-9a-f]{32}")
SUBDOMAIN = "/workers/subdomain"  # end of the operation with which an account names itself below workers.dev


@dataclass(frozen=True)
class Nameless:
    """A Worker of ours that no record names."""

    account: str | None
    refs: list[str]
    resource: str | None = None
    resource_type: str | None = "script"
    region: str | None = None


@dataclass(frozen=True)
class Found:
    """One host, the resource that has it by its name, and whether nobody else can."""

    host: str
    resource: Any
    alone: bool


@dataclass(frozen=True)
class Label:
    """The name below workers.dev that an account of Cloudflare chose, and the record of it."""

    account: str | None
    label: str
    ref: str


def labels_of_accounts(tables: Tables) -> list[Label]:
    """The names that accounts of Cloudflare chose for themselves below workers.dev, by the records."""
    api = tables.api_activity
    named = api.filter(
        api.cloud_provider == "Cloudflare", api.status == "success", api.api_operation_base.endswith(SUBDOMAIN)
    )
    columns = ("evidence_id", "record_no", "cloud_account_uid", "request", "response")
    found = []
    for row in named.select(*columns).order_by("evidence_id", "record_no").to_pyarrow().to_pylist():
        told = (text_at(json_object(row[part]), *LABEL_PATHS) for part in ("request", "response"))
        label = next((text.lower() for text in told if text), "")
        if LABEL.fullmatch(label):
            found.append(Label(row["cloud_account_uid"], label, f"{row['evidence_id']}:{row['record_no']}"))
    return found


def named_endpoints(resources: pd.DataFrame, hosts: Iterable[str], labels: list[Label]) -> Iterator[Found]:
    """Hosts of `resources` (a table of `schema.RESOURCES`) by name, of those that the telemetry holds; then the others
    below the names of our accounts, whose Worker no record names."""
    held = [host for host in {plain_host(str(host)) for host in hosts} if host]
    for row in resources.itertuples(index=False):
        chosen = [one.label for one in labels if one.account == row.account]
        for rule in RULES:
            if _provider(row) == rule.provider and row.resource_type in rule.kinds:
                for known in _known(row, chosen):
                    yield from _found(rule, row, known, held)
    for one in labels:
        below = [host for host in held if host.endswith(f".{one.label}.workers.dev")]
        nameless = Nameless(account=one.account, refs=[one.ref])
        yield from (Found(host, nameless, True) for host in sorted(below))


def _provider(row: Any) -> str | None:
    """Whose resource it is, by its full id, or by the account's."""
    for provider, shape in UIDS.items():
        if isinstance(row.resource_uid, str) and shape.match(row.resource_uid):
            return provider
    hexadecimal = isinstance(row.account, str) and CLOUDFLARE.fullmatch(row.account)
    return "Cloudflare" if hexadecimal else None


def _known(row: Any, labels: list[str]) -> Iterator[dict[str, str]]:
    told = {"name": row.resource, "region": row.region, "account": row.account}
    known = {key: text.lower() for key, text in told.items() if isinstance(text, str) and LABEL.fullmatch(text.lower())}
    yield from ({**known, "label": label} for label in labels) if labels else (known,)


def _found(rule: Named, row: Any, known: dict[str, str], held: list[str]) -> Iterator[Found]:
    pattern = _filled(rule.seen, {key: re.escape(text) for key, text in known.items()})
    if pattern:
        whole = re.compile(pattern)
        yield from (Found(host, row, rule.alone) for host in sorted(held) if whole.fullmatch(host))


def _filled(text: str, known: dict[str, str]) -> str | None:
    """The text with what is known; null where it needs what is not."""
    try:
        return text.format(**known)
    except KeyError:
        return None
