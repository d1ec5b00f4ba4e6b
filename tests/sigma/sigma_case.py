"""A small case with records and rules, and what came of each rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from playbooks import evidence
from playbooks.case import Case, new_case, open_case
from playbooks.normalise import normalise
from playbooks.sigma import Outcome, SigmaRun, rule_files, run_sigma

AWS = "logsource: {product: aws, service: cloudtrail}\n"


def cloudtrail(second: int = 0, **fields: Any) -> dict[str, Any]:
    """A record as CloudTrail writes it; fields given replace or add to it."""
    record = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::111122223333:user/dana",
            "userName": "dana",
            "accountId": "111122223333",
        },
        "eventTime": f"2026-03-10T09:{second // 60:02d}:{second % 60:02d}Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "ListFunctions20150331",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.10",
        "userAgent": "aws-cli/2.15",
        "eventID": f"e-{second}",
        "recipientAccountId": "111122223333",
    }
    return {name: value for name, value in (record | fields).items() if value is not ...}


def rule(title: str, body: str, source: str = AWS, **said: str) -> str:
    """The text of a rule; `body` is everything from `detection:` or `correlation:` on."""
    more = "".join(f"{name}: {value}\n" for name, value in said.items())
    return f"title: {json.dumps(title)}\n{more}{source}{body}\n"


def case_of(
    folder: Path, records: Iterable[Mapping[str, Any]], rules: Mapping[str, str | bytes], name: str = "trail.json"
) -> Case:
    """A case with one log of JSON lines and a folder of rules, read and normalised."""
    log = folder / name
    log.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    (folder / "rules").mkdir()
    for file, text in rules.items():
        path = folder / "rules" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    case = new_case(folder / "case", "SIGMA")
    config = case.path / "case.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("sigma_rules: []", "sigma_rules: [../rules]"))
    case = open_case(case.path)
    evidence.add(case, [log])
    normalise(case)
    return case


def ran(case: Case) -> SigmaRun:
    return run_sigma(case, rule_files(case))


def matched(run: SigmaRun) -> dict[str, list[int]]:
    """Title of each rule that was brought → the numbers of the records that it fits."""
    found: dict[str, list[int]] = {one.title: [] for one in brought(run)}
    for row in run.matches.itertuples():
        if row.path.startswith("../"):
            found[row.title].append(int(row.ref.partition(":")[2]))
    return {title: sorted(numbers) for title, numbers in found.items()}


def brought(run: SigmaRun) -> list[Outcome]:
    """The outcomes of the rules that are not the kit's own."""
    return [one for one in run.outcomes if one.path.startswith("../")]


def by_title(run: SigmaRun) -> dict[str, Outcome]:
    return {one.title: one for one in brought(run)}
