"""What a policy document leaves wide open, as kinds and sentences: wildcards, PassRole, strangers, missing conditions.

Nothing here says that a wide policy was misused: many are wide from habit. Deny statements of the same set of
policies are taken into account and named. Conditions are read for their presence, not evaluated.
References: IAM User Guide, "The confused deputy problem", "Grant a user permissions to pass a role"; "Policy
elements" (NotAction, NotResource).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playbooks.scoping.clouds.aws_exposure import House
from playbooks.scoping.clouds.aws_principals import arn_account, is_account
from playbooks.scoping.policy_documents import ALLOW, SOURCE_KEYS, Statement, matches, verdict

PASSING = "iam:PassRole"
# Rights with which code is made to run as somebody else, or rights are taken; AWS names of actions.
CODE_RIGHTS = (
    *("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
    *("lambda:AddPermission", "lambda:CreateFunctionUrlConfig", "lambda:CreateEventSourceMapping"),
    *("lambda:InvokeFunction", "events:PutTargets", "scheduler:CreateSchedule", "states:CreateStateMachine"),
    *("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"),
    *("iam:CreateAccessKey", "iam:CreatePolicyVersion", "sts:AssumeRole", "cloudtrail:StopLogging"),
)
# Anybody gets tokens of a public issuer for a repository or pool of their own: one of these must be compared.
SUBJECT_KEYS = (":sub", ":repository", ":repository_id", ":repository_owner", ":project_path")
EXTERNAL_ID = ("sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn")
CALLER_KEYS = (*SOURCE_KEYS, *EXTERNAL_ID, "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:principalaccount")
MANY = 5  # shown of a list in a sentence


@dataclass(frozen=True)
class Weakness:
    """One thing that a statement leaves open: its kind, the right it is about, a sentence, what a Deny says of it."""

    kind: str
    right: str
    sentence: str
    denied: str | None = None


def of_identity(statements: Sequence[Statement]) -> Iterator[Weakness]:
    """Weaknesses of what a role or user may do; `statements` are those of all of its policies in evidence."""
    for one in statements:
        if one.effect == ALLOW:
            yield from _wide(one, statements)
            yield from _passing(one, statements)


def _wide(one: Statement, every: Sequence[Statement]) -> Iterator[Weakness]:
    for pattern in one.actions:
        kind = _width(pattern)
        if kind is None:
            continue
        where = _where(one)
        covered = [right for right in CODE_RIGHTS if matches(pattern, right)]
        named = f", {_some(covered)} among them" if covered and kind != "all_actions" else ""
        denied = next((told for right in covered if (told := verdict(every, right).denied)), None)
        yield Weakness(kind, pattern, f"may do {pattern} {where}{named}{_if(one)}", denied)
    if one.not_actions:
        text = f"may do everything except {_some(one.not_actions)} {_where(one)}{_if(one)}"
        yield Weakness("not_action", "*", text)
    if one.not_resources:
        rights = _some(one.actions or ("*",))
        yield Weakness("not_resource", rights, f"may do {rights} on everything except {_some(one.not_resources)}")
    plain = [action for action in one.actions if _width(action) is None]
    risky = [action for action in plain if one.everywhere and any(matches(action, right) for right in CODE_RIGHTS)]
    for action in risky:
        denied = verdict(every, action).denied
        yield Weakness("wildcard_resource", action, f"may do {action} on every resource{_if(one)}", denied)


def _width(pattern: str) -> str | None:
    service, colon, action = pattern.partition(":")
    if not service.strip("*") and not action.strip("*"):
        return "all_actions"
    if colon and not action.strip("*"):
        return "service_wildcard"
    return "action_wildcard" if "*" in pattern or "?" in pattern else None


def _passing(one: Statement, every: Sequence[Statement]) -> Iterator[Weakness]:
    if not one.covers(PASSING):
        return
    to = [value for held in one.conditions if held.key.lower() == "iam:passedtoservice" for value in held.values]
    limit = f"to {_some(to)}" if to else "to any service (no condition iam:PassedToService)"
    roles = "any role" if one.everywhere or one.not_resources else _some(one.resources)
    wide = one.everywhere or one.not_resources or any(resource.endswith("*") for resource in one.resources)
    kind = "pass_role_wide" if wide and not to else "pass_role"
    yield Weakness(kind, PASSING, f"may pass {roles} {limit}", verdict(every, PASSING).denied)


def of_resource(statements: Sequence[Statement], house: House, trust: bool) -> Iterator[Weakness]:
    """Weaknesses of who may use a thing: the trust policy of a role, or the policy of a function, key or bucket."""
    for one in statements:
        if one.effect == ALLOW:
            for kind, who in one.principals:
                yield from _let_in(one, kind, who, house, trust)
            if one.not_principals:
                yield Weakness("anyone", _some(one.actions), "lets in everybody except those that it names")


def _let_in(one: Statement, kind: str, who: str, house: House, trust: bool) -> Iterator[Weakness]:
    right = _some(one.actions) or ("sts:AssumeRole" if trust else "*")
    verb = "take the role" if trust else f"do {right}"
    account = who if is_account(who) else arn_account(who)
    if kind == "Service":
        if not trust and not one.has_condition(*SOURCE_KEYS):
            text = f"{who} may {verb} for any of its customers: neither aws:SourceArn nor aws:SourceAccount is compared"
            yield Weakness("condition_gap", right, f"{text} (confused deputy)")
    elif kind == "Federated":
        if who.startswith("arn:") and ":oidc-provider/" in who and not _compares_subject(one):
            issuer = who.rsplit(":oidc-provider/", 1)[1]
            text = f"any token of {issuer} may {verb}: no condition compares whose token it is (`sub`)"
            yield Weakness("condition_gap", right, text)
    elif who == "*":
        limited = one.has_condition(*CALLER_KEYS)
        text = f"anyone may {verb}{_if(one)}" if one.conditions else f"anyone may {verb}, without condition"
        yield Weakness("limited_anyone" if limited else "anyone", right, text)
    elif house.is_foreign(account):
        text = f"account {account}, not ours, may {verb} (principal {who}){_if(one)}"
        yield Weakness("cross_account", right, text)
        if trust and not one.has_condition(*EXTERNAL_ID):
            gap = f"account {account} may take the role without an external id (no condition sts:ExternalId)"
            yield Weakness("condition_gap", right, gap)


def _compares_subject(one: Statement) -> bool:
    """A condition on the subject that is more than a wildcard."""
    return any(
        held.key.lower().endswith(SUBJECT_KEYS) and any(value.strip("*") for value in held.values)
        for held in one.conditions
    )


def _where(one: Statement) -> str:
    if one.not_resources:
        return f"on everything except {_some(one.not_resources)}"
    return "on every resource" if one.everywhere else f"on {_some(one.resources)}"


def _if(one: Statement) -> str:
    keys = sorted({held.key for held in one.conditions})
    return f", with conditions on {_some(keys)}" if keys else ""


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - MANY} more" if len(texts) > MANY else ""
    return ", ".join(texts[:MANY]) + more
