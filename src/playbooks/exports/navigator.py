"""Techniques of findings as a layer of the ATT&CK Navigator.

The score of a technique is the number of findings it is named in; its comment names them. A technique says
"consistent with", not that ATT&CK detected anything.
Reference: ATT&CK Navigator, layer file format 4.5.
"""

from __future__ import annotations

import json
import re

from playbooks.exports.material import Made, Material
from playbooks.knowledge.attack import RELEASE

LAYER, NAVIGATOR = "4.5", "4.9.0"  # the format, and the first Navigator that reads it
COLOURS = ["#ffe766", "#ff6666"]


def navigator_layer(material: Material) -> Made:
    """One layer of the findings; leads stay out of it."""
    named: dict[str, list[str]] = {}
    for entry in material.findings["findings"]:
        for technique in entry["attack"]:
            named.setdefault(technique, []).append(entry["id"])
    said = {"case": material.case_id, "marking": f"TLP:{material.tlp}", "checked against": RELEASE}
    if material.evidence_head:
        said["custody chain when the last evidence was added"] = material.evidence_head
    answers = {one["title"]: f"{one['outcome']}: {one['reason']}" for one in material.findings["outcomes"].values()}
    layer = {
        "name": f"{material.case_id}: techniques of findings",
        "versions": {"attack": _version(), "navigator": NAVIGATOR, "layer": LAYER},
        "domain": "enterprise-attack",
        "description": f"{material.title} Findings are consistent with these techniques. A technique without score was "
        "not found; whether it could have been is said by the answers in the metadata.",
        "techniques": [
            {"techniqueID": technique, "score": len(ids), "comment": f"consistent with {', '.join(ids)}"}
            for technique, ids in sorted(named.items())
        ],
        "gradient": {"colors": COLOURS, "minValue": 0, "maxValue": max([1, *map(len, named.values())])},
        "metadata": [{"name": name, "value": value} for name, value in {**said, **answers}.items()],
    }
    leads = len(material.findings["leads"])
    text = json.dumps(layer, indent=1, ensure_ascii=True) + "\n"
    left_out = (f"{leads} leads: their techniques rest on one kind of signal",) if leads else ()
    return Made(text.encode("ascii"), f"{len(named)} techniques", left_out)


def _version() -> str:
    """The major version of ATT&CK, as the Navigator counts them."""
    found = re.search(r"v(\d+)", RELEASE)
    assert found is not None  # RELEASE is our own text
    return found[1]
