"""Whether a pattern fits a text: Python's for the kit's own patterns, RE2 for those of others."""

from __future__ import annotations

import re
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc


class Search(Protocol):
    """Whether a pattern fits a text, or the whole of it."""

    def __call__(self, pattern: str, text: str, whole: bool = False) -> bool: ...


def python_search(pattern: str, text: str, whole: bool = False) -> bool:
    """Whether a pattern fits, by the rules of Python."""
    return (re.fullmatch if whole else re.search)(pattern, text) is not None


def re2_search(pattern: str, text: str, whole: bool = False) -> bool:
    """Whether a pattern fits, in time linear to the text: patterns of own formats may come from a stranger."""
    plain = text.encode("utf-8", "replace").decode()
    pattern = rf"\A(?:{pattern})\z" if whole else pattern
    return bool(pc.match_substring_regex(pa.array([plain], pa.string()), pattern=pattern)[0].as_py())
