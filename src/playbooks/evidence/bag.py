"""The bag of a case: BagIt (RFC 8493) with SHA-256 and SHA-512 manifests and tags filled from the case.

`sha256sum -c` and `bagit.py` check it without this kit.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path

from playbooks import __version__
from playbooks.case import Case
from playbooks.evidence.disk import write_durably

ALGORITHMS = ("sha256", "sha512")
BAGIT_TXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def manifest(file: Path) -> dict[str, str]:
    """Path → digest as a manifest states them; empty where there is none."""
    if not file.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def state_payload(bag: Path, digests: Mapping[str, Mapping[str, str]]) -> None:
    """Add payload files to both manifests. What stands there is kept as it is, so that a change of it shows.

    Parameters
    ----------
    bag
        Folder of the bag.
    digests
        Algorithm → (name below `data/` → digest).
    """
    for algorithm in ALGORITHMS:
        file = bag / f"manifest-{algorithm}.txt"
        before = file.read_bytes() if file.is_file() else b""
        lines = (f"{digest}  data/{name}\n".encode() for name, digest in digests[algorithm].items())
        known = set(before.splitlines(keepends=True))
        write_durably(file, before + b"".join(line for line in lines if line not in known))


def write_tags(case: Case, oxum: tuple[int, int]) -> None:
    """Write the tag files of a payload of so many bytes and files; the tag manifests fix them and the manifests."""
    bag = case.evidence
    (bag / "data").mkdir(parents=True, exist_ok=True)
    for algorithm in ALGORITHMS:
        (bag / f"manifest-{algorithm}.txt").touch()
    write_durably(bag / "bagit.txt", BAGIT_TXT.encode())
    write_durably(bag / "bag-info.txt", _info(case, *oxum).encode())
    for algorithm in ALGORITHMS:
        write_durably(bag / f"tagmanifest-{algorithm}.txt", tag_manifest(bag, algorithm).encode())


def _info(case: Case, size: int, files: int) -> str:
    config = case.config
    info = {
        "Bag-Size": f"{size} bytes",
        "Bag-Software-Agent": f"playbooks {__version__}",
        "Bagging-Date": dt.datetime.now(dt.UTC).date().isoformat(),
        "Contact-Name": config.analyst,
        "External-Description": config.title,
        "External-Identifier": config.case_id,
        "Payload-Oxum": f"{size}.{files}",
    }
    # a line end in a title would start a label of its own
    return "".join(f"{label}: {' '.join(value.split())}\n" for label, value in info.items() if value.strip())


def tag_manifest(bag: Path, algorithm: str) -> str:
    """The tag manifest that fits the tag files of a bag."""
    tags = ["bag-info.txt", "bagit.txt", *(f"manifest-{a}.txt" for a in ALGORITHMS)]
    return "".join(f"{hashlib.new(algorithm, (bag / tag).read_bytes()).hexdigest()}  {tag}\n" for tag in tags)
