"""What a successful change of an Azure resource opens, and to whom; and the host that the record shows.

Nothing here says that an exposure is wrong: many functions are meant to be public. What the record does not hold
is not said: a request without its body opens nothing here, whatever it did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from playbooks.scoping.clouds.cloud import OPENING_PHASES, Call
from playbooks.scoping.clouds.record_json import json_object, objects_at, plain_text, text_at, texts_at, values_at

ANYWHERE = frozenset({"any", "*", "0.0.0.0/0", "::/0", "internet"})
ENDPOINT_PATHS = (
    "properties.defaultHostName",
    "properties.configuration.ingress.fqdn",
    "properties.accessEndpoint",
    "properties.invoke_url_template",
    "properties.uri",
)
CALLBACK = "value"  # a callback URL that was read
HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.IGNORECASE)
Fact = Callable[[Call], str | None]


def exposure_of(call: Call) -> str | None:
    """What a successful call opens; null where it opens nothing."""
    if call.operation.phase not in OPENING_PHASES or call.operation.operation.lower().endswith("/delete"):
        return None
    told = (fact(call) for suffixes, fact in FACTS if call.operation.operation.lower().endswith(suffixes))
    return "; ".join(dict.fromkeys(words for words in told if words)) or None


def _anonymous(call: Call) -> str | None:
    """A function whose HTTP trigger asks for no key; its settings are an object, or the text of function.json."""
    settings = [*objects_at(call.request, "properties.config")]
    for files in objects_at(call.request, "properties.files"):
        settings += [json_object(text) for name, text in files.items() if name.lower().endswith("function.json")]
    for binding in (one for held in settings for one in objects_at(held, "bindings")):
        if (text_at(binding, "authLevel") or "").lower() == "anonymous":
            return "anyone may call its URL (authLevel anonymous)"
    return None


def _unrestricted(call: Call) -> str | None:
    for path in ("properties.ipSecurityRestrictions", "properties.siteConfig.ipSecurityRestrictions"):
        for rule in objects_at(call.request, path):
            allowed = (text_at(rule, "action") or "Allow").lower() == "allow"
            if allowed and (text_at(rule, "ipAddress") or "").lower() in ANYWHERE:
                return "its access restrictions let every address in"
    return None


def _without_sign_in(call: Call) -> str | None:
    required = values_at(call.request, "properties.globalValidation.requireAuthentication")
    action = text_at(call.request, "properties.globalValidation.unauthenticatedClientAction")
    switched_off = "/config/authsettings" in (call.logged_uid or "").lower() and False in values_at(
        call.request, "properties.enabled"
    )
    if False in required or action == "AllowAnonymous" or switched_off:
        return "it asks its callers for no sign-in (authentication settings)"
    return None


def _basic_publishing(call: Call) -> str | None:
    if True in values_at(call.request, "properties.allow"):
        return "whoever has its publishing password may deploy code (basic authentication allowed)"
    return None


def _webhook(_: Call) -> str | None:
    return "whoever has its URL may start the runbook (webhook)"


def _callback(_: Call) -> str | None:
    return "whoever has the URL that was read may run it (the signature stands in the URL)"


def _requested(call: Call) -> str | None:
    """A workflow that an HTTP request starts, from any address."""
    triggers = call.request.get("properties")
    starts = [
        text_at(trigger, "type") for held in objects_at(triggers, "definition.triggers") for trigger in held.values()
    ]
    limited = texts_at(triggers, "accessControl.triggers.allowedCallerIpAddresses.addressRange")
    if "Request" in starts and not limited:
        return "whoever has its signed URL may start it, from any address (trigger of type Request)"
    return None


def _external_ingress(call: Call) -> str | None:
    ingress = "properties.configuration.ingress"
    if True in values_at(call.request, f"{ingress}.external") and not values_at(
        call.request, f"{ingress}.ipSecurityRestrictions"
    ):
        return "it can be reached from the internet (external ingress)"
    return None


def _events_sent(call: Call) -> str | None:
    url = text_at(
        call.request,
        "properties.destination.properties.endpointUrl",
        "properties.destination.properties.endpointBaseUrl",
    )
    host = host_of(url)
    if host is None or is_ours(host, call.own.zones):
        return None
    return f"events go to {host}" + (", not in our zones" if call.own.zones else "")


def _foreign_principal(call: Call) -> str | None:
    """The principal's kind tells only of groups that they are of another tenant."""
    who = text_at(call.request, "properties.principalId")
    kind = text_at(call.request, "properties.principalType")
    abroad = text_at(call.request, "properties.delegatedManagedIdentityResourceId")
    if who is None or (kind != "ForeignGroup" and abroad is None):
        return None
    role = (text_at(call.request, "properties.roleDefinitionId") or "a role").rsplit("/", 1)[-1]
    return f"principal {who} of another tenant holds role {role}"


def _managed_from_abroad(call: Call) -> str | None:
    tenant = text_at(call.request, "properties.managedByTenantId") or text_at(
        call.response, "properties.managedByTenantId", "properties.registrationDefinition.properties.managedByTenantId"
    )
    if tenant is None or tenant.lower() in {one.lower() for one in call.own.azure_tenants}:
        return None
    return f"tenant {tenant}, not ours, may manage it (delegated resource management)"


def _federated(call: Call) -> str | None:
    issuer = text_at(call.request, "properties.issuer")
    subject = text_at(call.request, "properties.subject")
    return f"workloads of {issuer} may act as it (subject {subject or 'not told'})" if issuer else None


FACTS: tuple[tuple[tuple[str, ...], Fact], ...] = (
    (("/functions/write",), _anonymous),
    (("/sites/write", "/slots/write", "/config/write"), _unrestricted),
    (("/config/write",), _without_sign_in),
    (("basicpublishingcredentialspolicies/write", "/scm/write"), _basic_publishing),
    (("/webhooks/write",), _webhook),
    (("/listcallbackurl/action",), _callback),
    (("/workflows/write",), _requested),
    (("/containerapps/write",), _external_ingress),
    (("/eventsubscriptions/write",), _events_sent),
    (("/roleassignments/write",), _foreign_principal),
    (("/registrationdefinitions/write", "/registrationassignments/write"), _managed_from_abroad),
    (("/federatedidentitycredentials/write",), _federated),
)


def endpoint_of(call: Call) -> str | None:
    """Host that a successful call made or showed; null where the record shows none."""
    if call.operation.phase not in OPENING_PHASES:
        return None
    urls: Iterator[str] = (text for record in (call.response, call.request) for text in _urls(record))
    return next((host for host in map(host_of, urls) if host), None)


def _urls(record: dict[str, object]) -> Iterator[str]:
    for path in ENDPOINT_PATHS:
        yield from texts_at(record, path)
    yield from (text for text in texts_at(record, CALLBACK) if text.startswith("https://"))


def host_of(text: str | None) -> str | None:
    """Host of a URL or a bare host name, in lower case."""
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname if text else None
    except ValueError:
        return None
    return plain_text(host) if host and HOST.fullmatch(host) else None


def is_ours(host: str, zones: list[str]) -> bool:
    """Whether `host` lies in one of the house's zones."""
    names = [zone.lower().strip(".").removeprefix("*.") for zone in zones]
    return any(host == name or host.endswith(f".{name}") for name in names if name)
