"""Signatures of digest files that are kept outside the digest files.

S3 keeps the signature of a digest file as `x-amz-meta-signature` beside it; for the newest one it stands
nowhere else. It is taken from the custody chain, from the answers of an acquisition, from what
`aws s3api head-object` printed, or from a mapping of S3 key to signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from playbooks.case import Case
from playbooks.evidence import custody
from playbooks.evidence.cloudtrail.items import LONGEST_RECORD, SIGNATURE_MARK, answers, content, json_in
from playbooks.evidence.preserve import Item

MOST_LOOSE_SIGNATURES = 1000  # each is tried on each digest file without a signature
HEX = re.compile(r"[0-9a-fA-F]{128,4096}")
NAMED = re.compile(r"\d{12}_CloudTrail-Digest_[\w.-]+?_\d{8}T\d{6}Z(?:_backfill)?\.json")
LONGEST_NAME = 2048


@dataclass(frozen=True)
class Recorded:
    """A signature kept outside the digest files: hex, the digest file's name where it is known, and where it stands."""

    signature: str
    digest_name: str | None
    where: str


class Signatures:
    """The signatures kept outside the digest files: by the digest file's name, or loose where none is known."""

    def __init__(self, recorded: Iterable[Recorded] = ()) -> None:
        self._by_name: dict[str | None, list[Recorded]] = {}
        for record in dict.fromkeys(recorded):
            self._by_name.setdefault(record.digest_name, []).append(record)

    def of(self, digest_name: str) -> list[Recorded]:
        """Those said to be of this digest file."""
        return self._by_name.get(digest_name, [])

    @property
    def loose(self) -> list[Recorded]:
        """Those of an unnamed digest file, as `aws s3api head-object` prints them; not more than can be tried."""
        return self._by_name.get(None, [])[:MOST_LOOSE_SIGNATURES]


def recorded_signatures(case: Case, in_evidence: list[Item], acquired: list[Item]) -> Signatures:
    """Signatures that an acquisition noted in the custody chain, or that lie among the evidence."""
    recorded: list[Recorded] = []
    for entry in custody.entries(case.custody):
        recorded += _signatures(entry, None, f"{case.custody.name}, entry {entry['seq']}")
    for item in in_evidence:
        data = content(case, item, LONGEST_RECORD)
        if isinstance(data, bytes):
            recorded += _signatures(json_in(data), _digest_name([item.source]), item.evidence_id)
    for where, answer in answers(case, acquired, SIGNATURE_MARK):
        recorded += _signatures(answer, None, where)
    return Signatures(recorded)


def _signatures(value: object, name: str | None, where: str) -> Iterator[Recorded]:
    """Every signature in a JSON value; what stands beside or above it says which digest file it is of."""
    waiting: list[tuple[object, str | None]] = [(value, name)]
    while waiting:
        node, known = waiting.pop()
        if isinstance(node, list):
            waiting += [(part, known) for part in node]
        elif isinstance(node, dict):
            known = _digest_name(node.values()) or known
            for key, part in node.items():
                if named := _digest_name([key]):
                    waiting.append((part, named))
                    if isinstance(part, str) and HEX.fullmatch(part):
                        yield Recorded(part.lower(), named, where)
                elif isinstance(part, dict | list):
                    waiting.append((part, known))
                elif _is_signature(key, node) and isinstance(part, str) and HEX.fullmatch(part):
                    yield Recorded(part.lower(), known, where)


def _is_signature(key: str, beside: Mapping[str, object]) -> bool:
    if key.lower() == "x-amz-meta-signature":
        return True
    return key.lower() == "signature" and any(name.lower() == "signature-algorithm" for name in beside)


def _digest_name(texts: Iterable[object]) -> str | None:
    """The name (without `.gz`) of the digest file that one of the texts names."""
    hits = (NAMED.search(text) for text in texts if isinstance(text, str) and len(text) <= LONGEST_NAME)
    return next((hit[0] for hit in hits if hit), None)
