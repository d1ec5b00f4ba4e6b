"""Findings and leads → Sigma rules, one for each log source in which the same would show.

The rule is the one source of every query. A value of evidence is only ever a value: what Sigma reads as a wildcard is
escaped. Hosts of ours and hosts that serve everybody are in no rule, nor is what no record of the finding holds.
Reference: Sigma specification 2.1 (rules), its taxonomy appendix (log sources, fields).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playbooks.exports.hosts import BY_PATH, kind_of_host, listed, pairs_of, why_none
from playbooks.exports.hunting.sources import HuntSource, cloud_sources, egress_sources
from playbooks.exports.material import Material, one_line
from playbooks.knowledge.redaction import HIDDEN

if TYPE_CHECKING:
    import pandas as pd

LEVELS = {"high": "high", "moderate": "medium", "low": "low"}
LEAD_LEVEL, ALONE_LEVEL = "informational", "low"  # of a lead; of a fingerprint or resource, which says little alone
CHANGES = ("create", "modify-code", "modify-config", "permission", "trigger", "identity", "defence-evasion")
SHOWN_REFS = 20
MOST_VALUES = 200  # of one field in one rule
MOST_TITLE = 256  # characters, by the specification
FEWEST_CHARS = 4  # of a value that is looked for in whole records
OF_A_VERSION = "Everybody who runs the same version of that program has the same user agent."
OF_A_LIBRARY = "Every program that was built with the same TLS library has the same fingerprint."
Detection = dict[str, Any]


@dataclass(frozen=True)
class Hunt:
    """One rule: its content as Sigma writes it, and the log source that it speaks of."""

    rule: Mapping[str, Any]
    source: HuntSource


def hunts(material: Material, left_out: list[str]) -> Iterator[Hunt]:
    """The rules of every finding, then of every lead."""
    for is_finding, entry in material.told():
        made = [*(_egress if entry["hypothesis"] == "A" else _cloud)(entry, is_finding, material, left_out)]
        if not made:
            left_out.append(f"no query for {entry['id']}: it names nothing that could be looked for elsewhere")
        yield from made


def literal(value: str) -> str:
    """A value in which Sigma sees no wildcard."""
    return "".join("\\" + letter if letter in "\\*?" else letter for letter in value)


def _egress(entry: Mapping[str, Any], is_finding: bool, material: Material, left_out: list[str]) -> Iterator[Hunt]:
    mine = pairs_of(entry, material.tables["egress_pairs"])
    hosts: list[str] = []
    for dst in entry["subjects"].get("dst", ()):
        rows = mine[mine.dst == dst]
        if (rows.matched_by == BY_PATH).any() and not rows.ownership.fillna("").str.startswith("owned").any():
            yield from _by_path(entry, is_finding, material, dst, _known(rows.tenant))
        elif why := why_none(rows) if kind_of_host(dst) else "it is no host":
            left_out.append(f"no query for {dst} ({entry['id']}): {why}")
        else:
            hosts.append(dst)
    names, addresses = (
        [one for one in hosts if (kind_of_host(one) == "domain-name") is named] for named in (True, False)
    )
    whose = sorted({part for name in names if (part := _customer(name, {*mine[mine.dst == name].tenant.dropna()}))})
    prints = {told for cell in mine[mine.dst.isin(hosts)].fingerprints for told in listed(cell)}
    for source in egress_sources():
        found = {**_hosts(source, names, whose), **_plain(source, "address", addresses)}
        if found:
            yield _hunt(entry, is_finding, material, source, "same destination", found, "1 of selection_*")
        marks = {f"selection_{kind}": one for kind in ("ja3", "ja4") if (one := _marks(source, kind, prints))}
        if marks:
            what = "same fingerprint of a TLS client"
            yield _hunt(
                entry, is_finding, material, source, what, marks, "1 of selection_*", ALONE_LEVEL, (OF_A_LIBRARY,)
            )


def _customer(host: str, tenants: set[str]) -> str:
    """The part of a name that every host of the same customer ends in; empty where no label is the customer's."""
    labels = host.split(".")
    at = next((place for place, label in enumerate(labels[:-1]) if label in tenants), None)
    return ".".join(labels[at:]) if at is not None else ""


def _hosts(source: HuntSource, names: Sequence[str], whose: Sequence[str]) -> Detection:
    """The hosts themselves, and every host of the same customer."""
    [*fields] = source.fields.get("host", ())
    found: Detection = {}
    exact = sorted({*names, *whose})
    if fields and exact:
        found["selection_host"] = {fields[0]: _values(exact)}
    if fields and whose:
        found["selection_customer"] = {f"{fields[0]}|endswith": _values([f".{name}" for name in whose])}
    return found


def _by_path(
    entry: Mapping[str, Any], is_finding: bool, material: Material, host: str, tenants: list[str]
) -> Iterator[Hunt]:
    """Requests of a shared host for the path of that customer: only what sees paths can show them."""
    for source in egress_sources():
        if (paths := source.fields.get("path")) and tenants:
            found = {
                "selection_host": {source.fields["host"][0]: literal(host)},
                "selection_path": {f"{paths[0]}|contains": _values(tenants)},
            }
            yield _hunt(entry, is_finding, material, source, f"same customer at {host}", found, "all of selection_*")


def _plain(source: HuntSource, role: str, values: Sequence[str]) -> Detection:
    fields = source.fields.get(role)
    return {f"selection_{role}": {fields[0]: _values(values)}} if fields and values else {}


def _marks(source: HuntSource, kind: str, prints: set[str]) -> Detection:
    values = sorted(told.partition(":")[2] for told in prints if told.startswith(f"{kind}:"))
    fields = source.fields.get(kind)
    return {fields[0]: _values(values)} if fields and values else {}


def _cloud(entry: Mapping[str, Any], is_finding: bool, material: Material, left_out: list[str]) -> Iterator[Hunt]:
    activity = material.tables["cloud_activity"]
    refs = {ref for signal in entry["signals"] for ref in signal["refs"]}
    cited = [
        not refs.isdisjoint((ref, *listed(more))) for ref, more in zip(activity.ref, activity.further_refs, strict=True)
    ]
    mine = activity[cited]
    by_source: dict[str, tuple[HuntSource, list[int]]] = {}
    for place, row in enumerate(mine.itertuples()):
        found = (str(row.provider or ""), str(row.service or ""), str(row.operation or ""))
        source = next((one for one in cloud_sources() if one.speaks_of(*found)), None)
        if source is None:
            left_out.append(f"no query for {row.ref} ({entry['id']}): no log source of Sigma is known for {found[0]}")
        else:
            by_source.setdefault(source.name, (source, []))[1].append(place)
    for source, places in by_source.values():
        rows = mine.iloc[places]
        yield from _acts(entry, is_finding, material, source, rows)


def _acts(
    entry: Mapping[str, Any], is_finding: bool, material: Material, source: HuntSource, rows: pd.DataFrame
) -> Iterator[Hunt]:
    """Two rules: the same hand anywhere, and any hand on the same thing."""
    operations = _operations(source, rows)
    names = [_without_account(one) for one in _known(rows.principal)]
    hands = {
        f"hand_{role}": one
        for role, values in (("principal", names), ("address", _outside(rows.source_ip, material)))
        if (one := _anywhere(source, role, values))
    }
    if hands:
        condition = "operation and 1 of hand_*" if operations else "1 of hand_*"
        what = "same acts by the same identity or address"
        yield _hunt(entry, is_finding, material, source, what, operations | hands, condition)
    if operations and (program := _anywhere(source, "agent", _known(rows.user_agent))):
        found = operations | {"program": program}
        what = "same acts by the same program"
        yield _hunt(
            entry, is_finding, material, source, what, found, "operation and program", ALONE_LEVEL, (OF_A_VERSION,)
        )
    changed = rows[rows.phase.isin(CHANGES)]
    things = _anywhere(source, "resource", _known(changed.resource))
    if things and (acts := _operations(source, changed)):
        found = acts | {"thing": things}
        what = "same changes of the same thing"
        yield _hunt(entry, is_finding, material, source, what, found, "operation and thing", ALONE_LEVEL)


def _operations(source: HuntSource, rows: pd.DataFrame) -> Detection:
    """The operations, each with its service where the records name one."""
    if not (names := source.fields.get("operation")):
        return {}
    if not (services := source.fields.get("service")):
        known = _known(rows.operation)
        return {"operation": {names[0]: _values(known)}} if known else {}
    both = [
        {services[0]: literal(str(service)), names[0]: _values(known)}
        for service, of in rows.groupby("service", sort=True)
        if (known := _known(of.operation))
    ]
    return {"operation": both if len(both) > 1 else both[0]} if both else {}


def _anywhere(source: HuntSource, role: str, values: Sequence[str]) -> Any:
    """The values in any of the fields; where the source names none, anywhere in the record."""
    fields = source.fields.get(role)
    if fields == ():
        return _values([one for one in values if len(one) >= FEWEST_CHARS])
    found = []
    for name in fields or () if values else ():
        field, _, before = name.partition(":")
        found.append({field: _values([before + one for one in values])})
    return found if len(found) > 1 else found[0] if found else None


def _without_account(principal: str) -> str:
    """The name of a role of another account, without the account."""
    account, _, name = principal.partition(":")
    return name if account.isdecimal() and name else principal


def _known(column: pd.Series[Any]) -> list[str]:
    """The values of a column; one of which a secret was taken out would be found nowhere."""
    return sorted({str(one) for one in column.dropna() if str(one).strip() and HIDDEN not in str(one)})


def _outside(column: pd.Series[Any], material: Material) -> list[str]:
    """Addresses; none of ours, behind which everybody of the house acts, and no name of a service in their place."""
    return [one for one in _known(column) if kind_of_host(one).startswith("ip") and not material.is_inside(one)]


def _values(values: Sequence[str]) -> list[str]:
    return [literal(one) for one in values[:MOST_VALUES]]


def _hunt(
    entry: Mapping[str, Any],
    is_finding: bool,
    material: Material,
    source: HuntSource,
    what: str,
    found: Detection,
    condition: str,
    level: str = "",
    innocent: Sequence[str] = (),
) -> Hunt:
    """The rule with everything that a reader of it must know: whose it is, what it rests on, when it is innocent."""
    refs = list(dict.fromkeys(ref for signal in entry["signals"] for ref in signal["refs"]))
    more = f" and {len(refs) - SHOWN_REFS} more" if len(refs) > SHOWN_REFS else ""
    stands_as = "finding" if is_finding else "lead"
    usual = LEVELS[entry["argument"]["confidence"]["word"]] if is_finding else LEAD_LEVEL
    lowest = level and is_finding
    rule = {
        "title": f"{entry['id']}: {what}, in {source.about}"[:MOST_TITLE],
        "id": material.id_of("sigma", f"{entry['id']}|{source.name}|{what}"),
        "status": "experimental",
        "description": one_line(
            f"{entry['title']}. Looks for the {what} in {source.about}. Made of {stands_as} {entry['id']} of case "
            f"{material.case_id} (TLP:{material.tlp}); records {', '.join(refs[:SHOWN_REFS])}{more}."
        ),
        "references": [f"case {material.case_id}, {stands_as} {entry['id']}"],
        "author": "playbooks",
        "date": dt.datetime.fromisoformat(entry["last_seen"]).date().isoformat(),
        "tags": [
            *(f"attack.{name.lower()}" for name in entry["attack"]),
            f"tlp.{material.tlp.lower().replace('+', '-')}",
        ],
        "logsource": dict(source.logsource),
        "detection": found | {"condition": condition},
        "falsepositives": [one_line(one) for one in (*innocent, *entry["innocent_if"])] or ["None stated"],
        "level": level if lowest else usual,
    }
    return Hunt(rule, source)
