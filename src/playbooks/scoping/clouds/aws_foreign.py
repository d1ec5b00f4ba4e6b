"""What a change lets in or sends out: layers and images of other accounts, messages to hosts and mailboxes outside.

Layers that AWS publishes for everybody, and repositories of the house's accounts, are no strangers. A closing call
sends nothing.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playbooks.knowledge.aws_rights import load_aws_rights
from playbooks.knowledge.operations import Operation
from playbooks.scoping.clouds.aws_exposure import CLOSING_VERBS, House
from playbooks.scoping.clouds.aws_principals import arn_account
from playbooks.scoping.clouds.record_json import text_at, texts_at

IMAGE_PATHS = (
    *("code.imageUri", "imageUri", "sourceConfiguration.imageRepository.imageIdentifier"),
    *("containerDefinitions[].image", "containerProperties.image", "environment.image", "containers[].image"),
)
REGISTRY = re.compile(r"([0-9]{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/")
MAX_NAMED = 3  # layers or hosts in one sentence


def code_of_strangers(operation: Operation, request: dict[str, object], house: House) -> str | None:
    """Layers and images of accounts that are not the house's; null where there are none."""
    if operation.operation.startswith(CLOSING_VERBS):
        return None
    layers = [arn for arn in texts_at(request, "layers") if _is_strange(arn_account(arn), house)]
    images = [image for path in IMAGE_PATHS for image in texts_at(request, path)]
    strange = [image for image in images if (found := REGISTRY.match(image)) and house.is_foreign(found[1])]
    facts = [f"runs a layer of account {arn_account(arn)}, not ours ({arn})" for arn in layers[:MAX_NAMED]]
    facts += [f"runs an image of account {image[:12]}, not ours ({image})" for image in strange[:MAX_NAMED]]
    return "; ".join(facts) or None


def _is_strange(account: str | None, house: House) -> bool:
    return house.is_foreign(account) and account not in load_aws_rights().layers_of_aws


def sent_outside(request: dict[str, object], zones: frozenset[str]) -> str | None:
    """Host or mail domain outside the house's zones to which a subscription or API destination sends; else null."""
    protocol, endpoint = text_at(request, "protocol"), text_at(request, "endpoint")
    target = text_at(request, "invocationEndpoint")
    if protocol in ("http", "https"):
        target = endpoint
    elif protocol in ("email", "email-json") and endpoint and "@" in endpoint:
        target = f"//{endpoint.rsplit('@', 1)[1]}"
    host = _host(target)
    if host is None or any(host == zone or host.endswith(f".{zone}") for zone in (zone.lower() for zone in zones)):
        return None
    return f"messages go to {host} ({protocol or 'API destination'}), which is no zone of ours"


def _host(url: str | None) -> str | None:
    try:
        return urlsplit(url).hostname if url and "//" in url else None
    except ValueError:
        return None
