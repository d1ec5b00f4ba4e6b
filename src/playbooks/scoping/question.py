"""What a question is: its words, the telemetry it needs, its innocent readings and its limits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question asked of the events of a case.

    Attributes
    ----------
    id, hypothesis, title
        Stable id, "A" or "B", and the question in words.
    needs
        (table, column) pairs. **Any one of them suffices**; where none holds a value the answer is *blind*.
    innocent_when, cannot_see
        Sentences that are printed beside every finding.
    """

    id: str
    hypothesis: str
    title: str
    needs: tuple[tuple[str, str], ...]
    innocent_when: tuple[str, ...]
    cannot_see: tuple[str, ...]
