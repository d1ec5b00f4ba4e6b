"""What every form is made from, and what a form gives back."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Material:
    """The results of a case, as they leave it.

    Attributes
    ----------
    case_id, title, tlp
        As in `case.yaml`.
    findings
        The content of `results/findings.json`.
    tables
        Name → rows, columns as in `schema.RESULT_TABLES`; only those that the form reads.
    evidence
        `evidence_id, name, sha256, …` of each item.
    evidence_head
        Fingerprint of the entry of the custody chain that added the last item; empty without any.
    inside
        Networks that are ours, in CIDR notation, as `case.yaml` says.
    custody
        The entries of the custody chain, in order; only where the form reads them.
    """

    case_id: str
    title: str
    tlp: str
    findings: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    evidence: Sequence[Mapping[str, Any]] = ()
    evidence_head: str = ""
    inside: Sequence[str] = ()
    custody: Sequence[Mapping[str, Any]] = ()

    def id_of(self, kind: str, content: str) -> str:
        """A UUID that stands for this content of this case, the same each time."""
        from playbooks.report.stix import name_based

        return name_based(f"{self.case_id}|{kind}|{content}")

    def told(self) -> Iterator[tuple[bool, Mapping[str, Any]]]:
        """Every finding, then every lead; true where it is a finding."""
        yield from ((True, entry) for entry in self.findings["findings"])
        yield from ((False, entry) for entry in self.findings["leads"])

    def is_inside(self, address: str) -> bool:
        """Whether an address lies in our own networks."""
        known = ipaddress.ip_address(address)
        return any(known in ipaddress.ip_network(network) for network in self.inside)

    def last_seen(self) -> dt.datetime:
        """When the last subject of a finding was last seen; a fixed day without findings."""
        from playbooks.report.stix import UNDATED

        return max((dt.datetime.fromisoformat(one["last_seen"]) for one in self.findings["findings"]), default=UNDATED)

    def answers(self) -> list[str]:
        """Each question with its answer and why, so that nothing found is not taken for could not look."""
        return [f"{one['outcome']}: {one['title']}. {one['reason']}" for one in self.findings["outcomes"].values()]

    def cited(self, entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The items of evidence that hold the records of a finding."""
        held = {ref.partition(":")[0] for signal in entry["signals"] for ref in signal["refs"]}
        return [item for item in self.evidence if item["evidence_id"] in held]

    def without_secrets(self) -> Material:
        """The same with the secrets of URLs and the tokens of JSON hidden in every text."""
        from playbooks.report.inert import redacted

        hide = cache(lambda text: redacted(text)[0])
        return Material(
            self.case_id,
            hide(self.title),
            self.tlp,
            _each(self.findings, hide),
            {name: frame.map(lambda cell: _each(cell, hide)) for name, frame in self.tables.items()},
            _each(self.evidence, hide),
            self.evidence_head,
            self.inside,
            _each(self.custody, hide),
        )


def one_line(text: str) -> str:
    """`text` of a stranger in one line, with what cannot be seen written out."""
    from playbooks.report.inert import visible

    return " ".join(visible(text).split())


def _each(value: Any, hide: Any) -> Any:
    """`value` with every text in it gone through `hide`; keys stay."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {key: _each(one, hide) for key, one in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        return [_each(one, hide) for one in value]
    return value


@dataclass(frozen=True)
class Made:
    """A form, made: its bytes, how many things are in it, in words, and what it leaves out."""

    content: bytes
    holds: str
    left_out: tuple[str, ...] = ()
