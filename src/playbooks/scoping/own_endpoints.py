"""Our own endpoints as others saw them: which of our clients contacted them, and who called them from outside.

A host is ours where our control plane made it (records), an acquired answer shows it, or an API of ours carries its
id. *Outside* is an address that the case does not list as internal: an own way out to the Internet counts as outside
until the case names it. That nobody called is said only where the endpoint's own log is in evidence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from playbooks import schema
from playbooks.knowledge.catalogue import load_catalogue, plain_host
from playbooks.scoping.addresses import EXTERNAL, Ranges, place
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.record_json import json_object, text_at, texts_at
from playbooks.scoping.control_plane import plain, read_events
from playbooks.scoping.named_endpoints import Found, labels_of_accounts, named_endpoints

if TYPE_CHECKING:
    from playbooks.case import Case
    from playbooks.engine import Tables

# Logs that the serving side writes: their silence about a host means that nobody called it.
ACCESS_LOGS = (
    *("aws_apigateway_access", "aws_alb", "aws_clb", "cloudfront_w3c", "azure_app_service_http", "azure_appgw"),
    *("azure_front_door", "gcp_run_request", "cloudflare_http", "cloudflare_workers_trace"),
)
API_ID = re.compile(r"[a-z0-9]{10}")  # of API Gateway; a name given by a person is seldom so
FRONTS = r"/workers/(routes|domains)|/pages/projects|^route |^domain "
MAX_SHOWN = 20
BY_NAME = "; ours by its name only: another customer of the provider can have one of that name"
URL_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:\[\]]+)"


@dataclass
class Endpoint:
    """One host of ours, and what is known of it."""

    host: str
    resource: str | None = None
    resource_type: str | None = None
    account: str | None = None
    region: str | None = None
    made_by: list[str] = field(default_factory=list)
    open_to: str | None = None
    tenant: str | None = None  # what of a shared host is ours: the workflow in its path
    shared: bool = False
    by_name: bool = False  # another customer of the provider can have a host of the same name


@dataclass
class Callers:
    """Calls of one endpoint from outside; `logged` says that its own log is in evidence."""

    logged: bool = False
    addresses: dict[str, int] = field(default_factory=dict)
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    refs: list[str] = field(default_factory=list)


def own_endpoints(resources: pd.DataFrame, pairs: pd.DataFrame, tables: Tables, case: Case) -> pd.DataFrame:
    """Every host of ours with its clients and its callers.

    Parameters
    ----------
    resources, pairs
        Tables of `schema.RESOURCES` and `schema.EGRESS_PAIRS`.
    tables, case
        All records and acquired answers; the internal ranges and accounts of the house.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.OWN_ENDPOINTS`, by host.
    """
    ours = _endpoints(resources, tables, case)
    hosts = [*pairs["dst"].dropna().unique(), *_logged_hosts(tables)]
    _with_names(ours, named_endpoints(resources, hosts, labels_of_accounts(tables)))
    callers = _callers(ours, tables, Ranges(case.config.estate.internal_ranges))
    rows = [_row(ours[host], _contacts(ours[host], pairs), callers[host], len(pairs) > 0) for host in sorted(ours)]
    frame = pd.DataFrame(rows, columns=list(schema.OWN_ENDPOINTS.names))
    frame = frame.astype({"called_from_outside": object})
    for name in ("first_seen", "last_seen"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return plain(frame)


def _endpoints(resources: pd.DataFrame, tables: Tables, case: Case) -> dict[str, Endpoint]:
    found: dict[str, Endpoint] = {}
    listed: Iterator[Any] = resources.itertuples(index=False)
    for one in listed:
        hosts = [plain_host(str(host)) for host in (one.endpoints if one.endpoints is not None else ())]
        if one.resource_type == "api" and API_ID.fullmatch(str(one.resource)) and isinstance(one.region, str):
            hosts.append(f"{one.resource}.execute-api.{one.region}.amazonaws.com")
        for host in filter(None, hosts):
            held = Endpoint(host, one.resource, one.resource_type, _text(one.account), _text(one.region))
            found.setdefault(host, held).made_by += list(one.refs[:1])
    for shown in _fronts(tables, case):
        found.setdefault(shown.host, shown).made_by = shown.made_by
    _with_records(found, tables, case)
    found = dict(_by_path(found, resources, tables))
    for shown in _acquired(tables):
        known = found.setdefault(shown.host, shown)
        known.made_by = list(dict.fromkeys([*known.made_by, *shown.made_by]))[:MAX_SHOWN]
        known.open_to = shown.open_to or known.open_to
    return found


def _fronts(tables: Tables, case: Case) -> Iterator[Endpoint]:
    """Routes, custom domains and Pages projects of Cloudflare, which are no resources of their own there."""
    api = tables.api_activity
    named = api.filter(api.cloud_provider == "Cloudflare", api.api_operation_base.lower().re_search(FRONTS))
    events = read_events(replace(tables, api_activity=named), case.config.estate.own)
    shown: Iterator[Any] = events[events["endpoint"].notna()].itertuples(index=False)
    for row in shown:
        if host := plain_host(str(row.endpoint)):
            yield Endpoint(host, row.resource, row.resource_type, _text(row.account), _text(row.region), [row.ref])


def _by_path(found: dict[str, Endpoint], resources: pd.DataFrame, tables: Tables) -> Iterator[tuple[str, Endpoint]]:
    """A host that serves everybody becomes one endpoint for each path of ours that a record shows on it."""
    catalogue = load_catalogue()
    uids = {str(row.resource_uid): row for row in resources.itertuples(index=False) if _text(row.resource_uid)}
    for host, held in found.items():
        match = catalogue.classify(host)
        if match is None or not match.shared:
            yield host, held
            continue
        yield host, replace(held, shared=True)
        shown = re.compile(re.escape(host) + r"(?::[0-9]{1,5})?(/[^\s\"\\?#]{1,500})", re.IGNORECASE)
        api = tables.api_activity
        rows = api.filter(api.response.lower().contains(host), api.status == "success")
        columns = ("evidence_id", "record_no", "resource_uid", "response")
        for row in rows.select(*columns).order_by("evidence_id", "record_no").to_pyarrow().to_pylist():
            for path in shown.findall(row["response"]):
                of = catalogue.classify(host, path)
                whose: Any = next((one for uid, one in uids.items() if str(row["resource_uid"]).startswith(uid)), None)
                if of and of.tenant:
                    ours = replace(held, shared=True, tenant=of.tenant.lower(),
                                   made_by=[f"{row['evidence_id']}:{row['record_no']}"])  # fmt: skip
                    if whose is not None:
                        ours.resource, ours.resource_type = whose.resource, whose.resource_type
                    yield f"{host} {ours.tenant}", ours


def _with_names(found: dict[str, Endpoint], named: Iterable[Found]) -> None:
    """Add hosts that resources have by their names, where nothing shows them."""
    for one in named:
        row = one.resource
        held = Endpoint(one.host, row.resource, row.resource_type, _text(row.account), _text(row.region),
                        list(row.refs[:1]), by_name=not one.alone)  # fmt: skip
        found.setdefault(one.host, held)


def _logged_hosts(tables: Tables) -> list[str]:
    """Hosts of which the serving side wrote a log."""
    http = tables.http_activity
    served = http.filter(http.format.isin(ACCESS_LOGS), http.dst_endpoint_hostname.notnull())
    return [
        str(host) for host in served.dst_endpoint_hostname.lower().as_table().distinct().to_pyarrow()[0].to_pylist()
    ]


def _with_records(found: dict[str, Endpoint], tables: Tables, case: Case) -> None:
    """The records that made each host, and what they opened, in place of the first record of its resource."""
    labels = sorted({host.split(".", 1)[0] for host in found})
    if not labels:
        return
    api = tables.api_activity
    named = api.filter(api.response.lower().re_search("|".join(map(re.escape, labels))))
    events = read_events(replace(tables, api_activity=named), case.config.estate.own)
    for host, rows in events[events["endpoint"].notna()].groupby("endpoint", sort=True):
        if held := found.get(str(host).lower()):
            held.made_by = list(rows["ref"].head(MAX_SHOWN))
            held.open_to = next((text for text in rows["exposure"] if isinstance(text, str)), None)


def _acquired(tables: Tables) -> Iterator[Endpoint]:
    """Function URLs that acquired answers show."""
    asked = tables.acquired_answers
    wanted = asked.filter(
        asked.api_operation.isin(["GetFunctionUrlConfig", "ListFunctionUrlConfigs"]), asked.status == "answered"
    )
    columns = ("resource_name", "cloud_account_uid", "cloud_region", "response")
    rows = wanted.select("evidence_id", "record_no", *columns).order_by("evidence_id", "record_no").to_pyarrow()
    for row in rows.to_pylist():
        content = json_object(row["response"])
        listed = content.get("FunctionUrlConfigs")
        for one in [content, *(listed if isinstance(listed, list) else [])]:
            host = _host(text_at(one, "FunctionUrl"))
            if host:
                kind = text_at(one, "AuthType")
                yield Endpoint(
                    host,
                    short_name("lambda", text_at(one, "FunctionArn") or row["resource_name"] or "") or None,
                    "function",
                    row["cloud_account_uid"],
                    row["cloud_region"],
                    [f"{row['evidence_id']}:{row['record_no']}"],
                    "its URL asks for no authentication (authType NONE)" if kind == "NONE" else None,
                )


def _host(url: str | None) -> str | None:
    found = re.match(URL_HOST, url or "")
    return plain_host(found[1]) if found else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _contacts(one: Endpoint, pairs: pd.DataFrame) -> pd.DataFrame:
    """Egress pairs that lead to a host: by its name, or by an alias of the same customer in the catalogue.

    A host that serves everybody is ours only where the path of the contact names what is ours.
    """
    match = load_catalogue().classify(one.host)
    by_name = pairs["dst"].str.lower() == one.host
    if one.shared:
        return pairs[by_name & (pairs["tenant"].str.lower() == one.tenant)]
    if match is None or match.tenant is None or match.shared:
        return pairs[by_name]
    by_alias = (
        (pairs["matched_by"] == "cname") & (pairs["catalogue_id"] == match.id) & (pairs["tenant"] == match.tenant)
    )
    return pairs[by_name | by_alias]


def _callers(ours: dict[str, Endpoint], tables: Tables, internal: Ranges) -> dict[str, Callers]:
    found: dict[str, Callers] = defaultdict(Callers)
    if not ours:
        return found
    served: Iterator[Any] = _served(ours, tables).execute().itertuples(index=False)
    for row in served:
        held = found[str(row.host)]
        held.logged |= bool(row.serving)
        _count(held, row, internal)
    by_function = {
        (one.resource, one.account, one.region): host for host, one in ours.items() if one.resource_type == "function"
    }
    runs: Iterator[Any] = plain(_url_runs(tables).execute()).itertuples(index=False)
    for row in runs:
        asked = json_object(row.request)
        named = next(iter(texts_at(asked, "functionName")), None) or _text(row.resource_uid) or _text(row.resource_name)
        host = by_function.get((short_name("lambda", named or ""), _text(row.account), _text(row.region)))
        if host:
            found[host].logged = True
            _count(found[host], row, internal)
    return found


def _served(ours: dict[str, Endpoint], tables: Tables) -> Any:
    """Requests of web logs for hosts of ours, per host and address."""
    http = tables.http_activity
    host = http.dst_endpoint_hostname.fill_null(http.http_request_url_string.re_extract(URL_HOST, 1)).lower()
    wanted = http.mutate(host=host, serving=http.format.isin(ACCESS_LOGS)).filter(
        ibis._.host.isin(sorted(ours)), http.src_endpoint_ip.notnull()
    )
    return _grouped(wanted, "host", "serving", "src_endpoint_ip").order_by("host", "serving", "src_endpoint_ip")


def _url_runs(tables: Tables) -> Any:
    api = tables.api_activity
    runs = api.filter(api.api_operation.startswith("InvokeFunctionUrl"), api.src_endpoint_ip.notnull())
    named = runs.rename(account="cloud_account_uid", region="cloud_region")
    keys = ("request", "resource_uid", "resource_name", "account", "region", "src_endpoint_ip")
    return _grouped(named, *keys).order_by(*keys)


def _grouped(rows: Any, *keys: str) -> Any:
    placed = rows.mutate(place=rows.evidence_id + ":" + rows.record_no.cast("string").lpad(12, "0"))
    return placed.group_by(*keys).agg(
        calls=ibis._.count(), first=ibis._.time.min(), last=ibis._.time.max(), place=ibis._.place.min()
    )


def _count(held: Callers, row: Any, internal: Ranges) -> None:
    if place(str(row.src_endpoint_ip), internal) != EXTERNAL:
        return
    address = str(row.src_endpoint_ip)
    held.addresses[address] = held.addresses.get(address, 0) + int(row.calls)
    held.first = row.first if held.first is None else min(held.first, row.first)
    held.last = row.last if held.last is None else max(held.last, row.last)
    item, _, number = str(row.place).partition(":")
    held.refs.append(f"{item}:{int(number)}")


def _row(one: Endpoint, mine: pd.DataFrame, callers: Callers, telemetry: bool) -> dict[str, Any]:
    clients = sorted(set(mine["src"]))
    most = sorted(callers.addresses, key=lambda address: (-callers.addresses[address], address))
    outside = True if most else False if callers.logged else None
    times = [*mine["first_seen"], *mine["last_seen"], *filter(None, (callers.first, callers.last))]
    refs = [*(ref for held in mine["refs"] for ref in held), *callers.refs]
    return {
        **{name: getattr(one, name) for name in ("host", "resource", "resource_type", "account", "region", "open_to")},
        "made_by": one.made_by[:MAX_SHOWN],
        "client_names": clients[:MAX_SHOWN],
        "client_count": len(clients),
        "connections": int(mine["connections"].fillna(0).sum()),
        "bytes_out": _sum(mine["bytes_out"]),
        "bytes_in": _sum(mine["bytes_in"]),
        "sources": sorted({source for held in mine["sources"] for source in held}),
        "first_seen": min(times) if times else None,
        "last_seen": max(times) if times else None,
        "called_from_outside": outside,
        "callers": most[:MAX_SHOWN],
        "calls": sum(callers.addresses.values()),
        "answer": f"{_seen_words(mine, clients, telemetry)}; {_called_words(callers, outside)}{BY_NAME * one.by_name}",
        "refs": list(dict.fromkeys(refs))[:MAX_SHOWN],
    }


def _sum(values: pd.Series[Any]) -> int | None:
    return int(values.sum()) if values.notna().any() else None


def _seen_words(mine: pd.DataFrame, clients: list[str], telemetry: bool) -> str:
    if clients:
        span = f"{mine['first_seen'].min():%Y-%m-%d %H:%M} to {mine['last_seen'].max():%Y-%m-%d %H:%M} UTC"
        times = int(mine["connections"].sum())
        return f"contacted by {len(clients)} of our clients, {'once' if times == 1 else f'{times:,} times'}, {span}"
    if telemetry:
        return "contacted by none of our clients in the telemetry in evidence"
    return "whether our clients contacted it is not answerable because no network, web or DNS record is in evidence"


def _called_words(callers: Callers, outside: bool | None) -> str:
    if outside:
        addresses, times = len(callers.addresses), sum(callers.addresses.values())
        by = "1 address" if addresses == 1 else f"{addresses:,} addresses"
        return f"called from outside by {by}, {'once' if times == 1 else f'{times:,} times'}"
    if outside is False:
        return "its own log shows no call from outside"
    return "whether it was called from outside is not answerable because no log of its own calls is in evidence"
