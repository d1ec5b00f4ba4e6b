"""Traits of documented tools that this case could not be searched for, and which column would have shown them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playbooks.knowledge.characteristics import Characteristic, load_characteristics

OF_TRAFFIC = ("dns_activity", "http_activity", "network_activity")
NO_COLUMN = "no table of the kit holds it: look into the evidence itself"


def traits_not_looked_for(coverage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Traits of traffic that no loaded record can show.

    Parameters
    ----------
    coverage
        Content of `coverage.json`.

    Returns
    -------
    list of dict
        `trait, tool, visible_in, columns, why`, in the order of the characteristics.
    """
    facts = [fact for fact in coverage["tables"] if fact["table"] in OF_TRAFFIC]
    carried = {column for fact in facts for column, share in fact["fields"].items() if share > 0}
    return [_row(trait) for trait in load_characteristics().not_visible(carried)]


def _row(trait: Characteristic) -> dict[str, Any]:
    missing = f"no record carries {' or '.join(trait.fields)}" if trait.fields else NO_COLUMN
    return {
        "trait": trait.id,
        "tool": trait.tool,
        "visible_in": list(trait.visible_in),
        "columns": list(trait.fields),
        "why": missing,
    }


def in_words(rows: list[dict[str, Any]]) -> list[str]:
    """One limit per reason, with the tools that it concerns."""
    tools: dict[str, dict[str, None]] = {}
    for row in rows:
        tools.setdefault(row["why"], {})[row["tool"]] = None
    return [f"Traits not looked for, {why}: {'; '.join(names)}." for why, names in tools.items()]
