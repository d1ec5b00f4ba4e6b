"""Traits of publicly documented tools and of scripting clients, with where each can be seen.

A trait is one kind of signal and never a finding alone. A trait that the loaded telemetry cannot show is
not looked for; `fields` says which columns can show it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data

LONGEST_TEXT = 8192  # characters of a value that are looked at
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Characteristic:
    """One trait of a tool; `innocent_if` is printed beside every match."""

    __pydantic_config__ = STRICT
    id: str
    tool: str
    visible_in: tuple[Literal["dns", "sni", "url", "header", "tls", "cloud-audit"], ...]
    fields: tuple[str, ...]
    regex: re.Pattern[str]
    examples: tuple[str, ...]
    strength: Literal["distinct", "weak"]
    innocent_if: str
    confidence: Literal["high", "medium", "low"]
    sources: tuple[str, ...]


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
        return tuple(one for one in self.characteristics if field in one.fields and one.regex.search(text) is not None)

    def client(self, user_agent: str) -> Client | None:
        """The scripting client behind a user agent, or null: then it is a browser, an app or unknown."""
        text = user_agent[:LONGEST_TEXT]
        return next((one for one in self.clients if one.regex.search(text)), None)


@cache
def load_characteristics() -> Characteristics:
    """The traits of this release, read once."""
    return TypeAdapter(Characteristics).validate_python(read_data("characteristics.yaml"))
