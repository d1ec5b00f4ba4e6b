"""What was collected of one account, as one item of the bag with its attachments and its act in the chain."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks import __version__
from playbooks.case import Case
from playbooks.evidence.acquire.answers import Acquired, Answer, AnswerFile, Outcome, keep
from playbooks.evidence.acquire.aws_client import USER_AGENT, Reply
from playbooks.evidence.acquire.aws_collect import SOURCE, Part
from playbooks.evidence.acquire.aws_plan import PLAN
from playbooks.evidence.acquire.earlier import Known, gone

GLOBAL = "global"
WINDOWED = frozenset((call.service, call.operation) for call in PLAN if call.windowed)


@dataclass(frozen=True)
class Profile:
    """One account to be asked, and who asks."""

    name: str | None
    regions: tuple[str, ...]
    account: str
    arn: str
    access_key_id: str
    identity: Reply


@dataclass(frozen=True)
class Brought:
    """What the jobs of one account brought, and what the case held of it before."""

    profile: Profile
    functions: tuple[str, ...]
    folder: Path
    parts: tuple[Part, ...]
    known: Mapping[str, Known]


def keep_account(case: Case, brought: Brought, started: dt.datetime, scope: Mapping[str, Any]) -> Acquired:
    """Join the parts, add what is gone, and put all of it into the bag.

    Parameters
    ----------
    case
        The case.
    brought
        What was collected.
    started
        When the acquisition began.
    scope
        What was wanted, for the custody chain.
    """
    profile = brought.profile
    stamp = started.strftime("%Y%m%dT%H%M%SZ")
    with AnswerFile(brought.folder / f"aws-{profile.account}-{stamp}.jsonl") as answers:
        answers.write(_identity(profile))
        for part in brought.parts:
            with part.file.open("rb") as lines:
                for raw in lines:
                    answers.add_raw(raw, json.loads(raw))
        for line in _gone(brought):
            answers.write(line)
    return keep(
        case,
        answers,
        [file for part in brought.parts for file in part.attachments],
        source=SOURCE,
        account=profile.account,
        started=started.isoformat(timespec="microseconds"),
        collector={"arn": profile.arn, "user_agent": USER_AGENT, "access_key_id": profile.access_key_id},
        tools=_tools(),
        scope=dict(scope),
    )


def _identity(profile: Profile) -> Answer:
    reply = profile.identity
    return Answer(
        SOURCE,
        "sts",
        "GetCallerIdentity",
        {},
        reply.asked,
        reply.answered,
        reply.outcome,
        region=GLOBAL,
        account=profile.account,
        resource=profile.arn,
        status=reply.status,
        error=reply.error,
        body=reply.body,
        parsed={name: reply.parsed[name] for name in ("Account", "Arn", "UserId") if name in reply.parsed} or None,
        more={"request_id": reply.request_id, "attempts": reply.attempts},
    )


def _gone(brought: Brought) -> list[Answer]:
    """Lines for what an earlier acquisition found and this one did not, though it looked everywhere it could be."""
    answered = {key for part in brought.parts for key in part.answered}
    asked = {key for part in brought.parts for key in part.asked}
    regions = {one.region for one in brought.known.values()} - {GLOBAL}
    everywhere = regions <= set(brought.profile.regions)
    looked_for = {key: one for key, one in brought.known.items() if _looked_for(one, brought.functions, everywhere)}
    now = dt.datetime.now(dt.UTC)
    return [
        Answer(
            SOURCE,
            one.service,
            one.operation,
            one.request,
            now,
            now,
            Outcome.GONE,
            region=one.region,
            account=brought.profile.account,
            resource=one.resource,
            more={"same_as": one.ref, "key": key, "parent": one.parent},
        )
        for key, one in ((key, brought.known[key]) for key in gone(looked_for, answered, asked))
    ]


def _looked_for(one: Known, functions: tuple[str, ...], everywhere: bool) -> bool:
    """Whether this acquisition would have met a thing: a role may be used by a function that was not asked about."""
    if (one.service, one.operation) in WINDOWED:
        return False
    if functions:
        return str(one.request.get("FunctionName", "")).partition(":")[0] in functions
    return everywhere or one.region != GLOBAL


def _tools() -> dict[str, str]:
    import boto3
    import botocore

    return {"playbooks": __version__, "boto3": boto3.__version__, "botocore": botocore.__version__}
