"""A small case as its results leave it: one finding outside, one that must not become an indicator, one within."""

from __future__ import annotations

from typing import Any

import pandas as pd

from playbooks import schema
from playbooks.exports import Material

CASE = "IR-1"
HOST = "sync.acme-4417.workers.dev"
SHARED = "api.everybody.example"
OURS = "hook.house.example"
SECRET = "hunter2hunter2"
HOSTILE = f"=cmd|'/c' \u202e\x1b[31m\r\n\t\"}}]; see https://a.example/x?token={SECRET}"
DIGEST = "ab" * 32


def entry(id: str, title: str, word: str = "moderate", **subjects: list[str]) -> dict[str, Any]:
    return {
        "id": id,
        "hypothesis": id[0],
        "title": title,
        "subjects": subjects,
        "first_seen": "2026-03-10T08:00:00+00:00",
        "last_seen": "2026-03-11T09:30:00.000123+00:00",
        "signals": [{"kind": "rhythm", "sentence": f"{title} often.", "weight": 0.4, "refs": ["E001:7", "E001:9"]}],
        "score": 0.61,
        "attack": ["T1102", "T1071.001"],
        "innocent_if": ["An updater does the same."],
        "argument": {"confidence": {"word": word, "because": "Kinds of signal: 2."}},
        "decision": None,
    }


def pair(dst: str, **facts: Any) -> dict[str, Any]:
    known = {"src": "10.20.3.17", "dst": dst, "connections": 1677, "ownership": "unknown", "catalogue_id": None}
    return dict.fromkeys(schema.EGRESS_PAIRS.names) | known | facts


def links(**facts: Any) -> dict[str, Any]:
    known = {"finding": "A-1", "time": pd.Timestamp("2026-03-10T08:00:00Z"), "who": "10.20.3.17", "entity": HOST}
    cited = {"relation": "contacted", "signal": "rhythm", "ref": "E001:7", "item_sha256": DIGEST}
    return dict.fromkeys(schema.LINKS.names) | known | cited | facts


def act(ref: str, **facts: Any) -> dict[str, Any]:
    """One row of `cloud_activity`: j.doe changed the code of a function in AWS."""
    known = {"ref": ref, "provider": "AWS", "service": "lambda.amazonaws.com", "phase": "modify-code"}
    done = {"operation": "UpdateFunctionCode20150331v2", "principal": "j.doe", "resource": "invoice-export"}
    whence = {"source_ip": "198.51.100.23", "user_agent": "aws-cli/2.24.9 md/command#lambda.update-function-code"}
    return dict.fromkeys(schema.CLOUD_ACTIVITY.names) | known | done | whence | facts


def material(**changes: Any) -> Material:
    found = {
        "findings": [
            entry("A-1", f"10.20.3.17 contacted {HOST}", "high", src=["10.20.3.17"], dst=[HOST, SHARED, OURS]),
            entry("B-2", HOSTILE, principal=["j.doe"], resource=["invoice-export"], src=["198.51.100.23"]),
        ],
        "leads": [entry("A-3", "a lead", "low", src=["10.20.3.18"], dst=["198.51.100.9"])],
        "outcomes": {
            "q1": {"title": "Who calls out?", "outcome": "found", "reason": "2 findings"},
            "q2": {"title": "Who ran it?", "outcome": "blind", "reason": "no record of runs"},
        },
    }
    timeline = [(pd.Timestamp("2026-03-10T08:00:00.000005Z"), "A-1", "first seen", HOSTILE, None)]
    given: dict[str, Any] = {
        "case_id": CASE,
        "title": "A suspicion",
        "tlp": "AMBER",
        "findings": found,
        "tables": {
            "egress_pairs": pd.DataFrame(
                [
                    pair(HOST, catalogue_id="cloudflare-workers", tenant="acme-4417"),
                    pair(SHARED, catalogue_id="everybody"),
                    pair(OURS, ownership="owned-approved"),
                ]
            ),
            "cloud_activity": pd.DataFrame([act("E001:7"), act("E001:8", operation="Invoke", phase="invoke")]),
            "timeline": pd.DataFrame(timeline, columns=list(schema.TIMELINE.names)),
            "links": pd.DataFrame([links(), links(time=pd.NaT, ref="E001:9")]),
        },
        "evidence": [{"evidence_id": "E001", "name": "proxy.log", "size": 3, "sha256": DIGEST, "added": "2026-03-12"}],
        "evidence_head": "cd" * 32,
    }
    return Material(**(given | changes))
