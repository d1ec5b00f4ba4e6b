"""Implants seen over seven days: long sleeps, and hosts that are on for a part of the week."""

from __future__ import annotations

import numpy as np

from benchmarks.series import DAY, HOUR, Contacts, Draw, Family, Random, idle, office_days, tasked, together
from benchmarks.traffic_malicious import Beat, chosen, lid_closed, missed, split_day, working_hours
from benchmarks.traffic_people import browsing

LONG_JITTERS = (0.0, 0.05, 0.1, 0.2)  # wider ones hide nothing at such sleeps


def long(hours: float, jitters: tuple[float, ...] = LONG_JITTERS) -> Draw:
    """A sleep of hours, on a host that is never off."""
    return lambda r, days: tasked(r, chosen(r, (hours * HOUR,), jitters).calls(r, 0, days * DAY))


def long_requests(r: Random, days: int) -> Contacts:
    """Six to twelve hours, two or three requests each."""
    calls = chosen(r, (6 * HOUR, 8 * HOUR, 12 * HOUR), LONG_JITTERS).calls(r, 0, days * DAY)
    parts = [tasked(r, calls + number * r.uniform(0.5, 5)) for number in range(int(r.integers(2, 4)))]
    return together(*parts)


def long_missed(r: Random, days: int) -> Contacts:
    """One to four hours, of which 30 % are missed."""
    made = idle(r, chosen(r, (1 * HOUR, 2 * HOUR, 4 * HOUR), LONG_JITTERS).calls(r, 0, days * DAY))
    return made.where(r.random(len(made.times)) >= 0.3)


def long_front(r: Random, days: int) -> Contacts:
    """One to four hours, on a host that the user visits now and then."""
    calls = tasked(r, chosen(r, (1 * HOUR, 2 * HOUR, 4 * HOUR), LONG_JITTERS).calls(r, 0, days * DAY))
    return together(calls, browsing(r, days, float(r.uniform(0.5, 2))))


def some_days(r: Random, days: int) -> Contacts:
    """Two or three days of the week, working hours each."""
    made = working_hours(r, days)
    chosen_days = r.choice(min(days, 5), min(days, int(r.integers(2, 4))), replace=False)
    return made.where(np.isin(np.floor(made.times / DAY), chosen_days))


def last_day(r: Random, days: int) -> Contacts:
    """Infected on the last day."""
    start = (days - r.uniform(0.3, 1)) * DAY
    return idle(r, chosen(r).calls(r, start, days * DAY))


def hours_at_work(r: Random, days: int) -> Contacts:
    """Half an hour or an hour, while the host is on."""
    beat = Beat(float(r.choice([1_800, 3_600])), float(r.choice(LONG_JITTERS)))
    return tasked(r, np.concatenate([beat.calls(r, *hours) for hours in office_days(r, days)]))


FAMILIES = (
    Family("week: sleep 1–4 h", "Low and slow.", lambda r, d: long(float(r.choice([1, 2, 4])))(r, d), "1–4 h"),
    Family("week: sleep 6 h", "The same.", long(6), "6–12 h"),
    Family("week: sleep 8 h", "The same.", long(8), "6–12 h"),
    Family("week: sleep 12 h", "The same.", long(12), "6–12 h"),
    Family("week: sleep 24 h", "Once a day.", long(24, (0.0, 0.05, 0.1)), "24 h"),
    Family("week: 6–12 h, several requests", "Fetch, answer, upload.", long_requests, "6–12 h"),
    Family("week: 1–4 h, 30 % missed", "Lost or blocked.", long_missed, "1–4 h"),
    Family("week: 1–4 h, shared front", "The user goes there, too.", long_front, "1–4 h"),
    Family("week: working hours", "Five days.", working_hours, "parts of a week"),
    Family("week: working hours, sleep 30–60 min", "Five days, few check-ins.", hours_at_work, "parts of a week"),
    Family("week: two or three days", "A host that is seldom on.", some_days, "parts of a week"),
    Family("week: split days", "Mornings and evenings.", split_day, "parts of a week"),
    Family("week: laptop", "On for an hour at a time.", lid_closed, "parts of a week"),
    Family("week: last day", "The infection is young.", last_day, "parts of a week"),
    Family("week: 50 % missed", "Lost or blocked.", missed(0.5), "parts of a week"),
)
