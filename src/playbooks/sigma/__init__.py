"""Sigma rules over the records of a case: the kit's own, and any directory of them that somebody brings.

pySigma reads the rules; the kit's backend makes conditions of them; one pass over each evidence item asks all at once.
"""

from __future__ import annotations

from playbooks.sigma.kept import is_kept, keep, kept
from playbooks.sigma.run import STATUSES, Outcome, SigmaRun, rule_files, run_sigma
from playbooks.sigma.signals import SigmaSignal, sigma_signals

__all__ = [
    "STATUSES",
    "Outcome",
    "SigmaRun",
    "SigmaSignal",
    "is_kept",
    "keep",
    "kept",
    "rule_files",
    "run_sigma",
    "sigma_signals",
]
