"""What names of destinations say: look-alikes of ours, and what passive DNS and certificates in evidence hold.

Context, and never a reason by itself. Only names that the case does not hold to be ours are compared with our brands.
Nothing resolves, opens or scans a name.
Innocent when: a supplier, an agency or a colleague took the name; a service names its customers, us among them.
Cannot see: likeness to words that nobody entered; names that neither file speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.knowledge.lookalikes import decoded, likeness
from playbooks.knowledge.public_suffixes import registrable

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import CaseFile

MAX_SIBLINGS = MAX_REFS = 20
SHORTEST_BRAND = 3
INNOCENT = "innocent where a supplier or colleague took it, or a service names its customers so"


@dataclass(frozen=True)
class _Contact:
    """One destination: when we contacted it, whether it is ours, and records of it."""

    name: str
    tenant: str | None
    service: str | None
    ours: bool
    first: pd.Timestamp
    last: pd.Timestamp
    all_refs: pd.Series
    rows: Any

    @property
    def refs(self) -> list[str]:
        """Of the few names that something is said of, not of all that were contacted."""
        return list(dict.fromkeys(ref for held in self.all_refs.iloc[self.rows] for ref in held))[:MAX_REFS]


def brands_of(config: CaseFile) -> list[str]:
    """What others might imitate: the brands of the case, and the registered labels of its zones."""
    own = config.estate.own
    labels = [registrable(zone.lower()).partition(".")[0] for zone in own.zones]
    return list(dict.fromkeys(one.lower() for one in (*own.brands, *labels) if len(one) >= SHORTEST_BRAND))


def name_facts(pairs: pd.DataFrame, name_records: ir.Table, config: CaseFile) -> pd.DataFrame:
    """Facts about the names of destinations.

    Parameters
    ----------
    pairs
        Table of `schema.EGRESS_PAIRS` with ownership.
    name_records
        The table `name_records`.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.NAME_FACTS`, by name.
    """
    contacts = list(_contacts(pairs))
    brands = brands_of(config)
    rows = [row for one in contacts for row in _of_name(one, brands)]
    names: Any = name_records.order_by("evidence_id", "record_no").execute()
    if len(names):
        rows += [row for one in contacts for row in _of_records(one, names)]
    frame = pd.DataFrame(rows, columns=list(schema.NAME_FACTS.names))
    for name in ("first_seen", "last_seen", "known_since"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.sort_values(["name", "fact", "brand"], kind="stable", ignore_index=True)


def _contacts(pairs: pd.DataFrame) -> Iterator[_Contact]:
    named = pairs[pairs.kind == "fqdn"]
    owned = named.ownership.astype("string").str.startswith("owned").fillna(False).astype(bool)
    by = named.assign(ours=owned).groupby(named.dst.str.lower(), sort=True)
    told = by.agg(ours=("ours", "any"), first=("first_seen", "min"), last=("last_seen", "max"))
    known = [named[column].to_numpy(dtype=object) for column in ("tenant", "catalogue_id")]
    for name, ours, first, last in told.itertuples():
        rows = by.indices[name]
        tenant, service = (value if isinstance(value := column[rows[0]], str) else None for column in known)
        yield _Contact(str(name), tenant, service, bool(ours), first, last, named.refs, rows)


def _of_name(one: _Contact, brands: list[str]) -> Iterator[dict[str, Any]]:
    labels = one.name.split(".")
    shown = ".".join(decoded(label) for label in labels)
    if shown != one.name:
        yield _row(one, "punycode", f"people see it as {shown}")
    if one.ours:
        return
    for brand in brands:
        if one.tenant and one.service and (found := likeness(one.tenant, brand)):
            service = load_catalogue().by_id[one.service]
            told = f"{found.sentence}, as the customer of {service.provider} {service.service}; {INNOCENT}"
            yield _row(one, "brand_as_tenant" if found.kind == "brand_in_name" else found.kind, told, brand)
            continue
        found = next((like for label in labels[:-1] if (like := likeness(label, brand))), None)
        if found:
            yield _row(one, found.kind, f"{found.sentence}, in {one.name}; {INNOCENT}", brand)


def _of_records(one: _Contact, names: pd.DataFrame) -> Iterator[dict[str, Any]]:
    wild = "*." + one.name.partition(".")[2]
    mine = names[names.name.isin([one.name, wild])]
    seen = mine[(mine.record_kind == "passive_dns") & (mine.name == one.name)]
    if len(seen):
        answers = {answer for held in seen.answers.dropna() for answer in held}
        same = names[(names.record_kind == "passive_dns") & names.answers.map(lambda held: _meets(held, answers))]
        since = seen.first_seen.min()
        told = f"passive DNS saw it first {_when(since)}, {_before(since, one.first)}, with {_few(answers)}"
        yield _row(one, "passive_dns", told, known_since=since, siblings=_others(same.name, one.name), refs=_refs(seen))
    issued = mine[mine.record_kind == "certificate"].sort_values("valid_from", kind="stable")
    if len(issued):
        since = issued.valid_from.min()
        told = (
            f"{len(issued[['evidence_id', 'record_no']].drop_duplicates())} in the certificate logs, the first valid "
            f"from {_when(since)}, {_before(since, one.first)}, by {issued.iloc[0].tls_certificate_issuer or 'nobody'}"
        )
        others = (name for held in issued.names.dropna() for name in held)
        yield _row(one, "certificate", told, known_since=since, siblings=_others(others, one.name), refs=_refs(issued))


def _meets(held: Any, answers: set[str]) -> bool:
    return held is not None and not isinstance(held, float) and not answers.isdisjoint(held)


def _others(names: Iterable[str], name: str) -> list[str]:
    return sorted({one for one in names if one != name})[:MAX_SIBLINGS]


def _refs(rows: pd.DataFrame) -> list[str]:
    refs = rows.evidence_id + ":" + rows.record_no.astype("int64").astype(str)
    return list(dict.fromkeys(refs))[:MAX_REFS]


def _when(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if pd.notna(moment) else "at no stated time"


def _before(since: pd.Timestamp, contact: pd.Timestamp) -> str:
    if pd.isna(since):
        return "which cannot be compared with our first contact"
    days = (contact - since).total_seconds() / 86_400
    return f"{abs(days):.1f} days {'before' if days >= 0 else 'after'} our first contact"


def _few(answers: set[str]) -> str:
    return ", ".join(sorted(answers)[:3]) + (f" and {len(answers) - 3} more" if len(answers) > 3 else "") or "no answer"


def _row(one: _Contact, fact: str, reason: str, brand: str | None = None, **facts: Any) -> dict[str, Any]:
    held = {"known_since": None, "siblings": [], "refs": one.refs} | facts
    return {"name": one.name, "fact": fact, "reason": reason, "brand": brand, "first_seen": one.first,
            "last_seen": one.last, **held}  # fmt: skip
