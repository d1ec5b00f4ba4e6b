"""Who stands behind an audit record: the person or pipeline, not the key or session it used.

The fields are AWS's (CloudTrail user guide, "userIdentity element"); a kind of principal that is not known
here is shown as logged.
"""

from __future__ import annotations

from dataclasses import dataclass

# Columns of `api_activity` that say who acted, in the order of `principal_of`.
ACTOR_COLUMNS = (
    "actor_user_type",
    "actor_user_name",
    "actor_user_uid",
    "actor_session_issuer",
    "actor_invoked_by",
    "cloud_account_uid",
)
# IAM Identity Center names its roles so, and the session after the person; nobody can choose either.
PERSON_ROLE = "AWSReservedSSO_"


@dataclass(frozen=True)
class Principal:
    """Who acted. `via` is the session or service in between; a null `name` means the record names nobody."""

    name: str | None
    kind: str | None
    via: str | None


def principal_of(
    kind: str | None,
    name: str | None,
    uid: str | None,
    issuer: str | None,
    invoked_by: str | None,
    account: str | None,
) -> Principal:
    """The principal of one record.

    An assumed role is named by its role, because whoever assumes it chooses the session's name; a role of
    IAM Identity Center by its person; a federated user by the user who asked for the session. A principal
    of another account than the resource's is written `account:name`, so that a namesake stays a stranger
    and no allow-list entry such as `ci-*` covers it.

    Parameters
    ----------
    kind, name, uid, issuer, invoked_by
        Columns `actor_user_type`, `actor_user_name`, `actor_user_uid`, `actor_session_issuer`,
        `actor_invoked_by` of the record.
    account
        Account that owns the resource.
    """
    who, session = _name_and_session(kind, name, uid, issuer, invoked_by)
    home = arn_account(issuer) or arn_account(uid)
    if who and home and account and home != account:
        who = f"{home}:{who}"
    service = f"by {invoked_by}" if invoked_by and invoked_by != who else None
    return Principal(who, kind, ", ".join(part for part in (session, service) if part) or None)


def _name_and_session(
    kind: str | None, name: str | None, uid: str | None, issuer: str | None, invoked_by: str | None
) -> tuple[str | None, str | None]:
    last = _last_part(uid)
    if kind == "AssumedRole":
        role = _last_part(issuer) or _role_in(uid) or name
        if role and role.startswith(PERSON_ROLE) and last:
            return last, f"role {role}"
        return role or uid, f"session {last}" if last else None
    if kind == "FederatedUser":
        return _last_part(issuer) or name or uid, f"federated user {last}" if last else None
    if kind == "Root":
        return "root", None
    if kind == "AWSService":
        return invoked_by or name or uid, None
    if kind == "IAMUser":
        return name or last or uid, None
    return name or uid or invoked_by, None


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
