"""What to look at first: the rhythm of every pair, weighed by how unusual its context is.

Each fact shifts the odds by how much more often it is seen of implants than of the house at work, as a logarithm:
facts multiply, so a strange context lifts a weak rhythm little, and a clear rhythm lifts a common destination little.
What no telemetry tells shifts nothing. The sum is squeezed into 0 to 1. It puts pairs in order; it is no probability.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from playbooks.case import CaseFile
from playbooks.enrichment import MODIFIED, UNVETTED, VALID
from playbooks.findings.egress_allowed import allowed_by
from playbooks.findings.egress_channels import NO_CHANNELS, channel_signals, in_channels
from playbooks.findings.egress_signals import confidence, intel_by_observable, shapes, signals_of
from playbooks.findings.estate import (
    Estate,
    Program,
    estate_of,
    filled,
    is_new_program,
    programs,
)
from playbooks.schema.arrow import LISTS

# In natural logarithms of odds: +0.7 doubles them, +2.3 makes them ten times as high.
START = -6.0  # before anything is known: about one pair in four hundred
NO_RHYTHM = -4.0  # with beacon_score 0, or too few contacts for one: people at work
FULL_RHYTHM = 4.0  # with beacon_score 1
HALF_RHYTHM = 0.6  # beacon_score at which half of the way is gone: nearly all of what people do stays below
STEEPNESS = 4.0  # of the way there: with .4 a fifth is gone, with .8 more than four fifths
# Of n clients an implant is on c with a chance that falls as c^-2; a program of the house as c^-½: it was rolled out.
IMPLANT_FALL, HOUSE_FALL = 2.0, 0.5
NEW = 2.0  # nobody was there in the baseline: eight of ten implants, one of nine destinations of the house
KNOWN = -1.5  # this client was there in the baseline: two of ten, eight of nine
NEW_FOR_CLIENT = -0.7  # others were there in the baseline, this client was not
PROGRAM_SHARE = 0.2  # of what the users of a program tell: few go where it goes, so its rarity repeats theirs
PROGRAM_MOST = 0.5  # a program of one's own; a common one shifts nothing, for implants borrow its name
PROGRAM_NEW = 0.4  # nobody had the program in the baseline
WEAK_SHAPE = 0.7  # a shape that common software has, too; as a rare program, and instead of it
DISTINCT_SHAPE = 4.0  # the published shape of a tool
LISTED = {VALID: 5.0, UNVETTED: 2.0}  # times the source's confidence
OWN_MODIFIED = 3.0  # our own endpoint, changed by somebody who is not on the allow-list
CHANNEL = 6.0  # times the weight of its signal: one of full strength (.5) is as telling as half of a rhythm
OFF_HOURS = 0.5  # times the share of contacts while the estate rests: night jobs are there, too
REASONED = 10_000  # rows, from the first, that carry their reasons: nobody reads further
Floats = npt.NDArray[np.float64]


def with_priority(
    pairs: pd.DataFrame, intel: pd.DataFrame, config: CaseFile, channels: pd.DataFrame = NO_CHANNELS
) -> pd.DataFrame:
    """Fill `priority` and `priority_reasons`, and put the rows in that order.

    Parameters
    ----------
    pairs
        Rows of `schema.EGRESS_PAIRS` with ownership.
    intel
        Rows of `schema.ENRICHMENT`.
    config
        The case; what its allow-list or inventory covers has priority 0.
    channels
        Rows of `schema.EGRESS_CHANNELS`.

    Returns
    -------
    pandas.DataFrame
        A copy of `pairs`, the highest priority first; the first `REASONED` rows with their reasons.
    """
    by_value = intel_by_observable(intel)
    estate = replace(estate_of(pairs), channels=channel_signals(channels))
    odds = _of_all(pairs, estate) + _of_some(pairs, estate, by_value) + _of_channels(pairs, estate)
    allowed = allowed_by(pairs, config)
    priority = np.where([entry is None for entry in allowed], 1 / (1 + np.exp(-odds)), 0.0)
    table = pairs.assign(priority=np.round(priority, 6), _allowed=pd.Series(allowed, index=pairs.index, dtype=object))
    order = ["priority", "beacon_score", "connections", "src", "dst"]
    table = table.sort_values(order, ascending=[False, False, False, True, True], kind="stable", ignore_index=True)
    reasons = [_reasons(row, estate, by_value) for row in table.head(REASONED).itertuples(index=False, name="Row")]
    reasons += [[] for _ in range(len(table) - len(reasons))]
    return table.assign(priority_reasons=pd.Series(reasons, index=table.index, dtype=LISTS)).drop(columns="_allowed")


def _reasons(row: Any, estate: Estate, intel: dict[str, list[Any]]) -> list[str]:
    entry = row[-1]  # pandas names no field that begins with a dash
    if entry is not None:
        return [f"allowed: {entry}"]
    return [f"{signal.kind}: {signal.sentence}" for signal in signals_of([row], estate, intel)]


def _of_all(pairs: pd.DataFrame, estate: Estate) -> Floats:
    """What every row tells: rhythm, who else goes there, what the baseline knew, and the hours."""
    odds = START + _of_rhythm(pairs.beacon_score.fillna(0).to_numpy(dtype=float))
    odds += _rarity(pairs, estate) + _newness(pairs)
    return np.asarray(odds + OFF_HOURS * pairs.off_hours_share.fillna(0).to_numpy(dtype=float))


def _of_rhythm(score: Floats) -> Floats:
    """Steep where chance ends, flat where every rhythm is clear: an updater's is no less clear than an implant's."""
    steep, half = score**STEEPNESS, HALF_RHYTHM**STEEPNESS
    gone = steep * (1 + half) / (steep + half)
    return np.asarray(NO_RHYTHM + (FULL_RHYTHM - NO_RHYTHM) * gone)


def _shared(pairs: pd.DataFrame) -> npt.NDArray[np.bool_]:
    return np.asarray(pairs.catalogue_id.notna() & pairs.tenant.isna())


def _rarity(pairs: pd.DataFrame, estate: Estate) -> Floats:
    """How much an implant is likelier than the house to be on so few clients; at hosts of all customers, in rhythm."""
    clients = pairs.clients.fillna(1).to_numpy(dtype=float)
    share = pairs.clients_share.fillna(1).to_numpy(dtype=float)
    everyone = np.maximum(np.round(clients / np.where(share > 0, share, 1.0)), clients)
    shared = _shared(pairs)
    if shared.any():
        rhythmic = pairs.dst.map(estate.in_rhythm).fillna(1).to_numpy(dtype=float)
        clients = np.where(shared, np.minimum(rhythmic, clients), clients)
    return rarity(clients, everyone)


def rarity(users: Floats, everyone: Floats) -> Floats:
    """Logarithm of how much likelier an implant is to be on `users` of `everyone` clients than a house program."""
    numbers = np.arange(1, int(everyone.max(initial=1)) + 1, dtype=float)
    implant, house = np.cumsum(numbers**-IMPLANT_FALL), np.cumsum(numbers**-HOUSE_FALL)
    place = everyone.astype(np.int64) - 1
    return np.asarray(np.log(house[place] / implant[place]) - (IMPLANT_FALL - HOUSE_FALL) * np.log(users))


def _newness(pairs: pd.DataFrame) -> Floats:
    known = pairs.new_in_window.eq(False).fillna(False).to_numpy(dtype=bool)
    new = pairs.new_in_window.eq(True).fillna(False).to_numpy(dtype=bool)
    own = pairs.new_for_client.eq(True).fillna(False).to_numpy(dtype=bool)
    weight = np.select([new, known & own, known], [NEW, NEW_FOR_CLIENT, KNOWN], default=0.0)
    return np.where(_shared(pairs) & known & own, 0.0, weight)  # of whom others asked there, nobody can tell


def _of_some(pairs: pd.DataFrame, estate: Estate, intel: dict[str, list[Any]]) -> Floats:
    """What only some rows tell: programs, shapes of tools, intelligence, our own endpoints."""
    odds = np.zeros(len(pairs))
    telling = pairs.ownership.eq(MODIFIED).fillna(False).to_numpy(dtype=bool) | pairs.dst.isin(intel).to_numpy()
    telling |= filled(pairs, "user_agents", "processes", "fingerprints", "traits")
    places = np.flatnonzero(telling)
    for at, row in zip(places, pairs.iloc[places].itertuples(index=False), strict=True):
        odds[at] = _of_row(row, estate, intel)
    return odds


def _of_channels(pairs: pd.DataFrame, estate: Estate) -> Floats:
    """What other ways out than check-ins tell: the strongest of a pair."""
    odds: Floats = np.zeros(len(pairs))
    places = np.flatnonzero(in_channels(pairs, estate.channels))
    for at, src, dst in zip(places, pairs.src.iloc[places], pairs.dst.iloc[places], strict=True):
        odds[at] = CHANNEL * max(signal.weight for signal in estate.channels[str(src), str(dst)])
    return odds


def _of_row(row: Any, estate: Estate, intel: dict[str, list[Any]]) -> float:
    strengths = {trait.strength for trait, *_ in shapes(row)}
    seen = [_of_program(row, program, estate) for program in programs(row)]
    program = max([*seen, *([WEAK_SHAPE] if "weak" in strengths else [])], default=0.0)
    shape = DISTINCT_SHAPE if "distinct" in strengths else 0.0
    modified = OWN_MODIFIED if row.ownership == MODIFIED else 0.0
    return program + shape + modified + max(_of_intel(row, intel), default=0.0)


def _of_program(row: Any, program: Program, estate: Estate) -> float:
    """One fact, however many logs name the program: the callers take the most unusual of its signs."""
    told = np.array([float(estate.told(program.kind))])
    users = np.array([float(estate.users_of(program))])
    weight = PROGRAM_SHARE * float(rarity(users, told)[0])
    new = PROGRAM_NEW if is_new_program(row, program) else 0.0
    return min(max(weight, 0.0), PROGRAM_MOST) + new


def _of_intel(row: Any, intel: dict[str, list[Any]]) -> Iterator[float]:
    values = [str(row.dst), *(program.value.removeprefix("ja4:").removeprefix("ja3:") for program in programs(row))]
    for value in values:
        yield from (LISTED.get(item.state, 0.0) * confidence(item) / 100 for item in intel.get(value, ()))
