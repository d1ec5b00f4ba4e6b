"""Each role and user with all of its policies in evidence, and what is lacking to know its rights whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.knowledge.aws_rights import ManagedPolicy, load_aws_rights
from playbooks.scoping.clouds.aws_principals import arn_account
from playbooks.scoping.clouds.record_json import text_at
from playbooks.scoping.policies_in_evidence import Document, Held
from playbooks.scoping.policy_documents import Statement, read_policy

OF_AWS = "as AWS publishes it"  # beside the version; an answer of a version is called by that alone
WHOLE_ROLE = ("GetRole", "ListAttachedRolePolicies", "ListRolePolicies")


@dataclass(frozen=True)
class Identity:
    """A role or user: its policies in evidence (managed ones included) and what is lacking."""

    name: str
    kind: str
    account: str | None
    uid: str | None
    documents: tuple[Document, ...]
    lacking: tuple[str, ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Statements of policies that no record ended."""
        return tuple(held for one in self.documents if one.ended is None for held in one.policy.statements)

    @property
    def refs(self) -> tuple[str, ...]:
        """Records and answers that hold its policies."""
        return tuple(dict.fromkeys(ref for one in self.documents for ref in one.refs))


def identities(held: Held) -> list[Identity]:
    """Every role and user of which a policy is in evidence, by account, kind and name."""
    inline = [one for one in held.documents if one.use == "identity" and one.owner_type in ("role", "user")]
    owners = {(one.account, one.owner_type, one.owner) for one in inline} | {owner for owner, _ in held.attached}
    return [_identity(held, owner, inline) for owner in sorted(owners, key=str)]


def _identity(held: Held, owner: tuple[str | None, str, str], inline: list[Document]) -> Identity:
    account, kind, name = owner
    documents = [one for one in inline if (one.account, one.owner_type, one.owner) == owner]
    attached = {arn: link for (of, arn), link in held.attached.items() if of == owner}
    missing: list[str] = []
    for arn, link in sorted(attached.items()):
        found = _managed(held, arn, account)
        documents += [_as_attached(one, link) for one in found]
        if not any(_counts(held, one, arn) for one in found):
            published = load_aws_rights().published.get(arn)
            if published:
                documents.append(_as_attached(_published(published, account), link))
            elif link.ended is None:
                missing.append(f"the document of {arn}")
    lacking = [*_lacking(held, owner), *missing] if kind == "role" else missing
    uid = text_at(held.answers.get((account, "iam:GetRole", name), {}), "Role.Arn") if kind == "role" else None
    counted = tuple(one for one in documents if one.owner_type != "policy" or _counts(held, one, one.uid or ""))
    return Identity(name, kind, account, uid, counted, tuple(lacking))


def _managed(held: Held, arn: str, account: str | None) -> list[Document]:
    return [
        one
        for one in held.documents
        if one.owner_type == "policy" and one.uid == arn and one.account in (account, arn_account(arn))
    ]


def _published(one: ManagedPolicy, account: str | None) -> Document:
    """A policy of AWS whose document was not acquired, as the knowledge of this kit holds it."""
    name, policy = one.arn.rsplit("/", 1)[1], read_policy({"Statement": list(one.statements)})
    return Document(name, "policy", account, "identity", f"{OF_AWS} ({one.version})", policy, (), one.arn)


def _as_attached(one: Document, link: Document) -> Document:
    """A managed policy as one role has it: the attachment is evidence too, and may have ended."""
    refs = tuple(dict.fromkeys((*link.refs, *one.refs)))
    return Document(one.owner, one.owner_type, one.account, one.use, one.name, one.policy, refs, one.uid,
                    link.ended or one.ended)  # fmt: skip


def _counts(held: Held, one: Document, arn: str) -> bool:
    """Whether a version is the one that counts: set as default by a record, or said to be by an answer."""
    if one.name == "identity" or one.name.startswith(OF_AWS):
        return True
    asked = [(account, call, name) for account, call, name in held.answers if name in (arn, f"{arn}:{one.name}")]
    for key in asked:
        if key[1] == "iam:GetPolicy" and text_at(held.answers[key], "Policy.DefaultVersionId") == one.name:
            return True
        if key[1] == "iam:GetPolicyVersion" and _is_default(held.answers[key]):
            return key[2] == f"{arn}:{one.name}"
    return False


def _is_default(content: dict[str, object]) -> bool:
    version = content.get("PolicyVersion")
    return isinstance(version, dict) and str(version.get("IsDefaultVersion")).lower() == "true"


def _lacking(held: Held, owner: tuple[str | None, str, str]) -> Iterator[str]:
    """Answers without which a role's rights are not known whole."""
    account, _, name = owner
    for operation in WHOLE_ROLE:
        if (account, f"iam:{operation}", name) not in held.answers:
            yield operation
    listed = held.answers.get((account, "iam:ListRolePolicies", name), {}).get("PolicyNames")
    for policy in listed if isinstance(listed, list) else ():
        if (account, "iam:GetRolePolicy", f"{name}/{policy}") not in held.answers:
            yield f"GetRolePolicy of {policy}"
    for one in held.documents:
        if (one.account, one.owner_type, one.owner) == owner and one.use == "identity" and one.policy.fault:
            yield f"a readable document of {one.name}"
    if text_at(held.answers.get((account, "iam:GetRole", name), {}), "Role.PermissionsBoundary.PermissionsBoundaryArn"):
        yield "the effect of its permissions boundary, which is not compared"
