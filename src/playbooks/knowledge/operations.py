"""Which audit operations matter for serverless code, and what phase of its life each belongs to.

Audit logs write AWS operations with the date of the API version behind them
(`CreateFunction20150331`, `UpdateFunctionCode20150331v2`); comparing by equality misses them, so every
comparison here is made on the base name, without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data

# Written for Python and for DuckDB: replacing a match by nothing gives the base name in SQL.
VERSION_SUFFIX = r"(20[0-9]{6}([vV][0-9]+)?|20[0-9]{2}_[0-9]{2}_[0-9]{2})$"

Platform = Literal["aws", "azure", "gcp", "m365", "google_workspace", "cloudflare", "alibaba", "github", "okta"]
Phase = Literal[
    "create",
    "modify-code",
    "modify-config",
    "permission",
    "trigger",
    "invoke",
    "identity",
    "defence-evasion",
    "discovery",
]
STRICT = ConfigDict(extra="forbid")

# Names that logs, tables and people use for a platform.
PLATFORM_NAMES: Mapping[str, Platform] = {
    "aws": "aws",
    "amazon": "aws",
    "amazon web services": "aws",
    "azure": "azure",
    "microsoft": "azure",
    "microsoft azure": "azure",
    "gcp": "gcp",
    "google": "gcp",
    "google cloud": "gcp",
    "google cloud platform": "gcp",
    "m365": "m365",
    "microsoft 365": "m365",
    "office 365": "m365",
    "google_workspace": "google_workspace",
    "google workspace": "google_workspace",
    "cloudflare": "cloudflare",
    "alibaba": "alibaba",
    "alibaba cloud": "alibaba",
    "github": "github",
    "okta": "okta",
}

_BASE_NAME = re.compile(r"(?P<base>[A-Za-z]+?)(20[0-9]{6}([vV][0-9]+)?|20[0-9]{2}_[0-9]{2}_[0-9]{2})?")
_GOOGLE_PREVIEW = re.compile(r"\.v([0-9]+)(?:alpha|beta)[0-9]*\.")


@dataclass(frozen=True)
class Operation:
    """One operation of one service.

    `logged_as` holds the spellings seen in records. `resource_keys` are dotted paths into the record at which
    the name or id of the resource stands, in order of preference. `logged_by_default` is null where no source
    says. `condition` must hold as well before the phase applies. `same_check_as` names the operation whose
    sources this row shares.
    """

    __pydantic_config__ = STRICT
    platform: Platform
    service: str
    operation: str
    logged_as: tuple[str, ...]
    phase: Phase
    resource_type: str | None
    resource_keys: tuple[str, ...]
    attack: tuple[str, ...]
    log_class: Literal["management", "data", "none"]
    logged_by_default: bool | None
    confidence: Literal["high", "medium", "low"]
    sources: tuple[str, ...]
    known_rules: tuple[str, ...] = ()
    condition: str | None = None
    same_check_as: str | None = None


def base_name(operation: str) -> str:
    """`operation` without the API version that AWS appends to it; any other text as it is."""
    found = _BASE_NAME.fullmatch(operation)
    return found["base"] if found else operation


def platform_of(provider: str) -> Platform | None:
    """The platform that a log or a person calls `provider`."""
    return PLATFORM_NAMES.get(provider.strip().lower())


def _lookup_name(operation: str) -> str:
    return _GOOGLE_PREVIEW.sub(r".v\1.", base_name(operation.strip())).lower()


def _lookup_service(service: str) -> str:
    return service.strip().lower().removesuffix(".amazonaws.com")


@dataclass(frozen=True)
class Operations:
    """All operations, in the order of the file."""

    __pydantic_config__ = STRICT
    version: str
    operations: tuple[Operation, ...]

    @cached_property
    def _index(self) -> Mapping[tuple[Platform, str], tuple[Operation, ...]]:
        index: dict[tuple[Platform, str], tuple[Operation, ...]] = {}
        for operation in self.operations:
            for name in {_lookup_name(text) for text in (operation.operation, *operation.logged_as)}:
                key = (operation.platform, name)
                index[key] = (*index.get(key, ()), operation)
        return index

    def find(self, provider: str, service: str | None, operation: str, base: str | None = None) -> Operation | None:
        """The operation a record names, or null where the catalogue does not hold it.

        Parameters
        ----------
        provider
            Platform as a log or table calls it (`AWS`, `Azure`, `GCP`, …).
        service
            `lambda.amazonaws.com` or `lambda`. On AWS it must agree when given, because different services
            use the same names (`CreateFunction` of Lambda and of CloudFront). Elsewhere it only decides
            between several candidates.
        operation
            As logged: any case, with or without version suffix.
        base
            The name that a format made where the logged one says too little (`update` of Cloudflare, `edit` of
            Drive): the column `api_operation_base`. It decides where the logged name finds nothing.
        """
        platform = platform_of(provider)
        if platform is None:
            return None
        found = self._named(platform, service, operation)
        return found if found or base is None or base == operation else self._named(platform, service, base)

    def _named(self, platform: Platform, service: str | None, operation: str) -> Operation | None:
        candidates = self._index.get((platform, _lookup_name(operation)), ())
        if service and (platform == "aws" or len(candidates) > 1):
            wanted = _lookup_service(service)
            candidates = tuple(one for one in candidates if _lookup_service(one.service) == wanted)
        return candidates[0] if len(candidates) == 1 else None

    def canonical_name(self, provider: str, service: str | None, operation: str) -> str:
        """Base name in the catalogue's case where the operation is known, else as the log writes it."""
        known = self.find(provider, service, operation)
        return known.operation if known else base_name(operation)


@cache
def load_operations() -> Operations:
    """The operations of this release, read once."""
    return TypeAdapter(Operations).validate_python(read_data("cloud_operations.yaml"))
