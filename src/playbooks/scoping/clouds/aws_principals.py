"""Who stands behind an audit record: the person or pipeline, not the key or session it used.

The fields are AWS's (CloudTrail user guide, "userIdentity element"); a kind of principal that is not known
here is shown as logged.
"""

from __future__ import annotations

from playbooks.scoping.clouds.cloud import Actor, Principal

# IAM Identity Center names its roles so, and the session after the person; nobody can choose either.
PERSON_ROLE = "AWSReservedSSO_"
PERSON_SESSION = f"role {PERSON_ROLE}"
# Kinds of identity that are a user's own, or that a user asked for (CloudTrail user guide, "userIdentity element").
USERS = frozenset({"IAMUser", "Root", "FederatedUser", "IdentityCenterUser", "SAMLUser", "WebIdentityUser"})


def principal_of(actor: Actor) -> Principal:
    """The principal of one record.

    An assumed role is named by its role, because whoever assumes it chooses the session's name; a role of
    IAM Identity Center by its person; a federated user by the user who asked for the session. A principal
    of another account than the resource's is written `account:name`, so that a namesake stays a stranger
    and no allow-list entry such as `ci-*` covers it.
    """
    who, session = _name_and_session(actor)
    home = arn_account(actor.issuer) or arn_account(actor.uid)
    if who and home and actor.account and home != actor.account:
        who = f"{home}:{who}"
    service = f"by {actor.invoked_by}" if actor.invoked_by and actor.invoked_by != who else None
    via = ", ".join(part for part in (session, service) if part) or None
    return Principal(who, actor.kind, via, _is_user(actor, session))


def _is_user(actor: Actor, session: str | None) -> bool | None:
    if actor.kind is None:
        return None
    return actor.kind in USERS or (actor.kind == "AssumedRole" and bool(session and session.startswith(PERSON_SESSION)))


def _name_and_session(actor: Actor) -> tuple[str | None, str | None]:
    kind, name, uid, issuer, invoked_by = actor.kind, actor.name, actor.uid, actor.issuer, actor.invoked_by
    last = _last_part(uid)
    if kind == "AssumedRole":
        role = _last_part(issuer) or _role_in(uid) or name
        if role and role.startswith(PERSON_ROLE) and last:
            return last, f"role {role}"
        return role or uid, f"session {last}" if last else None
    if kind == "FederatedUser":
        asked_by = _last_part(issuer) or name
        return asked_by or last or uid, f"federated user {last}" if asked_by and last else None
    if kind == "Root":
        return "root", None
    if kind == "AWSService":
        return invoked_by or name or uid, None
    if kind == "IAMUser":
        return name or last or uid, None
    return name or last or uid or invoked_by, None


def arn_account(text: str | None) -> str | None:
    """Account number of an ARN; null for anything else."""
    parts = text.split(":", 5) if text and text.startswith("arn:") else []
    return parts[4] if len(parts) == 6 and is_account(parts[4]) else None


def is_account(text: str) -> bool:
    """Whether `text` is an AWS account number."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def _last_part(arn: str | None) -> str | None:
    if not arn or not arn.startswith("arn:") or "/" not in arn:
        return None
    return arn.rsplit("/", 1)[1] or None


def _role_in(arn: str | None) -> str | None:
    """Role of `arn:aws:sts::123456789012:assumed-role/ROLE/SESSION`, for records without an issuer."""
    _, found, rest = (arn or "").partition(":assumed-role/")
    return rest.split("/", 1)[0] or None if found else None
