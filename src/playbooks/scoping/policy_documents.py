"""Policy documents of AWS as data: statements, and whether an action pattern covers an action.

A document is untrusted: it may be text, text that is URL-encoded (as IAM answers it), or an object; broken, huge or
oddly typed. What cannot be read says why, and gives no statement. Reference: IAM User Guide, "Policy grammar".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from playbooks.scoping.clouds.record_json import json_object, plain_text

MAX_DOCUMENT = 131_072  # characters; AWS takes at most 51,200 (an organisation policy), most far less
MAX_STATEMENTS = 200  # of one document
MAX_ITEMS = 200  # actions, resources or principals of one statement
MAX_PATTERN = 512  # characters of an action; the longest that AWS has are below 100
SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner")
ALLOW, DENY = "Allow", "Deny"


@dataclass(frozen=True)
class Condition:
    """One comparison of a statement: `StringEquals`, `aws:SourceAccount`, the values."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement. `principals` are (kind, who) pairs: (`AWS`, `*`), (`Service`, `sns.amazonaws.com`)."""

    effect: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[tuple[str, str], ...] = ()
    not_principals: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()

    def covers(self, action: str) -> bool:
        """Whether it speaks of an action, whatever its effect, resources and conditions."""
        if self.not_actions:
            return not any(matches(pattern, action) for pattern in self.not_actions)
        return any(matches(pattern, action) for pattern in self.actions)

    def has_condition(self, *keys: str) -> bool:
        """Whether a condition compares one of these keys (in lower case)."""
        return any(one.key.lower() in keys for one in self.conditions)

    @property
    def everywhere(self) -> bool:
        """Whether it names every resource."""
        return "*" in self.resources


@dataclass(frozen=True)
class Policy:
    """The statements of one document; `fault` says why some or all of it could not be read."""

    statements: tuple[Statement, ...]
    fault: str | None = None


def read_policy(document: object) -> Policy:
    """The statements of a document in whatever shape a record or an answer holds it."""
    if isinstance(document, str):
        if len(document) > MAX_DOCUMENT:
            return Policy((), f"longer than {MAX_DOCUMENT:,} characters, which AWS takes for no policy")
        document = unquote(document) if document.lstrip()[:3].upper() == "%7B" else document
    content = json_object(document)
    if not content:
        return Policy((), "no JSON object")
    found = content.get("Statement")
    statements = found if isinstance(found, list) else [found]
    kept = (one for one in statements[:MAX_STATEMENTS] if isinstance(one, dict))
    read = tuple(_statement(one) for one in kept if one.get("Effect") in (ALLOW, DENY))
    if len(read) < len(statements):
        return Policy(read, f"{len(statements) - len(read)} of {len(statements)} statements are none that AWS takes")
    return Policy(read)


def _statement(one: dict[str, object]) -> Statement:
    return Statement(
        effect=str(one["Effect"]),
        actions=_texts(one.get("Action")),
        not_actions=_texts(one.get("NotAction")),
        resources=_texts(one.get("Resource")),
        not_resources=_texts(one.get("NotResource")),
        principals=tuple(_principals(one.get("Principal"))),
        not_principals=tuple(_principals(one.get("NotPrincipal"))),
        conditions=tuple(_conditions(one.get("Condition"))),
    )


def _texts(value: object) -> tuple[str, ...]:
    values = value[:MAX_ITEMS] if isinstance(value, list) else [value]
    return tuple(text for text in map(plain_text, values) if text)


def _principals(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for kind, who in list(value.items())[:MAX_ITEMS]:
            yield from ((str(kind), one) for one in _texts(who))
    else:
        yield from (("AWS", one) for one in _texts(value))


def _conditions(value: object) -> Iterator[Condition]:
    for operator, tested in list(value.items())[:MAX_ITEMS] if isinstance(value, dict) else ():
        for key, values in list(tested.items())[:MAX_ITEMS] if isinstance(tested, dict) else ():
            yield Condition(plain_text(operator) or "", plain_text(key) or "", _texts(values))


def matches(pattern: str, text: str) -> bool:
    """Whether an action pattern (`*` any text, `?` one character; case has no meaning) covers `text`.

    Each star is left once and never returned to, so that a hostile pattern costs no more than its length times the
    text's; one longer than any action covers none.
    """
    if len(pattern) > MAX_PATTERN or len(text) > MAX_PATTERN:
        return False
    pattern, text = pattern.lower(), text.lower()
    at = place = resume = 0
    star = -1
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume, at = at, place, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


@dataclass(frozen=True)
class Verdict:
    """What policies say of one action: whether some allow it, and whether a Deny covers it."""

    allowed: bool
    denied: str | None


def verdict(statements: Iterable[Statement], action: str) -> Verdict:
    """Whether statements allow an action on some resource, and what a Deny takes from it.

    A Deny on every resource without condition takes all; any other may take some, which the records cannot tell.
    """
    held = [one for one in statements if one.covers(action)]
    denying = [one for one in held if one.effect == DENY]
    whole = any(one.everywhere and not one.conditions and not one.not_resources for one in denying)
    words = (
        "denied everywhere by a Deny" if whole else "a Deny covers some resources or conditions" if denying else None
    )
    return Verdict(any(one.effect == ALLOW for one in held) and not whole, words)
