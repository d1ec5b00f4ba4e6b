"""Matches of Sigma rules as facts that may support a finding; alone they are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

KIND = "sigma"  # all rules are one kind of fact: two rules over one record say it once
# What a rule's author says of it: how likely a match is an attack, anywhere. Here it only supports what else was seen.
WEIGHTS = {
    "informational": 0.0,  # made for counting and context, not for an alert
    "low": 0.1,  # expected in daily work
    "medium": 0.2,  # worth a look where something else points there
    "high": 0.3,  # an alert of its own in most houses, and still wrong in many
    "critical": 0.4,  # its authors know no innocent reading; we do not know how they tested it
}
UNSTATED = 0.1  # no level: no more than the lowest that alerts
REFS = 20


@dataclass(frozen=True)
class SigmaSignal:
    """What the matches of one rule by one principal on one resource say together."""

    kind: str
    sentence: str
    weight: float
    refs: tuple[str, ...]
    principal: str | None
    resource: str | None
    attack: tuple[str, ...]


def sigma_signals(matches: pd.DataFrame) -> list[SigmaSignal]:
    """Matches gathered by rule, principal and resource.

    Parameters
    ----------
    matches
        Rows of `schema.SIGMA_MATCHES`.

    Returns
    -------
    list of SigmaSignal
        Those of weight zero are left out. Titles and paths are the text of a rule's author, to be shown as text.
    """
    return list(_signals(matches))


def _signals(matches: pd.DataFrame) -> Iterator[SigmaSignal]:
    for _, rows in matches.groupby(["path", "document", "principal", "resource"], dropna=False, sort=True):
        first = rows.iloc[0]
        weight = WEIGHTS.get(first.level, UNSTATED)
        if not weight:
            continue
        refs = tuple(
            dict.fromkeys(one for ref, more in zip(rows.ref, rows.refs, strict=True) for one in [ref, *list(more)])
        )
        times = "once" if len(rows) == 1 else f"{len(rows):,} times"
        yield SigmaSignal(
            kind=KIND,
            sentence=f"The Sigma rule ‘{first.title}’ ({first.level or 'no level'}; {first.path}) fits {times}",
            weight=weight,
            refs=refs[:REFS],
            principal=first.principal if isinstance(first.principal, str) else None,
            resource=first.resource if isinstance(first.resource, str) else None,
            attack=tuple(tag[len("attack.") :].upper() for tag in first.tags if tag.lower().startswith("attack.t")),
        )
