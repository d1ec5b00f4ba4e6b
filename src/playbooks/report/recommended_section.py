"""What is recommended because of this case: what was missing for a conclusion, and what was seen open, old or unowned.

Every row names what of the case it rests on. There is no row that would stand in any report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from playbooks.report.facts import CaseFacts, CloudFacts
from playbooks.report.figures.picture import MOST_ROWS, counted
from playbooks.report.parts import most, refs_in, some
from playbooks.report.words import column_heads
from playbooks.scoping.rights import UNGRANTED, UNKNOWN, UNUSED, USED

HEADS = ("Recommended", "Because, in this case", "Concerns", "Records")
Row = list[Any]


def recommended_section(facts: CaseFacts) -> dict[str, Any]:
    """Give what the template `recommended` draws."""
    rows = [
        *_fields(facts.coverage),
        *_spots(facts.coverage),
        *_logging(facts.coverage),
        *(_governance(facts.cloud) if facts.cloud else ()),
        *_lists(facts),
    ]
    return {"rows": rows[:MOST_ROWS], "total": len(rows), "heads": column_heads(HEADS)}


def _fields(coverage: Mapping[str, Any]) -> Iterator[Row]:
    """Fields that would have decided something."""
    for row in coverage.get("deciding_fields") or ():
        refs = [ref for example in row["examples"] for ref in example["refs"][:1]]
        yield [row["recommend"], row["sentence"], some(row["findings"]), refs_in(refs)]


def _spots(coverage: Mapping[str, Any]) -> Iterator[Row]:
    for spot in coverage.get("blind_spots") or ():
        because = f"{spot.get('missing')}; it forbids to conclude {spot.get('forbids')}"
        yield [spot.get("recommend"), because, list(spot.get("questions") or ()) or "all questions of its records", []]


def _logging(coverage: Mapping[str, Any]) -> Iterator[Row]:
    for row in coverage.get("audit_logging") or ():
        if row.get("state") == "fail":
            place = ", ".join(str(row[name]) for name in ("service", "account", "region") if row.get(name))
            yield [f"Switch on: {row.get('check')}.", row.get("why"), place, refs_in(list(row.get("proof") or ()))]


def _governance(cloud: CloudFacts) -> Iterator[Row]:
    """What was seen open to strangers, wider than needed, or forgotten."""
    for one in most(cloud.own_endpoints[cloud.own_endpoints["open_to"].notna()]):
        yield [
            f"Ask the owner of {one['resource'] or one['host']} whether {one['host']} is to be open.",
            f"{one['open_to']}; {one['answer']}", "access", refs_in(one["refs"], one["made_by"]),
        ]  # fmt: skip
    wide = cloud.rights[~cloud.rights["kind"].isin([USED, UNUSED, UNGRANTED, UNKNOWN])]
    for one in most(wide):
        yield [
            f"Narrow what {one['identity']} may do.", one["sentence"], "least privilege",
            refs_in(one["refs"], one["policy_refs"]),
        ]  # fmt: skip
    if unused := int((cloud.rights["kind"] == UNUSED).sum()):
        because = f"{counted(unused, 'grant')} that no call of the window used"
        yield ["Take back grants that nobody uses, after a longer look.", because, "least privilege", []]
    for one in most(cloud.stale_functions):
        yield [
            f"Ask whether {one['function']} is still needed.", one["sentence"], "functions nobody tends",
            refs_in(one["refs"]),
        ]  # fmt: skip


def _lists(facts: CaseFacts) -> Iterator[Row]:
    if facts.owning is None:
        return
    noticed = facts.owning.review[facts.owning.review["faults"].str.len() > 0]
    for one in most(noticed):
        place = str(one["list"]).replace("_", "-")
        yield [f"Go over {one['value']} with {one['owner'] or 'an owner'}.", one["reason"], place, refs_in(one["refs"])]
    nobody = int(facts.owning.draft["owner_missing"].astype(bool).sum()) if len(facts.owning.draft) else 0
    if nobody:
        seen = counted(nobody, "host or resource", "hosts and resources")
        yield ["Find an owner for what was seen without one.", f"{seen}: see Whose it is.", "inventory", []]
