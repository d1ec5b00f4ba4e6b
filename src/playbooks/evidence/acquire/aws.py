"""Acquire from AWS, read-only: what is there of serverless functions and their audit log, as evidence.

One item of evidence per account and acquisition (JSON lines, see `answers`), with packages of code, pages
of `lookup-events` and files of CloudTrail as items beside it. What is asked stands in `aws_plan.PLAN`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.case_file import Window
from playbooks.errors import AllFailed, UsageError
from playbooks.evidence import preserve
from playbooks.evidence.acquire.answers import Acquired, Outcome, private_folder
from playbooks.evidence.acquire.aws_client import Account, Limits
from playbooks.evidence.acquire.aws_cloudtrail import bucket_and_prefixes
from playbooks.evidence.acquire.aws_collect import SOURCE, Job, Told, collect
from playbooks.evidence.acquire.aws_kept import GLOBAL, Brought, Profile, keep_account
from playbooks.evidence.acquire.aws_plan import LOOKUP_SOURCES, PLAN, TRAIL_CALLS, Call
from playbooks.evidence.acquire.aws_things import Thing, thing
from playbooks.evidence.acquire.earlier import earlier_answers
from playbooks.evidence.acquire.environment import environment_key

WORKERS = 8
FUNCTION = re.compile(r"(?:arn:[\w-]+:lambda:[\w-]+:\d{12}:function:)?([A-Za-z0-9_-]{1,140})(?::[\w$-]+)?")


@dataclass(frozen=True)
class Wanted:
    """What to acquire.

    Parameters
    ----------
    functions
        Names or ARNs; none means all of each region.
    regions
        Regions; none means the one of the profile, `all` every one that AWS has for Lambda.
    profiles
        Profiles of the AWS configuration, one an account; none means boto3's own choice.
    window
        For logs, metrics and `lookup-events`; None asks for none of them.
    logs
        Whether to take the log events of the functions.
    lookup
        Whether to ask CloudTrail's event history.
    trails
        `s3://bucket/prefix` of CloudTrail files.
    endpoint_url
        An endpoint instead of AWS, for tests.
    limits
        What an answer and an acquisition may take.
    """

    functions: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    window: Window | None = None
    logs: bool = True
    lookup: bool = False
    trails: tuple[str, ...] = ()
    endpoint_url: str | None = None
    limits: Limits = field(default_factory=Limits)

    def checked(self) -> Wanted:
        """The same with plain names of functions.

        Raises
        ------
        UsageError
            A name, a region, a location or the window is not usable.
        """
        for region in self.regions:
            if not re.fullmatch(r"all|[a-z]{2,4}(-[a-z]+)+-\d+", region):
                raise UsageError(f"--region {region!r}: expected a region such as eu-central-1, or all.")
        for location in self.trails:
            bucket_and_prefixes(location)
        if self.lookup and self.window is None:
            raise UsageError("lookup-events needs a window: state one in case.yaml, or --window-from and --window-to.")
        names = []
        for given in self.functions:
            if not (match := FUNCTION.fullmatch(given)):
                raise UsageError(f"--function {given!r}: expected the name or the ARN of a Lambda function.")
            names.append(match[1])
        return replace(self, functions=tuple(dict.fromkeys(names)))


def acquire_aws(
    case: Case, wanted: Wanted, executor: Executor | None = None, told: Told | None = None
) -> list[Acquired]:
    """Ask AWS, read-only, and put every answer into the bag.

    Parameters
    ----------
    case
        The case. Its `options.keep_environment_values` decides about values of environment variables.
    wanted
        What to acquire.
    executor
        Runs regions and accounts beside each other; threads of this process by default.
    told
        Called with what is asked about, from the threads that ask; leave it out with processes.

    Returns
    -------
    list of Acquired
        One per profile.

    Raises
    ------
    UsageError
        A profile, region, function, window or location is not usable.
    AllFailed
        Not one question was answered; the lines that say so are in the bag.
    """
    wanted = wanted.checked()
    profiles = [_profile(name, wanted) for name in wanted.profiles or (None,)]
    key = None if case.config.options.keep_environment_values else environment_key(case)
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder(case))
        workers = executor or stack.enter_context(_threads())
        started = dt.datetime.now(dt.UTC)
        brought = _brought(case, wanted, profiles, folder, key, workers, told)
        acquired = [keep_account(case, one, started, _scope(wanted, one.profile)) for one in brought]
    if not any(one.counts.keys() & {Outcome.ANSWERED, Outcome.ABSENT, Outcome.UNCHANGED} for one in acquired):
        first = next(iter(acquired))
        raise AllFailed(
            f"AWS answered nothing: {profiles[0].identity.error or 'see the reasons'} (all reasons in "
            f"{first.evidence_id}). Check credentials, network and policy, then acquire again."
        )
    return acquired


def planned(wanted: Wanted) -> list[Call]:
    """The calls of the plan that would be made; nothing is sent.

    Parameters
    ----------
    wanted
        What would be acquired.
    """
    scope = "named" if wanted.functions else "all"
    calls = [call for call in PLAN if call.scope in ("any", scope) and (wanted.window or not call.windowed)]
    leave = {name for name, taken in (("FilterLogEvents", wanted.logs), ("LookupEvents", wanted.lookup)) if not taken}
    return [
        Call("sts", "GetCallerIdentity", "account", "who asks, for the custody chain"),
        *(call for call in calls if call.operation not in leave),
        Call("s3", "GetObject", "package", "code behind the links that Lambda hands out; no right of S3 is needed"),
        *(TRAIL_CALLS if wanted.trails else ()),
    ]


@contextmanager
def _threads() -> Iterator[Executor]:
    """Threads that nobody waits for when the acquisition is broken off: they end with the folder."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _profile(name: str | None, wanted: Wanted) -> Profile:
    session = Account(name, None, wanted.endpoint_url, wanted.limits).session
    regions = wanted.regions or tuple(filter(None, (session.region_name,)))
    if "all" in regions:
        regions = tuple(session.get_available_regions("lambda"))
    if not regions:
        raise UsageError(f"profile {name or 'default'!r} names no region. State --region, or --region all.")
    account = Account(name, regions[0], wanted.endpoint_url, wanted.limits)
    identity = account.ask("sts", "GetCallerIdentity", {})
    said = {member: str(identity.parsed.get(member, "")) for member in ("Account", "Arn")}
    number = said["Account"] if re.fullmatch(r"\d{12}", said["Account"]) else f"unknown-{name or 'default'}"
    return Profile(name, tuple(dict.fromkeys(regions)), number, said["Arn"], account.access_key_id, identity)


def _brought(
    case: Case,
    wanted: Wanted,
    profiles: Sequence[Profile],
    folder: Path,
    key: bytes | None,
    workers: Executor,
    told: Told | None,
) -> list[Brought]:
    """All regions of all accounts beside each other, then what belongs to each account as a whole."""
    jobs: list[list[Job]] = []
    for number, one in enumerate(profiles):
        own = folder / str(number)
        own.mkdir()
        shared = _job(case, wanted, one, own, key)
        jobs.append([replace(shared, region=name, label=name, things=_seeds(wanted)) for name in one.regions])
    first = [[workers.submit(collect, job, told) for job in regional] for regional in jobs]
    for future in as_completed([future for futures in first for future in futures]):
        future.result()  # what stops one region (a full disk) stops all, and at once
    regions = [[future.result() for future in futures] for futures in first]
    second = []
    for regional, parts in zip(jobs, regions, strict=True):
        left = {named: parent for part in parts for named, parent in part.left}
        job = replace(regional[0], label=GLOBAL, things=tuple(left.items()), trails=wanted.trails)
        second.append(workers.submit(collect, job, told))
    wholes = [future.result() for future in second]
    return [
        Brought(one, wanted.functions, regional[0].folder, (*parts, whole), regional[0].known)
        for one, regional, parts, whole in zip(profiles, jobs, regions, wholes, strict=True)
    ]


def _job(case: Case, wanted: Wanted, profile: Profile, folder: Path, key: bytes | None) -> Job:
    return Job(
        profile.name,
        profile.account,
        "",
        "",
        folder,
        (),
        wanted.functions,
        wanted.window,
        wanted.logs,
        wanted.endpoint_url,
        wanted.limits,
        key,
        earlier_answers(case, SOURCE, profile.account),
        frozenset(item.sha256 for item in preserve.items(case)),
    )


def _seeds(wanted: Wanted) -> tuple[tuple[Thing, str], ...]:
    """What a region is asked about before any answer names more."""
    things = [thing("region", functions=",".join(wanted.functions))]
    things += [thing("function", function=name) for name in wanted.functions]
    if wanted.lookup:
        things += [thing("lookup", event_source=f"{service}.amazonaws.com") for service in LOOKUP_SOURCES]
    return tuple((one, "") for one in things)


def _scope(wanted: Wanted, profile: Profile) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "regions": list(profile.regions),
        "functions": list(wanted.functions) or "all",
        "window": wanted.window.model_dump(mode="json") if wanted.window else None,
        "logs": wanted.logs,
        "lookup": wanted.lookup,
        "trails": list(wanted.trails),
        "endpoint_url": wanted.endpoint_url,
    }
