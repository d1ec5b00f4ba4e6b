"""The kit itself: which version, and exactly which code, made a result."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from playbooks import __version__


@cache
def fingerprint() -> str:
    """SHA-256 over version and code: results of other code are made anew, even under the same version."""
    digest = hashlib.sha256(__version__.encode())
    for name, content in _files(resources.files("playbooks"), ""):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _files(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = f"{prefix}/{entry.name}"
        if entry.is_dir() and not entry.name.startswith(("_", ".")):
            found += _files(entry, name)
        elif name.endswith((".py", ".yaml", ".j2")):
            found.append((name, entry.read_bytes()))
    return found
