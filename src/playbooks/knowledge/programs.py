"""When two programs, or two destinations, are the same for counting who else has them."""

from __future__ import annotations

import re

# the part of a path that differs from user to user, on Windows, Linux and macOS
PROFILE = re.compile(r"^((?:[a-z]:)?[/\\](?:users|home|documents and settings)[/\\])[^/\\]+(?=[/\\])")
VERSION = re.compile(r"[0-9]+")
# second-level labels under which registries of countries delegate: `shop.co.uk` is one name, `co.uk` is none
SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "ne", "net", "or", "org"})
LONGEST_TEXT = 1024  # characters of a path that are looked at


def image(path: str) -> str:
    """A process image without what differs between users and versions: `c:\\users\\*\\app\\#.#\\app.exe`."""
    return VERSION.sub("#", PROFILE.sub(r"\1*", path[:LONGEST_TEXT].lower()))


def suffix(destination: str) -> str:
    """The registrable part of a name, as far as its labels tell; an address is its own."""
    labels = destination.split(".")
    if len(labels) < 3 or ":" in destination or labels[-1].isdigit():
        return destination
    country = len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL
    return ".".join(labels[-3 if country else -2 :])
