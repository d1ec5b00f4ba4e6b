"""Which destinations of a finding are passed on as indicators, and in what words: shared by several forms."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playbooks.exports.material import Material

if TYPE_CHECKING:
    import pandas as pd


BY_PATH = "path"  # the name serves every customer; the path of a request tells whose it is


def kind_of_host(value: str) -> str:
    """The STIX type of an address or a name; empty for what is neither, a fingerprint say."""
    try:
        return f"ipv{ipaddress.ip_address(value).version}-addr"
    except ValueError:
        return "" if ":" in value or not value else "domain-name"


def pairs_of(entry: Mapping[str, Any], pairs: pd.DataFrame) -> pd.DataFrame:
    """The rows of `egress_pairs` between the sources and destinations of a finding."""
    subjects = entry["subjects"]
    return pairs[pairs.src.isin(subjects.get("src", [])) & pairs.dst.isin(subjects.get("dst", []))]


def listed(cell: Any) -> list[str]:
    """A cell that holds a list, or nothing, as a list."""
    return [] if cell is None or isinstance(cell, float) else list(cell)


def why_none(rows: pd.DataFrame) -> str:
    """Why a destination is no indicator; empty where it is one."""
    if rows.empty:
        return "no row of egress_pairs says whose it is"
    if rows.ownership.fillna("").str.startswith("owned").any():
        return "it is ours"
    if (rows.catalogue_id.notna() & (rows.tenant.isna() | (rows.matched_by == BY_PATH))).any():
        return "the host serves every customer of its provider"
    return ""


def grounds(entry: Mapping[str, Any], material: Material) -> str:
    """Signals with their records, confidence, and digests of the items: one fact a line."""
    lines = [f"{one['kind']}: {one['sentence']} [{', '.join(one['refs'])}]" for one in entry["signals"]]
    told = entry["argument"]["confidence"]
    lines.append(f"Confidence {told['word']}: {told['because']}")
    lines += [f"{one['evidence_id']}: {one['name']}, SHA-256 {one['sha256']}" for one in material.cited(entry)]
    if material.evidence_head:
        lines.append(f"Custody chain when the last evidence was added: {material.evidence_head}")
    return "\n".join(" ".join(line.split()) for line in lines)
