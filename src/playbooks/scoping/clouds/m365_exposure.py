"""What a change in Microsoft 365 or Power Platform opens to somebody outside: forwarding, sharing, delegation.

Whose an address is, the case says with its own zones; a case without zones cannot call one foreign, and the words
then do not either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.scoping.clouds.azure_exposure import is_ours
from playbooks.scoping.clouds.cloud import Call
from playbooks.scoping.clouds.record_json import LISTED, json_record, objects_at, text_at, texts_at

ADDRESS = re.compile(r"[^\s;,:<>\"'\[\]()]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Parameters of Exchange's cmdlets that send mail on, and those that let somebody in.
SENDS_ON = (
    *("forwardingsmtpaddress", "forwardingaddress", "forwardto", "redirectto", "forwardasattachmentto"),
    *("redirectmessageto", "blindcopyto", "copyto", "addtorecipients", "journalemailaddress"),
)
LETS_IN = ("user", "trustee")
SHARED_WITH = ("recipientupn", "targetuser.principal_name", "targetuser.id")
GUEST = "#ext#"  # in the name of an account of another tenant
MAX_NAMED = 5  # addresses in one sentence


def exposure_of(call: Call) -> str | None:
    """What a successful call opens; null where it opens nothing to anybody outside."""
    if call.operation.operation == "AnonymousLinkCreated":
        return "whoever has its link may open it"
    if call.operation.operation == "AdminSetAppBypassConsent":
        return "its users are no longer asked before it uses their connections"
    told = parameters(call)
    facts = (
        _to_strangers(call, [*_addresses(told, SENDS_ON), *_rule_recipients(told)], "mail goes to"),
        _to_strangers(call, list(_addresses(told, LETS_IN)), "it may be opened by"),
        _to_strangers(call, list(_addresses(told, SHARED_WITH)), "it is shared with"),
    )
    return "; ".join(fact for fact in facts if fact) or None


def parameters(call: Call) -> dict[str, str]:
    """Names, in lower case, and values of a cmdlet's parameters or a record's properties; the first counts."""
    found: dict[str, str] = {}
    for one in objects_at(call.request, LISTED):
        name, value = text_at(one, "Name"), text_at(one, "Value")
        if name and value:
            found.setdefault(name.lower(), value)
    for name in call.request:
        value = text_at(call.request, name) if name != LISTED and "." not in name else None
        if value:
            found.setdefault(name.lower(), value)
    return found


def _addresses(told: dict[str, str], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from ADDRESS.findall(told.get(name, ""))


def _rule_recipients(told: dict[str, str]) -> Iterator[str]:
    """Recipients of a rule that a mail program wrote: its actions are JSON in one property."""
    for action in objects_at(json_record(told.get("ruleactions")), LISTED):
        if (text_at(action, "ActionType") or "") in ("Forward", "Redirect", "ForwardAsAttachment"):
            for text in texts_at(action, "Recipients"):
                yield from ADDRESS.findall(text)


def _to_strangers(call: Call, addresses: list[str], words: str) -> str | None:
    zones = call.own.zones
    foreign = sorted({one.lower() for one in addresses if not _is_ours(one.lower(), zones)})
    if not foreign:
        return None
    more = f" and {len(foreign) - MAX_NAMED} more" if len(foreign) > MAX_NAMED else ""
    return f"{words} {', '.join(foreign[:MAX_NAMED])}{more}" + (", not in our zones" if zones else "")


def _is_ours(address: str, zones: list[str]) -> bool:
    return GUEST not in address and is_ours(address.rpartition("@")[2], zones)
