"""Who and what is affected: hosts and their users, identities of a cloud, functions and other resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playbooks.report.facts import CaseFacts
from playbooks.report.figures.picture import MOST_ROWS, stamp
from playbooks.report.parts import refs_in, some
from playbooks.report.words import column_heads, is_missing

KINDS: dict[str, tuple[str, str]] = {
    "host": ("host", "hosts"),
    "user": ("user of a host", "users of hosts"),
    "identity": ("identity of a cloud", "identities of a cloud"),
    "resource": ("function or resource", "functions and resources"),
    "destination": ("destination outside", "destinations outside"),
}
HEADS = ("Kind", "Name", "Known as", "Findings", "Leads", "First to last (UTC)", "What left, or was done", "Records")


@dataclass
class Affected:
    """One of them, with what names it; `known_as` are other names or the kind of a resource."""

    kind: str
    name: str
    known_as: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)
    did: list[str] = field(default_factory=list)
    first: Any = None
    last: Any = None
    refs: list[str] = field(default_factory=list)

    @property
    def in_finding(self) -> bool:
        return bool(self.findings)

    @property
    def in_lead(self) -> bool:
        return bool(self.leads)

    @property
    def rank(self) -> int:
        """Findings before leads before shared traits."""
        return 0 if self.in_finding else 1 if self.in_lead else 2

    def words(self) -> str:
        """Its name, and in brackets what it is known as."""
        return f"{self.name} ({', '.join(self.known_as[:3])})" if self.known_as else self.name


def affected_by(facts: CaseFacts) -> list[Affected]:
    """Everybody and everything that findings, then leads, name, or that shares a trait with them."""
    every: dict[tuple[str, str], Affected] = {}
    for kind in ("findings", "leads"):
        for entry in facts.findings.get(kind) or ():
            for place, name in _named(entry):
                one = every.setdefault((place, name), Affected(place, name))
                getattr(one, kind).append(str(entry.get("id")))
                _seen(one, entry.get("first_seen"), entry.get("last_seen"))
                one.refs += [ref for signal in entry.get("signals") or () for ref in signal.get("refs") or ()][:3]
                if place in ("identity", "resource"):
                    one.did.append(str(entry.get("title")))
    _with_scope(every, facts)
    _with_types(every, facts)
    order = list(KINDS)
    return sorted(
        every.values(), key=lambda one: (not one.in_finding, not one.in_lead, order.index(one.kind), one.name)
    )


def affected_section(facts: CaseFacts) -> dict[str, Any]:
    """Give what the template `affected` draws."""
    every = affected_by(facts)
    rows = [
        [KINDS[one.kind][0], one.name, some(one.known_as), some(dict.fromkeys(one.findings)), _leads(one),
         _times(one), some(dict.fromkeys(one.did), 2), refs_in(one.refs)]
        for one in every[:MOST_ROWS]
    ]  # fmt: skip
    return {"rows": rows, "total": len(every), "heads": column_heads(HEADS)}


def _times(one: Affected) -> str:
    if is_missing(one.first) or is_missing(one.last):
        return "no time"
    return f"{stamp(one.first)} to {stamp(one.last)}"


def _leads(one: Affected) -> list[str]:
    shares = list(dict.fromkeys(one.shares))
    more = f" and {len(shares) - 1} more" if len(shares) > 1 else ""
    return some(dict.fromkeys(one.leads)) + [f"shares {trait}{more}" for trait in some(shares[:1])]


def _named(entry: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    about = entry.get("subjects") or {}
    ours = entry.get("hypothesis") == "A"  # addresses in findings of a cloud are those of callers
    names = {
        "host": about.get("src") if ours else (),
        "identity": about.get("principal"),
        "resource": about.get("resource"),
        "destination": about.get("dst"),
    }
    for kind, listed in names.items():
        for name in listed or ():
            yield kind, str(name)


def _seen(one: Affected, first: Any, last: Any) -> None:
    one.first = min((time for time in (one.first, first) if not is_missing(time)), key=str, default=None)
    one.last = max((time for time in (one.last, last) if not is_missing(time)), key=str, default=None)


def _with_scope(every: dict[tuple[str, str], Affected], facts: CaseFacts) -> None:
    """Names, users and bytes of hosts, and hosts that share a trait with a finding or lead."""
    rows = [] if facts.scope is None else facts.scope.to_dict("records")
    found = {str(entry.get("id")) for entry in facts.findings.get("findings") or ()}
    for row in rows:
        host = every.setdefault(("host", str(row["src"])), Affected("host", str(row["src"])))
        host.known_as += [name for name in map(str, row["hostnames"]) if name not in host.known_as]
        _seen(host, _text(row["first_seen"]), _text(row["last_seen"]))
        host.refs += list(row["refs"])
        if not row["is_subject"]:
            host.shares.append(", ".join(map(str, row["shares"])))
        elif not is_missing(row["bytes_out"]):
            host.did.append(
                f"{int(row['bytes_out']):,} bytes out in {int(row['connections']):,} contacts ({row['finding']})"
            )
        for name in map(str, row["users"] if row["is_subject"] else ()):
            user = every.setdefault(("user", name), Affected("user", name))
            getattr(user, "findings" if row["finding"] in found else "leads").append(str(row["finding"]))
            user.known_as += [f"at {host.name}"] * (f"at {host.name}" not in user.known_as)
            _seen(user, host.first, host.last)
            user.refs += list(row["refs"])


def _text(time: Any) -> Any:
    return time.isoformat() if hasattr(time, "isoformat") and not is_missing(time) else None


def _with_types(every: dict[tuple[str, str], Affected], facts: CaseFacts) -> None:
    """What kind of resource each is, by the audit records."""
    if "resource_type" not in facts.activity:
        return
    told = facts.activity.dropna(subset=["resource", "resource_type"]).drop_duplicates("resource")
    types = dict(zip(told["resource"].astype(str), told["resource_type"].astype(str), strict=True))
    for (kind, name), one in every.items():
        if kind == "resource" and name in types:
            one.known_as.append(types[name])
