"""Which services outside may be asked about what was seen, and how much may be told to them: nothing, unless stated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Tlp = Literal["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]
TLP_ORDER: tuple[Tlp, ...] = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")


class Lookups(BaseModel):
    """Providers of msticpy's TILookup, by their names in msticpyconfig.yaml; without one nobody is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    providers: list[Annotated[str, Field(min_length=1)]] = []
    tlp_max: Tlp = "CLEAR"
    per_minute: int = Field(default=4, ge=1, le=6_000)
    timeout_s: int = Field(default=20, ge=1, le=300)


def may_be_told(tlp: object, most: Tlp) -> bool:
    """Whether what is marked so may be told where `most` is allowed; WHITE is CLEAR, and no marking counts as AMBER."""
    word = str(tlp).upper() if isinstance(tlp, str) and tlp.strip() else "AMBER"
    word = "CLEAR" if word == "WHITE" else word
    return word in TLP_ORDER and TLP_ORDER.index(word) <= TLP_ORDER.index(most)
