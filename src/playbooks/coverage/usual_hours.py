"""How many minutes of each hour a source usually fills: learnt from its other days, nights and weekends apart.

From four weeks on each weekday is compared with itself; before, weekdays with weekdays and weekends with weekends.
The day in question never speaks for itself. An hour that no other day shows is judged by its neighbours, and only in
a short silence: nobody can tell a night from an outage in a day that was seen once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

HOURS_A_DAY = 24
WEEKS_TO_KNOW_WEEKDAYS = 4
OTHER_DAYS_TO_KNOW = 3  # two days may share a habit by accident, or an intruder
DAYS_FOR_A_MEDIAN = 6  # from here on one odd day does not move the middle
LONGEST_BREAK_HOURS = 4  # lunch, a job that pauses; a night is longer
DAYS_TO_KNOW_NIGHTS = 14  # a source without daily habit: from here on its nights and weekends are among its silences
HABIT_SHARE = 0.25  # of its minutes that lie in hours which it fills on other days, too
SIDE_HOURS = 3  # hours on both sides of such a silence that must all be filled: a bursty source has empty ones
LEAST_FILLED = 4  # minutes of an hour from which it speaks for the silent hour beside it
CHANGE_HOURS = 2  # opening and closing hours move by as much from day to day
CHANGE_HOURS_FEW_DAYS = 3  # until a week shows where they lie
SUNDAY_FIRST = 4  # 1 January 1970 was a Thursday
SATURDAY = 6
Minutes = np.ndarray[Any, np.dtype[np.float64]]


def usual_minutes(active: Minutes, first_hour: int) -> Minutes:
    """Minutes with records to expect of each hour.

    Parameters
    ----------
    active
        Minutes with records of each hour of the span, 0 where there is none; NaN where the source cannot have any
        (before its first and after its last record).
    first_hour
        Number of the first of these hours since 1970, UTC.

    Returns
    -------
    array
        The same shape; 0 where nothing is to be expected, or nobody can tell.
    """
    lead = first_hour % HOURS_A_DAY
    days = -(-(lead + len(active)) // HOURS_A_DAY)
    grid = np.full(days * HOURS_A_DAY, np.nan)
    grid[lead : lead + len(active)] = active
    kinds = _kinds(first_hour // HOURS_A_DAY, days, _days_seen(grid))
    usual = np.full((days, HOURS_A_DAY), np.nan)
    table = grid.reshape(days, HOURS_A_DAY)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        usual[rows] = _without_itself(table[rows])
    found = usual.reshape(-1)[lead : lead + len(active)]
    around = CHANGE_HOURS if _days_seen(grid) >= 7 else CHANGE_HOURS_FEW_DAYS
    usual = _least_around(np.where(np.isnan(found), _by_neighbours(active), found), around)
    filled = np.nansum(active)
    if usual[~np.isnan(active)].sum() >= HABIT_SHARE * filled or _days_seen(grid) < DAYS_TO_KNOW_NIGHTS:
        return usual
    return np.full(len(active), np.nanmean(active))


def _least_around(usual: Minutes, around: int) -> Minutes:
    """The least of the hours around: when a day opens or closes, little is to be expected."""
    padded = np.pad(usual, around, mode="edge")
    least: Minutes = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1).min(axis=1)
    return least


def _days_seen(grid: Minutes) -> int:
    return int((~np.isnan(grid)).sum()) // HOURS_A_DAY


def _kinds(first_day: int, days: int, seen: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Number of the kind of each day: its weekday, or weekend or not."""
    weekday = (first_day + np.arange(days) + SUNDAY_FIRST) % 7
    if seen >= WEEKS_TO_KNOW_WEEKDAYS * 7:
        return weekday
    return np.isin(weekday, (0, SATURDAY)).astype("int64")


def _without_itself(rows: Minutes) -> Minutes:
    """Per day and hour, what the other days of its kind show: their median, or the least of a few."""
    if len(rows) <= OTHER_DAYS_TO_KNOW:
        return np.full(rows.shape, np.nan)
    seen = ~np.isnan(rows)
    order = np.sort(np.where(seen, rows, np.inf), axis=0)
    middle = np.maximum(seen.sum(axis=0) - 1, 0)[None] // 2
    median = np.take_along_axis(order, middle, axis=0)
    least_other = np.where(rows == order[0], order[1], order[0])
    expected = np.where(seen.sum(axis=0) >= DAYS_FOR_A_MEDIAN, median, least_other)
    return np.where(seen.sum(axis=0) - seen >= OTHER_DAYS_TO_KNOW, expected, np.nan)


def _by_neighbours(active: Minutes) -> Minutes:
    """For hours seen on no other day: what lies on both sides, in short silences only."""
    filled = np.nan_to_num(active)
    before, after = np.roll(filled, 1), np.roll(filled, -1)
    before[:1], after[-1:] = 0, 0
    usual = np.where(filled >= LEAST_FILLED, np.maximum(filled, np.minimum(before, after)), 0.0)
    empty = np.flatnonzero(np.diff(np.concatenate([[0], filled == 0, [0]]).astype("int64")))
    for start, end in empty.reshape(-1, 2):
        sides = np.concatenate([filled[max(start - SIDE_HOURS, 0) : start], filled[end : end + SIDE_HOURS]])
        if end - start <= LONGEST_BREAK_HOURS and len(sides) == 2 * SIDE_HOURS and sides.min() >= LEAST_FILLED:
            usual[start:end] = min(filled[start - 1], filled[end])
    return usual
