"""Sessions of functions' roles that look used outside the function: by their name, user agent or address.

A name or an agent that no function has says *outside*; so does an address outside what the provider publishes.
Without published ranges an address is only compared with those that the role had before, which says *unclear*:
functions change their addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from playbooks import schema
from playbooks.knowledge.operations import platform_of
from playbooks.scoping.address_ranges import Publisher, publishers
from playbooks.scoping.addresses import parse
from playbooks.scoping.control_plane import plain

if TYPE_CHECKING:
    from playbooks.case import CaseFile
    from playbooks.engine import Tables

# Agents of hands, not of a function: command lines, consoles, shells, and systems that no function runtime is.
BY_HAND = re.compile(
    r"aws-cli/|CloudShell|Mozilla/|console\.|powershell|terraform|pulumi|\bos/(?:windows|macos)|Windows/|Darwin/"
    r"|gcloud|google-cloud-sdk|AZURECLI|curl/|PostmanRuntime|kali|parrot",
    re.IGNORECASE,
)
OUTSIDE, UNCLEAR = "outside", "unclear"
MOST = 0.8  # share of a role's calls from one address, from which on that is where it runs
ENOUGH_CALLS = 10  # fewer say nothing of a habit
MAX_REFS = 5
MAX_LISTED = 10
SESSION = ["role", "session", "account", "address", "agent"]


@dataclass(frozen=True)
class Places:
    """What addresses are compared with: published ranges of a platform first, else a role's own habit."""

    published: Mapping[str, Publisher]
    platforms: frozenset[str]  # whose ranges are in evidence
    habits: Mapping[str, frozenset[str]]
    compared: Mapping[str, str] = field(default_factory=dict)  # role → what the habit is taken from

    def odd(self, role: str, address: str | None, provider: str | None) -> tuple[str | None, str]:
        """Why an address is not the function's, null where it is or nothing tells; and what it is compared with."""
        parsed = parse(address) if address else None
        if parsed is None or not parsed.is_global:
            return None, "nothing: no public address"
        platform = platform_of(provider) if provider else None
        if platform in self.platforms:
            owner = self.published.get(str(address))
            if owner is not None and platform in _platforms(owner.provider):
                return None, f"published ranges of {provider}"
            whose = f"; it is in one of {owner.provider}" if owner else ""
            return f"{address} lies in no range that {provider} publishes{whose}", f"published ranges of {provider}"
        if address in self.habits.get(role, frozenset({address})):
            return None, self.compared.get(role, "nothing: no published ranges, no habit")
        return f"{address} is none of the role's addresses", self.compared[role]


def credentials_outside(
    calls: pd.DataFrame, functions: Mapping[str, list[str]], tables: Tables, case: CaseFile
) -> pd.DataFrame:
    """Rows of `schema.CREDENTIALS_OUTSIDE`, *outside* before *unclear*.

    Parameters
    ----------
    calls
        Calls of functions' roles per session, address, agent and operation, with counts of the baseline.
    functions
        Role to the functions that have it.
    """
    used, before = calls[calls["calls"] > 0], calls[calls["before"] > 0]
    places = _places(used, before, tables, case)
    sessions = zip(before["role"], before["session"], strict=True)
    habitual = {role for role, session in sessions if _foreign(session, functions[role])}  # used by others before, too
    rows = []
    for key, group in used.groupby(SESSION, dropna=False, sort=True):
        known = dict(zip(SESSION, (part if isinstance(part, str) else None for part in key), strict=True))
        role = str(known["role"])
        signs, by_hand = _by_session(known["session"], functions[role]), _by_agent(known["agent"])
        place, compared = places.odd(role, known["address"], group["cloud_provider"].iloc[0])
        certain = bool(by_hand or (signs and role not in habitual) or (place and compared.startswith("published")))
        if signs or by_hand or place:
            reasons = [*signs, *by_hand, *([place] if place else [])]
            rows.append(_row(known, functions[role], group, certain, reasons, compared))
    table = pd.DataFrame(rows, columns=list(schema.CREDENTIALS_OUTSIDE.names))
    return plain(table.sort_values(["verdict", "role", "first_seen"], kind="stable", ignore_index=True))


def _row(
    known: Mapping[str, str | None],
    functions: list[str],
    group: pd.DataFrame,
    certain: bool,
    reasons: list[str],
    compared: str,
) -> dict[str, object]:
    ordered = group.sort_values(["first_seen", "first_ref"], kind="stable")
    return {
        **{name: known[name] for name in ("role", "session", "account", "address")},
        "functions": functions,
        "user_agent": known["agent"],
        "verdict": OUTSIDE if certain else UNCLEAR,
        "reasons": reasons,
        "compared_with": compared,
        "calls": int(group["calls"].sum()),
        "operations": sorted(set(group["operation"].dropna()))[:MAX_LISTED],
        "first_seen": group["first_seen"].min(),
        "last_seen": group["last_seen"].max(),
        "refs": list(dict.fromkeys([*ordered["first_ref"], *ordered["last_ref"]]))[:MAX_REFS],
    }


def _places(used: pd.DataFrame, before: pd.DataFrame, tables: Tables, case: CaseFile) -> Places:
    addresses = sorted({*used["address"].dropna()})
    ranges = tables.address_ranges
    stated = {entry.provider for entry in case.address_ranges}
    named = set(ranges.filter(ranges.provider.notnull()).select("provider").distinct().execute()["provider"])
    listed = {platform for name in named | stated for platform in _platforms(name)} if addresses else set()
    if len(before):
        habits = {str(role): frozenset(rows.dropna()) for role, rows in before.groupby("role")["address"]}
        compared = dict.fromkeys(habits, "the role's addresses in the baseline; no published ranges in evidence")
    else:
        habits = _most(used)
        compared = dict.fromkeys(habits, f"the address of {MOST:.0%} of its calls; no published ranges, no baseline")
    return Places(publishers(addresses, ranges, case), frozenset(listed), habits, compared)


def _most(used: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Roles that made most of their calls from one address, and that address."""
    counts = used.groupby(["role", "address"])["calls"].sum().reset_index()
    whole = counts.groupby("role")["calls"].transform("sum")
    chief = counts[(counts["calls"] >= MOST * whole) & (whole >= ENOUGH_CALLS)]
    return {str(role): frozenset({str(address)}) for role, address in zip(chief["role"], chief["address"], strict=True)}


def _platforms(publisher: str) -> set[str]:
    """Platforms among the names of a publisher, of whom there may be several with commas between."""
    known = (platform_of(name) for name in publisher.split(","))
    return {platform for platform in known if platform}


def _foreign(session: str | None, functions: list[str]) -> bool:
    return isinstance(session, str) and session not in functions


def _by_session(session: str | None, functions: list[str]) -> list[str]:
    if not _foreign(session, functions):
        return []
    return [f"session {session} is named after no function of the role, as Lambda names it"]


def _by_agent(agent: str | None) -> list[str]:
    if agent is None or not BY_HAND.search(agent[:1000]):
        return []
    return [f"user agent “{agent[:80]}” is that of a person or a tool, not of a runtime"]
