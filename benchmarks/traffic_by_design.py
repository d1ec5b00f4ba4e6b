"""Benign programs that call at an interval because they are made so: timing cannot tell them from an implant."""

from __future__ import annotations

import numpy as np

from benchmarks.series import (
    DAY,
    HOUR,
    MINUTE,
    Contacts,
    Random,
    idle,
    office_days,
    one_size,
    round_trip,
    span,
    tasked,
    varied,
)


def _every(r: Random, seconds: float, spread: float, start: float, end: float) -> np.ndarray:
    pauses = lambda count: seconds * (1 + spread * r.uniform(-1, 1, count)) + round_trip(r, count)  # noqa: E731
    return span(r, pauses, seconds, start, end)


def updater(r: Random, days: int) -> Contacts:
    """Asks for updates every half hour to four hours, spread by up to a fifth so that servers are spared."""
    times = _every(r, float(r.choice([30, 60, 120, 240])) * MINUTE, r.uniform(0, 0.2), 0, days * DAY)
    return tasked(r, times)


def monitoring(r: Random, days: int) -> Contacts:
    """A probe every minute, on the minute's clock."""
    every = float(r.choice([30, 60, 60, 60, 120]))
    times = np.arange(r.random() * every, days * DAY, every)
    return one_size(r, times + round_trip(r, len(times)) / 4)


def mail_polling(r: Random, days: int) -> Contacts:
    """Looks for mail every five minutes while the client runs: in working hours, or all day."""
    every = float(r.choice([60, 300, 300, 600]))
    hours = office_days(r, days) if r.random() < 0.6 else [(0, days * DAY)]
    return varied(r, np.concatenate([_every(r, every, 0.01, *part) for part in hours]))


def clock_sync(r: Random, days: int) -> Contacts:
    """NTP: the interval doubles from 64 s up to 1,024 s as the clock settles, and falls back now and then."""
    parts, now = [], 0.0
    while now < days * DAY:
        for power in range(int(r.integers(6, 9)), 11):
            last = DAY if power == 10 else r.uniform(5, 30) * 2**power
            end = min(now + last, days * DAY)
            parts.append(_every(r, 2.0**power, 0.02, now, end))
            now = end
    return one_size(r, np.concatenate(parts))


def backup(r: Random, days: int) -> Contacts:
    """Every hour a run of some dozen uploads, or of one."""
    starts = np.arange(r.random() * HOUR, days * DAY, float(r.choice([1_800, 3_600, 3_600])))
    starts = starts + r.exponential(5, len(starts))
    runs = [start + np.cumsum(r.exponential(2, int(r.integers(1, 40)))) for start in starts]
    return varied(r, np.sort(np.concatenate(runs)))


def heartbeat(r: Random, days: int) -> Contacts:
    """An agent of the house that says it is alive."""
    return idle(r, _every(r, float(r.choice([30, 60, 120, 300])), float(r.choice([0, 0.05, 0.1])), 0, days * DAY))


def certificates(r: Random, days: int) -> Contacts:
    """Revocation lists and certificate checks every one to twelve hours."""
    return one_size(r, _every(r, float(r.choice([1, 4, 6, 12])) * HOUR, 0.05, 0, days * DAY))


def feeds(r: Random, days: int) -> Contacts:
    """Calendar, feed reader or file sync every 10 to 30 minutes while somebody works."""
    every = float(r.choice([10, 15, 30])) * MINUTE
    return tasked(r, np.concatenate([_every(r, every, 0.05, *hours) for hours in office_days(r, days)]))


def live_video(r: Random, days: int) -> Contacts:
    """A live stream of one to three hours: the play list is fetched again at each piece of four to ten seconds."""
    every, parts = float(r.choice([4, 6, 10])), []
    for day in range(days):
        start = day * DAY + r.uniform(8, 20) * HOUR
        parts.append(_every(r, every, 0.05, start, start + r.uniform(1, 3) * HOUR))
    return varied(r, np.concatenate(parts))


def dashboard(r: Random, days: int) -> Contacts:
    """A page left open that refreshes itself every 15 s to 5 min, in working hours."""
    every = float(r.choice([15, 30, 60, 300]))
    return varied(r, np.concatenate([_every(r, every, 0.02, *hours) for hours in office_days(r, days)]))
