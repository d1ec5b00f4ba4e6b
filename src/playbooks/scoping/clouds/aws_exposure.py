"""What a successful change opens, and to whom, as a short fact; and the host that it created.

A permission to one of the house's own accounts, or to an AWS service for a resource of the house, opens
nothing to strangers. Nothing here says that an exposure is wrong: many functions are meant to be public.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from playbooks.knowledge.operations import Operation
from playbooks.scoping.clouds.aws_principals import arn_account, is_account
from playbooks.scoping.clouds.cloud import OPENING_PHASES
from playbooks.scoping.clouds.record_json import json_object, plain_text, text_at, texts_at

CLOSING_VERBS = ("Delete", "Remove", "Disable", "Revoke", "Disassociate", "Detach")
POLICY_PATHS = ("policyDocument", "assumeRolePolicyDocument", "policy", "resourcePolicy", "attributes.Policy")
DESTINATION_PATHS = (
    "destinationArn",
    "targets[].arn",
    "target.arn",
    "destinationConfig.onSuccess.destination",
    "destinationConfig.onFailure.destination",
    "target",
    "NotificationConfiguration.CloudFunctionConfiguration[].CloudFunction",
    "NotificationConfiguration.QueueConfiguration[].Queue",
    "NotificationConfiguration.TopicConfiguration[].Topic",
)
ENDPOINT_PATHS = (
    "functionUrl",
    "apiEndpoint",
    "domainName",
    "distributionDomainName",
    "distribution.domainName",
    "graphqlApi.uris.GRAPHQL",
)
MAX_STATEMENTS = 50  # of one policy; AWS's size limits keep real ones below


@dataclass(frozen=True)
class House:
    """The accounts against which foreign is measured."""

    account: str | None  # the account that owns the resource
    own: frozenset[str]  # the accounts that the case lists as the house's
    zones: frozenset[str] = frozenset()  # its DNS zones

    def is_foreign(self, account: str | None) -> bool:
        """Whether `account` is known and not of the house."""
        return account is not None and account != self.account and account not in self.own


def exposure_of(
    operation: Operation, request: dict[str, object], response: dict[str, object], house: House
) -> str | None:
    """What a successful call opens beyond the house; null where it opens nothing."""
    if operation.phase not in OPENING_PHASES or operation.operation.startswith(CLOSING_VERBS):
        return None
    facts = (
        _granted(operation, request, response, house),
        _without_authentication(request, response),
        _by_policy(operation, request, house),
        _sent_abroad(request, house),
    )
    return "; ".join(fact for fact in facts if fact) or None


def _granted(operation: Operation, request: dict[str, object], response: dict[str, object], house: House) -> str | None:
    """A grant written as parameters, as Lambda's AddPermission and AddLayerVersionPermission do."""
    who = next((text for text in texts_at(request, "principal")), None)
    if who is None:
        return _by_statement(json_object(text_at(response, "statement")), house, "invoke")
    verb = "use the layer" if operation.resource_type == "layer" else _verb(text_at(request, "action"))
    auth = text_at(request, "functionUrlAuthType")
    if auth and verb == "invoke":
        verb = "call its URL"
    source = text_at(request, "sourceArn")
    limited_to = text_at(request, "sourceAccount") or arn_account(source)
    organization = text_at(request, "principalOrgID", "organizationId")
    if organization:
        return f"any account of organisation {organization} may {verb} (principal {who})"
    if limited_to:
        return _foreign_words(limited_to, verb, f"through principal {who}", house)
    if who == "*" and source:
        return f"whoever controls {source} may {verb} (principal *)"
    if who == "*":
        kind = f"principal *, authType {auth}" if auth else "principal *"
        return f"anyone {'with an AWS account ' if auth == 'AWS_IAM' else ''}may {verb} ({kind})"
    return _foreign_words(who, verb, f"principal {who}", house)


def _verb(action: str | None) -> str:
    short = (action or "").removeprefix("lambda:")
    return "invoke" if not short or short.startswith("Invoke") else f"do {short}"


def _foreign_words(who: str, verb: str, how: str, house: House) -> str | None:
    account = who if is_account(who) else arn_account(who)
    return f"account {account}, not ours, may {verb} ({how})" if house.is_foreign(account) else None


def _without_authentication(request: dict[str, object], response: dict[str, object]) -> str | None:
    if (text_at(request, "authType") or text_at(response, "authType")) == "NONE":
        return "its URL asks for no authentication (authType NONE)"
    if text_at(request, "authorizationType", "putMethodInput.authorizationType") == "NONE":
        return "its route asks for no authorisation (authorizationType NONE)"
    return None


def _by_policy(operation: Operation, request: dict[str, object], house: House) -> str | None:
    """A grant written as a policy document: trust policies of roles, policies of resources."""
    verb = "assume the role" if operation.resource_type == "role" else "act on it"
    for path in POLICY_PATHS:
        for statement in _statements(request.get(path)):
            fact = _by_statement(statement, house, verb)
            if fact:
                return fact
    return None


def _statements(policy: object) -> Iterator[dict[str, object]]:
    statements = json_object(policy).get("Statement")
    for one in (statements if isinstance(statements, list) else [statements])[:MAX_STATEMENTS]:
        if isinstance(one, dict):
            yield one


def _by_statement(statement: dict[str, object], house: House, verb: str) -> str | None:
    if statement.get("Effect") != "Allow":
        return None
    limits = ", with conditions" if statement.get("Condition") else ""
    for who in [*texts_at(statement, "Principal"), *texts_at(statement, "Principal.AWS")]:
        if who == "*":
            return f"anyone may {verb} (principal *{limits})"
        fact = _foreign_words(who, verb, f"principal {who}{limits}", house)
        if fact:
            return fact
    return None


def _sent_abroad(request: dict[str, object], house: House) -> str | None:
    for path in DESTINATION_PATHS:
        for arn in texts_at(request, path):
            if house.is_foreign(arn_account(arn)):
                return f"events go to account {arn_account(arn)}, not ours ({arn})"
    return None


def endpoint_of(operation: Operation, response: dict[str, object], region: str | None) -> str | None:
    """Host that a successful call created or showed: function URL, API, distribution; null otherwise."""
    if operation.operation in ("CreateRestApi", "ImportRestApi"):
        api = text_at(response, "id")
        return f"{api}.execute-api.{region}.amazonaws.com".lower() if api and region else None
    if operation.phase not in OPENING_PHASES:
        return None
    return _host(text_at(response, *ENDPOINT_PATHS))


def _host(text: str | None) -> str | None:
    """Host of a URL or a bare host name."""
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname if text else None
    except ValueError:
        return None
    return plain_text(host) if host and "." in host and " " not in host else None
