"""How sure a finding is, in words of a stated scale.

The score orders findings; these words say how much the records carry. They speak of the behaviour that the title
states, never of who stands behind it, and are no probability.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

HIGH, MODERATE, LOW = "high", "moderate", "low"
SCALE: Mapping[str, str] = {
    HIGH: "three or more independent kinds of signal, in records of two or more formats, and every innocent reading "
    "has something against it",
    MODERATE: "two or more independent kinds of signal",
    LOW: "one kind of signal that stands on its own, or an innocent reading fits and nothing speaks against it",
}
KINDS_FOR_HIGH = 3
FORMATS_FOR_HIGH = 2


def confidence(
    kinds: Iterable[str], formats: Iterable[str], is_finding: bool, innocent: Iterable[Mapping[str, Any]]
) -> tuple[str, str]:
    """The word, and why it is this one.

    Parameters
    ----------
    kinds
        Independent kinds of signal with weight.
    formats
        Formats of the records behind them.
    is_finding
        Whether it is more than a lead.
    innocent
        Innocent readings as `argued` gives them, each with `stands`.
    """
    kinds, formats, innocent = sorted(set(kinds)), sorted(set(formats)), list(innocent)
    fitting = [one["says"] for one in innocent if one["stands"] == "fits"]
    told = f"Kinds of signal: {len(kinds)} ({', '.join(kinds)}); formats of records: {len(formats)}"
    if fitting:
        return LOW, f"{told}. An innocent reading fits and nothing speaks against it: {fitting[0]}"
    if not is_finding:
        return LOW, f"{told}. It is a lead."
    undecided = [one["says"] for one in innocent if not one["against"]]
    if len(kinds) >= KINDS_FOR_HIGH and len(formats) >= FORMATS_FOR_HIGH and not undecided:
        return HIGH, f"{told}. Every innocent reading has something against it."
    if undecided:
        return MODERATE, f"{told}. Nothing speaks against one innocent reading: {undecided[0]}"
    return MODERATE, f"{told}."
