"""Values of environment variables: hidden before an answer is written, so that no secret enters the bag.

Names are kept, each value becomes `hmac-sha256:<hex>`, keyed with 32 random bytes of the case. Why keyed:
a plain digest of a short secret is found by trying, and equal secrets of two cases would show. With a key
of the case, equal values are seen as equal inside the case (and over acquisitions: a rotated secret shows),
and somebody who holds the key can show that a value they know is the one. The key stands beside the bag,
in `.environment-key`, not in it: leave it out when evidence is handed on.

What this does not hide: the SHA-256 of the body as received stands in the same line, and the rest of that
body is known. Whoever holds the line can test a guess against it. A long random value cannot be guessed; a
short or common one can. Every value that a function under suspicion could read has to be replaced anyway.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.errors import CaseError

KEY_FILE = ".environment-key"
KEY_BYTES = 32
PREFIX = "hmac-sha256:"


def environment_key(case: Case) -> bytes:
    """The key of the case, made at first use and readable by its owner only.

    Raises
    ------
    CaseError
        The file holds no key.
    """
    file = case.path / KEY_FILE
    if not file.exists():
        _write_once(file)
    key = file.read_bytes()
    if len(key) != KEY_BYTES:
        raise CaseError(
            f"{file}: expected {KEY_BYTES} bytes, found {len(key)}. Restore it, or remove it for a new one."
        )
    return key


def _write_once(file: Path) -> None:
    """Another acquisition may make one at the same moment: the first one counts."""
    staged = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        if not file.exists():
            try:
                os.link(staged, file)
            except FileExistsError:
                return
    finally:
        staged.unlink(missing_ok=True)


def hidden(body: bytes, key: bytes) -> tuple[bytes | None, str]:
    """A body of Lambda without the values of environment variables.

    Parameters
    ----------
    body
        The answer as received.
    key
        The key of the case.

    Returns
    -------
    tuple
        What may be stored, None where nothing may; and what was done to it, empty where nothing was.
    """
    if b"Environment" not in body and b"\\u" not in body:
        return body, ""
    try:
        answer = json.loads(body, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        return None, "not stored: it is not the JSON of a service, and may hold values of environment variables"
    count = _hide(answer, key)
    if not count:
        return body, ""
    text = json.dumps(answer, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii"), f"{count} values of environment variables hashed, names kept"


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two equal names a reader would take one, and a value would hide behind the other."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _hide(answer: Any, key: bytes) -> int:
    """Hash the values in place, wherever in the answer `Environment` stands; gives their number."""
    count = 0
    todo = [answer]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            environment = node.get("Environment")
            if isinstance(environment, dict) and "Variables" in environment:
                environment["Variables"], hashed = _hashed(environment["Variables"], key)
                count += hashed
            todo += [value for name, value in node.items() if name != "Environment"]
    return count


def _hashed(variables: Any, key: bytes) -> tuple[Any, int]:
    if isinstance(variables, dict):
        return {name: _digest(value, key) for name, value in variables.items()}, len(variables)
    return (variables, 0) if variables is None else (_digest(variables, key), 1)


def _digest(value: Any, key: bytes) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return PREFIX + hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
