"""Findings and leads as OCSF Detection Findings (class 2004), one JSON object a line.

`time` is when the subject was last seen, not when somebody exported it. `severity_id` is 0 (unknown): the kit says how
much the records carry (`confidence_id`), not how bad it is. A lead is no alert.
Reference: OCSF 1.8, class Detection Finding.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from playbooks import __version__
from playbooks.exports.hosts import kind_of_host
from playbooks.exports.material import Made, Material
from playbooks.knowledge.attack import RELEASE, TECHNIQUES

OCSF = "1.8.0"
CLASS, CREATE = 2004, 1
KIND = {
    "class_uid": CLASS,
    "class_name": "Detection Finding",
    "category_uid": 2,
    "category_name": "Findings",
    "activity_id": CREATE,
    "activity_name": "Create",
    "type_uid": CLASS * 100 + CREATE,
    "type_name": "Detection Finding: Create",
}
CONFIDENCE = {"low": (1, "Low"), "moderate": (2, "Medium"), "high": (3, "High")}
NEW, IN_PROGRESS = (1, "New"), (2, "In Progress")
HOSTNAME, ADDRESS, USER = (1, "Hostname"), (2, "IP Address"), (4, "User Name")


def ocsf_lines(material: Material) -> Made:
    """One event for each finding, then for each lead."""
    told = [*material.told()]
    text = "".join(json.dumps(_event(one, found, material), ensure_ascii=True) + "\n" for found, one in told)
    findings = len(material.findings["findings"])
    return Made(text.encode("ascii"), f"{findings} findings and {len(told) - findings} leads")


def _event(entry: Mapping[str, Any], is_finding: bool, material: Material) -> dict[str, Any]:
    first, last = (_milliseconds(entry[edge]) for edge in ("first_seen", "last_seen"))
    confidence_id, confidence = CONFIDENCE[entry["argument"]["confidence"]["word"]]
    status_id, status = IN_PROGRESS if entry.get("decision") else NEW
    product = {"name": "playbooks", "vendor_name": "playbooks", "version": __version__}
    resources = [{"name": name} for name in entry["subjects"].get("resource", ())]
    return {
        **KIND,
        "time": last,
        "start_time": first,
        "end_time": last,
        "severity_id": 0,
        "severity": "Unknown",
        "status_id": status_id,
        "status": status,
        "confidence_id": confidence_id,
        "confidence": confidence,
        "is_alert": is_finding,
        "message": entry["title"],
        "metadata": {
            "version": OCSF,
            "product": product,
            "uid": material.id_of("ocsf", entry["id"]),
            "correlation_uid": material.case_id,
            "labels": [f"TLP:{material.tlp}", "finding" if is_finding else "lead"],
        },
        "finding_info": _info(entry, first, last),
        "evidences": [*_evidences(entry)],
        "observables": [*_observables(entry["subjects"])],
        **({"resources": resources} if resources else {}),
        "unmapped": {
            "score": entry["score"],
            "innocent_if": entry["innocent_if"],
            "evidence_head": material.evidence_head,
            "evidence_sha256": {one["evidence_id"]: one["sha256"] for one in material.cited(entry)},
        },
    }


def _milliseconds(stamp: str) -> int:
    return (dt.datetime.fromisoformat(stamp) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def _info(entry: Mapping[str, Any], first: int, last: int) -> dict[str, Any]:
    return {
        "uid": entry["id"],
        "title": entry["title"],
        "desc": entry["argument"]["confidence"]["because"],
        "types": [one["kind"] for one in entry["signals"]],
        "first_seen_time": first,
        "last_seen_time": last,
        "attacks": [_attack(name) for name in entry["attack"]],
    }


def _attack(id: str) -> dict[str, Any]:
    known = TECHNIQUES[id]
    kind = "sub_technique" if "." in id else "technique"
    return {kind: {"uid": id, "name": known.name}, "version": RELEASE}


def _evidences(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What each signal says, with its records; then who took part."""
    for one in entry["signals"]:
        yield {"name": one["kind"], "data": {"sentence": one["sentence"], "refs": one["refs"]}}
    for key, end in (("src", "src_endpoint"), ("dst", "dst_endpoint")):
        for value in entry["subjects"].get(key, ()):
            yield {end: {"ip" if kind_of_host(value).startswith("ip") else "hostname": value}}
    for name in entry["subjects"].get("principal", ()):
        yield {"actor": {"user": {"name": name}}}


def _observables(subjects: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    for key, end in (("src", "src_endpoint"), ("dst", "dst_endpoint")):
        for value in subjects.get(key, ()):
            is_address = kind_of_host(value).startswith("ip")
            type_id, type_name = ADDRESS if is_address else HOSTNAME
            name = f"evidences[].{end}.{'ip' if is_address else 'hostname'}"
            yield {"name": name, "type_id": type_id, "type": type_name, "value": value}
    for value in subjects.get("principal", ()):
        yield {"name": "evidences[].actor.user.name", "type_id": USER[0], "type": USER[1], "value": value}
