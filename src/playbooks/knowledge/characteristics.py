"""Traits of publicly documented tools and of scripting clients, with where each can be seen.

A trait is one kind of signal and never a finding alone. A trait that the loaded telemetry cannot show is
not looked for; `fields` says which columns can show it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data

LONGEST_TEXT = 8192  # characters of a value that are looked at
STAGER_SUMS = (92, 93)  # of the path of a stager, 32 and 64 bit
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Characteristic:
    """One trait of a tool; `innocent_if` is printed beside every match."""

    __pydantic_config__ = STRICT
    id: str
    tool: str
    visible_in: tuple[Literal["dns", "sni", "url", "header", "tls", "process", "cloud-audit"], ...]
    fields: tuple[str, ...]
    regex: re.Pattern[str]
    examples: tuple[str, ...]
    strength: Literal["distinct", "weak", "hint"]
    innocent_if: str
    confidence: Literal["high", "medium", "low"]
    sources: tuple[str, ...]
    check: Literal["checksum8"] | None = None

    def fits(self, text: str) -> bool:
        """Whether a value of at most `LONGEST_TEXT` characters shows the trait."""
        return self.regex.search(text) is not None and (self.check is None or checksum8(text) in STAGER_SUMS)


@dataclass(frozen=True)
class Client:
    """A kind of program by its user agent; innocent by itself."""

    __pydantic_config__ = STRICT
    id: str
    client_kind: Literal["scripting"]
    regex: re.Pattern[str]
    examples: tuple[str, ...]
    sources: tuple[str, ...]
    confidence: Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Characteristics:
    """All traits, in the order of the file."""

    __pydantic_config__ = STRICT
    version: str
    characteristics: tuple[Characteristic, ...]
    clients: tuple[Client, ...]

    def seen_in(self, field: str, value: str) -> tuple[Characteristic, ...]:
        """Traits that `value`, the content of column `field`, shows."""
        text = value[:LONGEST_TEXT]
        return tuple(one for one in self.characteristics if field in one.fields and one.fits(text))

    @cached_property
    def by_id(self) -> Mapping[str, Characteristic]:
        """The traits by their id."""
        return {one.id: one for one in self.characteristics}

    def not_visible(self, fields: Collection[str]) -> tuple[Characteristic, ...]:
        """Traits of traffic that telemetry with only these columns cannot show."""
        of_traffic = (one for one in self.characteristics if one.visible_in != ("cloud-audit",))
        return tuple(one for one in of_traffic if not set(one.fields) & set(fields))

    def client(self, user_agent: str) -> Client | None:
        """The scripting client behind a user agent, or null: then it is a browser, an app or unknown."""
        text = user_agent[:LONGEST_TEXT]
        return next((one for one in self.clients if one.regex.search(text)), None)


def checksum8(url: str) -> int:
    """Sum of the characters behind the last slash, modulo 256: how a stager's URL names its architecture."""
    return sum(map(ord, url.rpartition("/")[2])) % 256


@cache
def load_characteristics() -> Characteristics:
    """The traits of this release, read once."""
    return TypeAdapter(Characteristics).validate_python(read_data("characteristics.yaml"))
