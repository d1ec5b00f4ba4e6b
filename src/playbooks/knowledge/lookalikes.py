"""Whether a label of a name looks like the name of a house: by its letters, by one edit, or by words around it.

Reference: Unicode Technical Standard #39, section 4, confusable detection (skeletons), with the pairs that ASCII itself
offers (`rn` for m, `vv` for w, 0 for o, 1 for l).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from playbooks.knowledge.data import read_data

SHORTEST_FOR_EDITS = 5  # letters of a brand: in shorter ones one edit makes another word
ASCII_PAIRS = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"))


@dataclass(frozen=True)
class Likeness:
    """How a label resembles a brand: `homoglyph`, `one_edit` or `brand_in_name`, with a sentence."""

    kind: str
    brand: str
    sentence: str


@cache
def _confusables() -> dict[int, str]:
    listed = TypeAdapter(dict[str, dict[str, str]]).validate_python(read_data("confusables.yaml"))["confusables"]
    return {ord(char): plain for plain, several in listed.items() for char in several}


def decoded(label: str) -> str:
    """A label as people see it; one that is no punycode, or cannot be decoded, stays as it is."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


def skeleton(text: str) -> str:
    """What a text looks like: marks taken off, other scripts in ASCII, pairs that pass for one letter joined."""
    told = unicodedata.normalize("NFKD", text.translate(_confusables()).lower())
    plain = "".join(char for char in told if not unicodedata.combining(char)).translate(_confusables())
    for pair, letter in ASCII_PAIRS:
        plain = plain.replace(pair, letter)
    return plain


def likeness(label: str, brand: str) -> Likeness | None:
    """How a label resembles a brand; null where it does not. A label that is the brand itself is `brand_in_name`."""
    seen, brand = decoded(label.lower()), brand.lower()
    if seen == brand:
        return Likeness("brand_in_name", brand, f"the label {seen} is our name {brand}")
    words = re.split(r"[-_]", seen)
    if brand in words or (len(brand) >= SHORTEST_FOR_EDITS and brand in seen):
        return Likeness("brand_in_name", brand, f"the label {seen} holds our name {brand} with something added")
    if seen.replace("-", "") == brand.replace("-", ""):
        return Likeness("one_edit", brand, f"the label {seen} is our name {brand} with other hyphens")
    looks, ours = skeleton(seen), skeleton(brand)
    if looks == ours or ours in re.split(r"[-_]", looks) or (len(ours) >= SHORTEST_FOR_EDITS and ours in looks):
        return Likeness("homoglyph", brand, f"the label {seen} looks like our name {brand}, written in other letters")
    if len(brand) >= SHORTEST_FOR_EDITS and any(_one_edit(word, brand) for word in {seen, *words}):
        return Likeness("one_edit", brand, f"the label {seen} is one letter away from our name {brand}")
    return None


def _one_edit(text: str, brand: str) -> bool:
    """Whether one letter added, left out, changed, or two neighbours swapped make one of the other."""
    if abs(len(text) - len(brand)) > 1 or text == brand:
        return False
    same = next((n for n, (a, b) in enumerate(zip(text, brand, strict=False)) if a != b), min(len(text), len(brand)))
    one, other = text[same:], brand[same:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]
