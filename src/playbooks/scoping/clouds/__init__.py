"""Who did what to which resource, cloud by cloud: the part of an audit record that no common column holds."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.knowledge.operations import Platform, platform_of
from playbooks.scoping.clouds.aws import AWS
from playbooks.scoping.clouds.azure import AZURE
from playbooks.scoping.clouds.cloud import ACTOR_COLUMNS, Actor, Call, Cloud, Facts, Principal
from playbooks.scoping.clouds.cloudflare import CLOUDFLARE
from playbooks.scoping.clouds.gcp import GCP
from playbooks.scoping.clouds.github import GITHUB
from playbooks.scoping.clouds.google_workspace import WORKSPACE
from playbooks.scoping.clouds.m365 import M365
from playbooks.scoping.clouds.other import OTHER

CLOUDS: Mapping[Platform, Cloud] = {
    "aws": AWS,
    "azure": AZURE,
    "cloudflare": CLOUDFLARE,
    "gcp": GCP,
    "github": GITHUB,
    "google_workspace": WORKSPACE,
    "m365": M365,
}


def cloud_of(provider: str | None) -> Cloud:
    """The module that knows the records of `provider`; for one that none knows, their plain columns."""
    platform = platform_of(provider) if provider else None
    return CLOUDS.get(platform, OTHER) if platform else OTHER


def principal_of(*actor: str | None) -> Principal:
    """The principal of one record, of `ACTOR_COLUMNS` in their order."""
    one = Actor(*actor)
    return cloud_of(one.provider).principal(one)


__all__ = ["ACTOR_COLUMNS", "CLOUDS", "Actor", "Call", "Cloud", "Facts", "Principal", "cloud_of", "principal_of"]
