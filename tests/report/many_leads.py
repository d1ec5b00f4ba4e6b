"""Facts of a very large case: 10,000 leads, 10,000 destinations, hundreds of records."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from tests.report.fabricated import REF, activity, calm, finding, gap, pairs, resources

from playbooks.report import CaseFacts

MANY = 10_000


def large() -> CaseFacts:
    """A calm case with all of them."""
    facts = calm()
    leads = [
        finding(
            id=f"A-{number:08x}",
            title=f"10.1.{number % 250}.{number // 250} contacted app-{number}.workers.dev {number} times",
            subjects={"src": [f"10.1.{number % 250}.{number // 250}"], "dst": [f"app-{number}.workers.dev"]},
        )
        for number in range(MANY)
    ]
    row = pairs().iloc[0]
    many_pairs = pd.DataFrame(
        [row.to_dict() | {"src": one["subjects"]["src"][0], "dst": one["subjects"]["dst"][0]} for one in leads]
    )
    hours = pd.concat([facts.egress_hours.assign(dst=f"app-{number}.workers.dev") for number in range(250)])
    coverage = {**facts.coverage, "gaps": [gap(hours=number) for number in range(2_000)]}
    raw = {f"E002:{number}": {**facts.raw[REF], "text": f"{number} {'x' * 4_000}"} for number in range(1, 401)}
    return replace(
        facts,
        findings={**facts.findings, "leads": leads, "leads_total": MANY},
        pairs=many_pairs,
        activity=pd.concat([activity()] * 1_000, ignore_index=True),
        resources=pd.concat([resources()] * 1_000, ignore_index=True),
        egress_hours=hours,
        coverage=coverage,
        raw=facts.raw | raw,
    )
