"""Which rights of AWS were used, per identity: records as actions of IAM, so that policies can be compared with them.

Most operations of a record are called what IAM calls the action; where they differ `knowledge/aws_rights.yaml` says
how. Services whose actions are not named after operations (API Gateway: `apigateway:POST`) cannot be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from playbooks.knowledge.aws_rights import load_aws_rights
from playbooks.knowledge.operations import base_name
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.policy_documents import matches

if TYPE_CHECKING:
    import pandas as pd

    from playbooks.engine import Tables


@dataclass(frozen=True)
class Calls:
    """Successful calls of one identity under one action of IAM."""

    action: str
    calls: int
    first: pd.Timestamp
    last: pd.Timestamp
    refs: tuple[str, ...]


def action_of(service: str, operation: str) -> str | None:
    """The action of IAM behind a recorded operation; null where they cannot be compared."""
    label = service.lower().removesuffix(".amazonaws.com").split(".")[0]
    known = load_aws_rights()
    if label in known.incomparable or not label:
        return None
    logged = f"{known.prefix_of.get(label, label)}:{base_name(operation)}"
    return known.action_of.get(logged, logged)


def calls_of_roles(tables: Tables, roles: Iterable[str]) -> Mapping[tuple[str | None, str], list[Calls]]:
    """Successful calls per (account, role) of these roles, by action; the first record of each."""
    api = tables.api_activity
    issuer = api.actor_session_issuer
    mine = api.filter(
        api.cloud_provider == "AWS",
        api.status == "success",
        issuer.re_extract(r"([^/]+)$", 1).isin(sorted(set(roles))),
        api.api_operation.notnull(),
        api.api_service_name.notnull(),
    )
    place = mine.evidence_id + ":" + mine.record_no.cast("string").lpad(12, "0")
    counted = mine.mutate(place=place).group_by("actor_session_issuer", "api_service_name", "api_operation").agg(
        calls=ibis._.count(), first=ibis._.time.min(), last=ibis._.time.max(), place=ibis._.place.min()
    )  # fmt: skip
    rows = counted.order_by("actor_session_issuer", "api_service_name", "api_operation").execute()
    found: dict[tuple[str | None, str], dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.itertuples(index=False):
        action = action_of(str(row.api_service_name), str(row.api_operation))
        if action and action not in load_aws_rights().free:
            parts = str(row.actor_session_issuer).split(":", 5)
            owner = (parts[4] if len(parts) == 6 else None, short_name("iam", str(row.actor_session_issuer)))
            found[owner][action].append(row)
    return {owner: [_calls(action, rows) for action, rows in sorted(by.items())] for owner, by in found.items()}


def _calls(action: str, rows: list[Any]) -> Calls:
    refs = sorted({str(row.place) for row in rows})
    return Calls(
        action,
        sum(int(row.calls) for row in rows),
        min(row.first for row in rows),
        max(row.last for row in rows),
        tuple(f"{item}:{int(number)}" for item, _, number in (ref.partition(":") for ref in refs)),
    )


def leaves_no_record(pattern: str, seen: Iterable[str]) -> bool:
    """Whether the use of a granted right would show in data events only, of which the records hold none.

    `seen` are actions of any identity that the records hold.
    """
    covered = [right for right in load_aws_rights().unrecorded if matches(pattern, right)]
    known = {action.lower() for action in seen}
    return bool(covered) and not any(right.lower() in known for right in covered)
