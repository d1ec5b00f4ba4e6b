"""Whether a function stands in a network of ours, and what the flow logs show of it.

A function without subnets leaves through the provider's network: no flow log of the house holds its traffic. One in
subnets has network interfaces there; their addresses come from acquired answers (DescribeNetworkInterfaces), because
no audit record tells them.

Cannot see: flows of interfaces whose flow logs are not in evidence, and what was said in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from playbooks import schema
from playbooks.knowledge.operations import base_name
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.record_json import json_object, text_at, texts_at
from playbooks.scoping.control_plane import plain

if TYPE_CHECKING:
    from playbooks.engine import Tables

# Operation → where its answer or request names the subnets of a function.
SETTINGS: Mapping[str, str] = {
    "GetFunctionConfiguration": "VpcConfig",
    "GetFunction": "Configuration.VpcConfig",
}
CHANGES = ("CreateFunction", "UpdateFunctionConfiguration")
INTERFACES = "DescribeNetworkInterfaces"
INTERFACE_OF = "AWS Lambda VPC ENI-"  # how Lambda describes its interfaces: the function's name follows, then a UUID
UUID_LENGTH = 37  # with the dash before it
NO_SETTINGS = "No record in evidence holds the settings of the function."
NOT_ATTACHED = "The function stands in no network of yours: no flow log of the house holds its traffic."
NO_INTERFACES = "Its network interfaces are not in evidence: acquire DescribeNetworkInterfaces, or give the addresses."
NO_FLOWS = "No flow record from its addresses is in evidence."
MAX_LISTED = 10
MAX_REFS = 5
Key = tuple[str, str | None, str | None]  # function, account, region


@dataclass(frozen=True)
class Settings:
    """Subnets of one function as the newest record tells; null where none does."""

    subnets: tuple[str, ...]
    ref: str


def function_egress(tables: Tables, links: pd.DataFrame) -> pd.DataFrame:
    """One row per function of `links` (`schema.ROLE_LINKS`): exactly the columns of `schema.FUNCTION_EGRESS`."""
    functions = links[links["resource_type"] == "function"]
    keys = sorted(
        {_key(row.resource, row.account, row.region) for row in functions.itertuples(index=False) if row.resource},
        key=lambda key: tuple(part or "" for part in key),
    )
    settings, interfaces = _settings(tables), _interfaces(tables)
    flows = _flows(tables, sorted({address for mine in interfaces.values() for address in mine}))
    rows = [_row(key, settings.get(key), interfaces.get(key[0], ()), flows) for key in keys]
    return plain(pd.DataFrame(rows, columns=list(schema.FUNCTION_EGRESS.names)))


def _key(name: object, account: object, region: object) -> Key:
    return str(name), account if isinstance(account, str) else None, region if isinstance(region, str) else None


def _settings(tables: Tables) -> dict[Key, Settings]:
    """The newest record about each function's network: an acquired answer, or a change."""
    told = sorted(
        [*_acquired(tables), *_changed(tables)], key=lambda one: (not pd.isna(one[0]), pd.Timestamp(one[0]).value)
    )
    return {key: settings for _, key, settings in told}


def _acquired(tables: Tables) -> Iterator[tuple[pd.Timestamp, Key, Settings]]:
    asked = tables.acquired_answers
    rows = asked.filter(asked.api_operation.isin(list(SETTINGS)), asked.status == "answered")
    columns = ("api_operation", "resource_name", "cloud_account_uid", "cloud_region", "response")
    for row in rows.select("evidence_id", "record_no", "time", *columns).execute().itertuples(index=False):
        answer = json_object(row.response)
        if row.resource_name and answer:
            subnets = tuple(texts_at(answer, f"{SETTINGS[row.api_operation]}.SubnetIds[]"))
            key = _key(short_name("lambda", row.resource_name), row.cloud_account_uid, row.cloud_region)
            yield row.time, key, Settings(subnets, f"{row.evidence_id}:{row.record_no}")


def _changed(tables: Tables) -> Iterator[tuple[pd.Timestamp, Key, Settings]]:
    """Changes tell the subnets in their answer, and that there are none only when they make a function."""
    events = tables.api_activity
    rows = events.filter(
        events.api_service_name == "lambda.amazonaws.com",
        events.status == "success",
        events.api_operation.startswith(CHANGES[0]) | events.api_operation.startswith(CHANGES[1]),
    )
    columns = ("api_operation", "cloud_account_uid", "cloud_region", "request", "response")
    for row in rows.select("evidence_id", "record_no", "time", *columns).execute().itertuples(index=False):
        asked, answered = json_object(row.request), json_object(row.response)
        subnets = tuple(texts_at(answered, "vpcConfig.subnetIds[]") or texts_at(asked, "vpcConfig.subnetIds[]"))
        name = text_at(asked, "functionName") or text_at(answered, "functionName")
        if name and (subnets or base_name(row.api_operation) == CHANGES[0]):
            key = _key(short_name("lambda", name), row.cloud_account_uid, row.cloud_region)
            yield row.time, key, Settings(subnets, f"{row.evidence_id}:{row.record_no}")


def _interfaces(tables: Tables) -> dict[str, tuple[str, ...]]:
    """Function → private addresses of its interfaces."""
    asked = tables.acquired_answers
    rows = asked.filter(asked.api_operation == INTERFACES, asked.status == "answered").select("response").execute()
    found: dict[str, set[str]] = {}
    for text in rows["response"]:
        listed = json_object(text).get("NetworkInterfaces")
        for one in listed if isinstance(listed, list) else []:
            said = text_at(one, "Description") or ""
            if said.startswith(INTERFACE_OF):
                name = said[len(INTERFACE_OF) : -UUID_LENGTH]
                found.setdefault(name, set()).update(texts_at(one, "PrivateIpAddresses[].PrivateIpAddress"))
                found[name].update(texts_at(one, "PrivateIpAddress"))
    return {name: tuple(sorted(addresses)) for name, addresses in found.items()}


def _flows(tables: Tables, addresses: list[str]) -> pd.DataFrame:
    """Flow records from those addresses, added up by source and destination."""
    seen = tables.network_activity
    mine = seen.filter(seen.src_endpoint_ip.isin(addresses or [""]), seen.dst_endpoint_ip.notnull())
    place = ibis.struct({"time": mine.time, "item": mine.evidence_id, "record": mine.record_no})
    groups = mine.group_by(src=mine.src_endpoint_ip, dst=mine.dst_endpoint_ip).agg(
        flows=mine.count(), first_seen=mine.time.min(), last_seen=mine.time.max(), first=place.min()
    )
    ref = groups["first"]["item"].concat(":", groups["first"]["record"].cast("string"))
    rows: pd.DataFrame = groups.mutate(ref=ref).drop("first").execute()
    return rows.sort_values(["flows", "dst", "src"], ascending=[False, True, True], kind="stable")


def _row(key: Key, settings: Settings | None, addresses: tuple[str, ...], flows: pd.DataFrame) -> dict[str, object]:
    mine = flows[flows["src"].isin(addresses)]
    joined = settings is not None and bool(settings.subnets) and bool(addresses)
    return {
        "function": key[0],
        "account": key[1],
        "region": key[2],
        "in_network": None if settings is None else bool(settings.subnets),
        "subnets": list(settings.subnets) if settings else [],
        "addresses": list(addresses),
        "flows": int(mine["flows"].sum()) if joined else None,
        "destinations": list(dict.fromkeys(mine["dst"]))[:MAX_LISTED],
        "first_seen": mine["first_seen"].min() if len(mine) else None,
        "last_seen": mine["last_seen"].max() if len(mine) else None,
        "reason": _reason(settings, addresses, mine),
        "refs": ([settings.ref] if settings else []) + list(mine["ref"].head(MAX_REFS)),
    }


def _reason(settings: Settings | None, addresses: tuple[str, ...], flows: pd.DataFrame) -> str | None:
    if settings is None:
        return NO_SETTINGS
    if not settings.subnets:
        return NOT_ATTACHED
    if not addresses:
        return NO_INTERFACES
    return None if len(flows) else NO_FLOWS
