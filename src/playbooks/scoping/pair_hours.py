"""At what hours each pair calls, beside the hours in which the estate rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from playbooks.scoping.pair_telemetry import Columns, Pairs, Telemetry
from playbooks.scoping.series import Ints

USUAL_SHARE = 0.5  # of the clients that the busiest hour has: an hour with fewer is one in which the estate rests
LEAST_CLIENTS = 5  # in the busiest hour: fewer say nothing of an estate's habits
HOUR_US, DAY_HOURS, FIRST_SATURDAY = 3_600_000_000, 24, 48  # 1970-01-03 was a Saturday: hours after the epoch
HABIT_HOURS = 28 * DAY_HOURS  # four weeks tell an estate's hours, and bound what is held
CLASSES = 2 * DAY_HOURS  # hour of the day, on weekdays and on weekends


@dataclass(frozen=True)
class Hours:
    """What some clients did in the hours since 1970.

    Attributes
    ----------
    by_class
        Contacts of each pair by class of hour.
    begin, end
        The hour of the first contact, and the one after the last.
    about
        How many of the clients were about in each of the newest `HABIT_HOURS` before `end`.
    """

    by_class: npt.NDArray[np.uint32]
    begin: int
    end: int
    about: Ints


def hours_of(telemetry: Telemetry, pairs: Pairs) -> Hours:
    """Count the contacts of these pairs by hour, and their clients."""
    if not len(telemetry.time):
        return Hours(np.zeros((0, CLASSES), dtype=np.uint32), 0, 0, np.zeros(0, dtype=np.int64))
    hour = telemetry.time // HOUR_US
    begin, end = int(hour.min()), int(hour.max()) + 1
    lengths = np.diff(telemetry.starts)
    classes = _class(np.arange(begin, end)).astype(np.int64)
    of_pair = np.repeat(pairs.of_row, lengths)
    by_class = np.bincount(of_pair * CLASSES + classes[hour - begin], minlength=len(pairs.src) * CLASSES)
    codes, clients = pd.factorize(np.asarray(pairs.src, dtype=object))
    client = np.repeat(codes[pairs.of_row].astype(np.int32), lengths)
    habit = min(end - begin, HABIT_HOURS)
    at = hour - (end - habit)
    seen = np.zeros((len(clients), habit), dtype=bool)
    seen[client[at >= 0], at[at >= 0]] = True
    return Hours(by_class.astype(np.uint32).reshape(-1, CLASSES), begin, end, seen.sum(axis=0))


def hours(parts: Sequence[Hours]) -> Columns:
    """How many hours of the day each pair fills, and how much of it lies where the estate rests."""
    by_class = np.concatenate([part.by_class for part in parts])
    filled = ((by_class[:, :DAY_HOURS] + by_class[:, DAY_HOURS:]) > 0).sum(axis=1).astype(np.int64)
    resting = _resting([part for part in parts if len(part.by_class)])
    if resting is None:
        return {"active_hours": filled, "off_hours_share": [None] * len(filled)}
    off = by_class[:, resting].sum(axis=1, dtype=np.int64) / by_class.sum(axis=1, dtype=np.int64)
    return {"active_hours": filled, "off_hours_share": off}


def _class(hour: npt.NDArray[np.int64]) -> Ints:
    """Hours since 1970 → hour of the day, 24 more on a weekend."""
    day = (hour - FIRST_SATURDAY) // DAY_HOURS % 7
    return hour % DAY_HOURS + DAY_HOURS * (day < 2)


def _resting(parts: Sequence[Hours]) -> npt.NDArray[np.bool_] | None:
    """The classes of hours in which fewer clients are about than at the busiest; null where no class stands out.

    The newest `HABIT_HOURS` of all speak. No client is in two parts.
    """
    if not parts:
        return None
    end = max(part.end for part in parts)
    habit = min(end - min(part.begin for part in parts), HABIT_HOURS)
    about = np.zeros(habit, dtype=np.int64)
    for part in parts:
        last = habit - (end - part.end)  # where the part ends among the hours that speak
        known = part.about[max(0, len(part.about) - last) :] if last > 0 else part.about[:0]
        about[max(0, last) - len(known) : max(0, last)] += known
    classes = _class(np.arange(end - habit, end))
    shown = np.bincount(classes, minlength=CLASSES)
    mean = np.bincount(classes, weights=about, minlength=CLASSES) / np.maximum(shown, 1)
    resting = (mean < USUAL_SHARE * mean.max()) & (shown > 0)
    told = habit >= DAY_HOURS and mean.max() >= LEAST_CLIENTS and bool(resting.any())
    return resting if told else None
