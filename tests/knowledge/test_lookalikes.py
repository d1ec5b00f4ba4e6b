"""Look-alikes of a name: each shape with the near miss beside it."""

from __future__ import annotations

import pytest

from playbooks.knowledge.lookalikes import decoded, likeness, skeleton

BRAND = "examplecorp"


def label(text: str) -> str:
    """As DNS carries it."""
    return text if text.isascii() else "xn--" + text.encode("punycode").decode("ascii")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("examplecorp", "brand_in_name"),
        ("examplecorp-login", "brand_in_name"),
        ("myexamplecorp", "brand_in_name"),
        ("example-corp", "one_edit"),
        ("examplecrop", "one_edit"),
        ("exampelcorp", "one_edit"),
        ("examplecor", "one_edit"),
        ("examplecorps", "brand_in_name"),
        ("exanplecorp", "one_edit"),
        ("login-exanplecorp", "one_edit"),
        ("exarnplecorp", "homoglyph"),
        ("examp1ecorp", "homoglyph"),
        ("exаmplecorp", "homoglyph"),  # Cyrillic a
        ("éxamplecorp", "homoglyph"),
        ("login-exаmplecorp", "homoglyph"),
        ("exmplcorp", None),
        ("examplecorner", None),
        ("corp", None),
        ("example", None),
    ],
)
def test_how_a_label_resembles_a_brand(text: str, kind: str | None) -> None:
    found = likeness(label(text), BRAND)
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(("text", "kind"), [("acm", None), ("acne", None), ("acme-login", "brand_in_name"),
                                            ("pharmacme", None), ("acme", "brand_in_name")])  # fmt: skip
def test_a_short_brand_is_looked_for_as_a_word_only(text: str, kind: str | None) -> None:
    found = likeness(text, "acme")
    assert (found.kind if found else None) == kind


def test_a_label_that_is_no_punycode_stays_as_it_is() -> None:
    assert decoded("xn--") == "" or decoded("xn--") == "xn--"
    assert decoded("xn--\xff99") == "xn--\xff99"
    assert decoded("xn--99999999999999") == "xn--99999999999999"
    assert decoded("xn--bcher-kva") == "bücher"
    assert skeleton("bücher") == "bucher"
