"""The hosts of hypothesis A whose surroundings are looked at, and by what keys their records are found.

A host is known by the address or name that its contacts carry. The other one, and the user, are learned from
records that show both around first contact. What would stand for several hosts is not followed, and said.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from playbooks.scoping.addresses import parse

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

BEFORE_HOURS = 24.0  # a lure is opened within a working day of its delivery, or it is another one
AFTER_HOURS = 24.0  # hands on the keyboard follow within hours; what is later stands in the findings of its own
MOST_WATCHED = 60  # hosts of findings, then of leads
HOSTS_A_FINDING = 10
MOST_USERS = 3  # more people at one host are a server's, and say nothing of this contact
HOSTS_OF_A_USER = 3  # an account at more hosts than this is a service's
ADDRESSES_OF_A_NAME = 3  # a name with more addresses than this is no host's
NO_NAMES = ("", "-", "localhost", "unknown", "workstation", "n/a")
# accounts that every machine has
NO_USERS = (
    *("", "-", "system", "localsystem", "local service", "network service", "localservice", "networkservice"),
    *("root", "anonymous logon", "anonymous", "unknown", "n/a", "(unset)", "unset", "nobody", "dwm-1", "umfd-0"),
)
Key = tuple[str, str]  # finding, source


@dataclass(frozen=True)
class Around:
    """How long before and after first contact is looked at, in hours."""

    before_hours: float = BEFORE_HOURS
    after_hours: float = AFTER_HOURS


@dataclass(frozen=True)
class Watched:
    """One host of one finding or lead.

    Attributes
    ----------
    finding, src
        Id, and the client as its contacts name it.
    first, since, until
        First contact in the records, and the span around it that is looked at, UTC.
    destinations
        What the finding says it contacted.
    addresses, names, users
        Keys by which its records are found; names and users in lower case, without domain where `plain` cuts it.
    notes
        What was learned how, and what was not followed.
    """

    finding: str
    src: str
    first: dt.datetime
    since: dt.datetime
    until: dt.datetime
    destinations: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return self.finding, self.src


def label(name: ir.StringValue) -> ir.StringValue:
    """First label of a host name, in lower case: collectors write `WS1` and `ws1.example.test` for one host."""
    return name.lower().re_replace(r"\..*$", "")


def plain(account: ir.StringValue) -> ir.StringValue:
    """An account in lower case without its domain: `EXAMPLE\\ann` and `ann@example.test` are `ann`."""
    return account.lower().re_replace(r"^.*\\", "").re_replace(r"@.*$", "")


def is_usable(account: ir.StringValue) -> ir.BooleanValue:
    """Whether a plain account names one person or service, and no machine."""
    return (~account.isin(NO_USERS) & ~account.endswith("$")).fill_null(False)


def moment(time: dt.datetime) -> ir.Value:
    """A literal of the engine."""
    return ibis.literal(time.astimezone(dt.UTC), type="timestamp('UTC')")


def outside_entries(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Findings, then leads, of hypothesis A."""
    return [entry for entry in (*found["findings"], *found["leads"]) if entry["hypothesis"] == "A"]


def watched(found: Mapping[str, Any], contacts: ir.Table, tables: Tables, around: Around) -> tuple[list[Watched], int]:
    """The hosts to look at, findings first, and how many more there are.

    Parameters
    ----------
    found
        Findings and leads (`findings.json`).
    contacts
        Every contact with the outside (`egress_events`).
    tables
        Event tables of the case.
    around
        The span around first contact.
    """
    entries = outside_entries(found)
    firsts = _first_contacts(entries, contacts)
    order = {entry["id"]: place for place, entry in enumerate(entries)}
    told = {entry["id"]: tuple(entry["subjects"].get("dst", ())) for entry in entries}
    firsts.sort(key=lambda row: (order[row["finding"]], row["first"], row["src"]))
    before, after = dt.timedelta(hours=around.before_hours), dt.timedelta(hours=around.after_hours)
    hosts = [
        Watched(row["finding"], row["src"], row["first"], row["first"] - before, row["first"] + after,
                told[row["finding"]])
        for row in firsts[:MOST_WATCHED]
    ]  # fmt: skip
    everyone = sum(len(entry["subjects"].get("src", ())) for entry in entries)
    return _with_keys(hosts, contacts, tables), everyone - len(hosts)


def _first_contacts(entries: Iterable[Mapping[str, Any]], contacts: ir.Table) -> list[dict[str, Any]]:
    """First contact of each source of a finding with its destinations, the earliest sources of each."""
    ends = [(entry["id"], dst) for entry in entries for dst in entry["subjects"].get("dst", ())]
    who = [(entry["id"], src) for entry in entries for src in entry["subjects"].get("src", ())]
    if not ends or not who:
        return []
    towards = table_of(("of", "towards"), ends)
    theirs = table_of(("of", "client"), who)
    joined = contacts.inner_join(towards, contacts.dst == towards.towards)
    seen = joined.group_by(finding=joined["of"], src=joined.src).agg(first=joined.time.min())
    seen = seen.semi_join(theirs, [seen.finding == theirs["of"], seen.src == theirs.client])
    place = ibis.row_number().over(group_by=seen.finding, order_by=[seen["first"], seen.src])
    seen = seen.mutate(place=place)
    rows: list[dict[str, Any]] = seen.filter(seen.place < HOSTS_A_FINDING).drop("place").to_pyarrow().to_pylist()
    return rows


def table_of(columns: Sequence[str], rows: Iterable[Sequence[Any]], times: Iterable[str] = ()) -> ir.Table:
    """Rows of texts (and of moments in the columns `times`) as a table of the engine."""
    kinds = {name: pa.timestamp("us", "UTC") if name in set(times) else pa.string() for name in columns}
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return ibis.memtable(pa.table([list(part) for part in values], schema=pa.schema(list(kinds.items()))))


def spans(hosts: Iterable[Watched]) -> ir.Table:
    """(finding, who, first_contact, since, until) of each host."""
    rows = [(host.finding, host.src, host.first, host.since, host.until) for host in hosts]
    return table_of(("finding", "who", "first_contact", "since", "until"), rows, ("first_contact", "since", "until"))


def _with_keys(hosts: list[Watched], contacts: ir.Table, tables: Tables) -> list[Watched]:
    if not hosts:
        return []
    shown = _shown_together(tables)
    partners = _partners(hosts, shown)
    popular = _popular(shown, {name for named in partners.values() for name in named}, hosts)
    users, shared = _users(hosts, contacts)
    return [_keyed(host, partners.get(host.key, []), popular, users.get(host.key, []), shared) for host in hosts]


def _shown_together(tables: Tables) -> ir.Table:
    """(time, address, name) of every record that shows both of its client."""
    sources = (tables.dns_activity, tables.http_activity, tables.network_activity, tables.system_activity)
    parts = (
        table.filter(table.src_endpoint_ip.notnull(), table.src_endpoint_hostname.notnull()).select(
            "time", address="src_endpoint_ip", name=table.src_endpoint_hostname.lower()
        )
        for table in sources
    )
    both = ibis.union(*parts)
    return both.filter(~both.name.isin(NO_NAMES), both.name != both.address, both.name != "")


def _partners(hosts: Iterable[Watched], shown: ir.Table) -> dict[Key, list[str]]:
    """Names of an address, or addresses of a name, shown in the span of each host."""
    each = spans(hosts)
    found: dict[Key, list[str]] = {}
    for own, other in (("address", "name"), ("name", "address")):
        inside = [shown[own] == each.who, shown.time >= each.since, shown.time < each.until]
        rows = shown.inner_join(each, inside).select("finding", "who", partner=shown[other]).distinct()
        for row in rows.order_by("finding", "who", "partner").limit(1000).to_pyarrow().to_pylist():
            found.setdefault((row["finding"], row["who"]), []).append(row["partner"])
    return found


def _popular(shown: ir.Table, partners: set[str], hosts: Iterable[Watched]) -> dict[str, int]:
    """Names with more addresses than a host has, in the time looked at."""
    if not partners:
        return {}
    since, until = min(host.since for host in hosts), max(host.until for host in hosts)
    inside = shown.filter(shown.name.isin(sorted(partners)), shown.time >= moment(since), shown.time < moment(until))
    counts = inside.group_by("name").agg(n=inside.address.nunique())
    many = counts.filter(counts.n > ADDRESSES_OF_A_NAME).to_pyarrow().to_pylist()
    return {row["name"]: row["n"] for row in many}


def _users(hosts: Iterable[Watched], contacts: ir.Table) -> tuple[dict[Key, list[str]], dict[str, int]]:
    """Users that contacts of each host name in its span, and how many hosts each of them is at."""
    each = spans(hosts)
    named = contacts.mutate(who_user=plain(contacts.user))
    named = named.filter(is_usable(named.who_user))
    inside = [named.src == each.who, named.time >= each.since, named.time < each.until]
    rows = named.inner_join(each, inside).select("finding", "who", user="who_user").distinct()
    found: dict[Key, list[str]] = {}
    for row in rows.order_by("finding", "who", "user").limit(1000).to_pyarrow().to_pylist():
        found.setdefault((row["finding"], row["who"]), []).append(row["user"])
    everyone = sorted({user for users in found.values() for user in users})
    if not everyone:
        return found, {}
    theirs = named.filter(named.who_user.isin(everyone))
    counts = theirs.group_by("who_user").agg(n=theirs.src.nunique())
    many = counts.filter(counts.n > HOSTS_OF_A_USER).to_pyarrow().to_pylist()
    return found, {row["who_user"]: row["n"] for row in many}


def _keyed(
    host: Watched, partners: list[str], popular: dict[str, int], users: list[str], shared: dict[str, int]
) -> Watched:
    notes: list[str] = []
    addresses: tuple[str, ...]
    names: tuple[str, ...]
    if parse(host.src) is None:
        addresses, names = _one_address(host, partners, notes), (host.src.lower(),)
    else:
        addresses, names = (host.src,), _one_host(host, partners, popular, notes)
    people = _followed(users, shared, notes)
    return replace(host, addresses=addresses, names=names, users=people, notes=tuple(notes))


def _one_host(host: Watched, names: list[str], popular: dict[str, int], notes: list[str]) -> tuple[str, ...]:
    """The spellings of the one name of an address; none where it had several or the name is not a host's."""
    common = [name for name in names if name in popular]
    notes += [f"The name {name} was shown with {popular[name]} addresses; it is not followed." for name in common]
    own = [name for name in names if name not in popular]
    if not own:
        notes.append(f"No record around first contact shows a host name of {host.src}; it is found by address only.")
        return ()
    labels, domains = {name.partition(".")[0] for name in own}, {name for name in own if "." in name}
    if len(labels) > 1 or len(domains) > 1:
        notes.append(
            f"{host.src} was shown with {len(own)} host names around first contact ({', '.join(own[:3])}): whose "
            "records are meant is ambiguous, so none is followed by name."
        )
        return ()
    notes.append(f"{host.src} is {', '.join(own)}, by records around first contact that show both.")
    return tuple(own)


def _one_address(host: Watched, addresses: list[str], notes: list[str]) -> tuple[str, ...]:
    if len(addresses) == 1:
        notes.append(f"{host.src} is {addresses[0]}, by records around first contact that show both.")
        return tuple(addresses)
    if addresses:
        notes.append(f"{host.src} was shown with {len(addresses)} addresses around first contact; none is followed.")
    return ()


def _followed(users: list[str], shared: dict[str, int], notes: list[str]) -> tuple[str, ...]:
    """The users to follow: few at this host, and at few hosts."""
    notes += [f"The account {user} is at {shared[user]} hosts; it is not followed." for user in users if user in shared]
    own = [user for user in users if user not in shared]
    if len(own) > MOST_USERS:
        notes.append(f"{len(own)} users are seen at the host around first contact; none is followed.")
        return ()
    notes.append(
        f"Its user is {', '.join(own)}, by its web requests or its sensor." if own else "No record names its user."
    )
    return tuple(own)
