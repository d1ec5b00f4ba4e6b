"""Implants of one day: what published tools do by default, and what their operators and hosts make of it.

Defaults are those of the tools' own code and profiles (sleep, jitter, requests per check-in). Where the
operator chooses, a series draws its own sleep and jitter, so that a family is a situation and no number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.series import (
    DAY,
    HOUR,
    MINUTE,
    Contacts,
    Draw,
    Floats,
    Random,
    idle,
    office_days,
    round_trip,
    span,
    tasked,
    together,
    varied,
)
from benchmarks.traffic_people import asked, browsing

JITTERS = (0.0, 0.1, 0.2, 0.3)  # what operators set where they set little or nothing
SLEEPS = (60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True)
class Beat:
    """How an implant sleeps: around a sleep (both), from it upwards (more) or downwards (less), or on a ticker."""

    sleep: float
    jitter: float = 0.0
    way: str = "both"

    def pauses(self, r: Random, count: int) -> Floats:
        """So many pauses, with the time the answer takes unless a ticker drives the calls."""
        low, high = {"both": (-1, 1), "more": (0, 1), "less": (-1, 0), "ticker": (0, 0)}[self.way]
        slept = self.sleep * (1 + self.jitter * r.uniform(low, high, count))
        return slept if self.way == "ticker" else slept + round_trip(r, count)

    def calls(self, r: Random, start: float, end: float) -> Floats:
        """Check-ins from `start` to `end`."""
        made = span(r, lambda count: self.pauses(r, count), self.sleep, start, end)
        return made + round_trip(r, len(made)) / 4 if self.way == "ticker" else made


def chosen(r: Random, sleeps: tuple[float, ...] = SLEEPS, jitters: tuple[float, ...] = JITTERS) -> Beat:
    """A beat as operators set it."""
    return Beat(float(r.choice(sleeps)), float(r.choice(jitters)))


def all_day(beat: Callable[[Random], Beat], sizes: Callable[[Random, Floats], Contacts] = tasked) -> Draw:
    """A host that is never off."""
    return lambda r, days: sizes(r, beat(r).calls(r, 0, days * DAY))


def working_hours(r: Random, days: int) -> Contacts:
    """The host is on while its user works."""
    beat = chosen(r)
    return tasked(r, np.concatenate([beat.calls(r, *hours) for hours in office_days(r, days)]))


def wide_working_hours(r: Random, days: int) -> Contacts:
    """The same with half of the sleep as jitter."""
    beat = chosen(r, jitters=(0.5,))
    return tasked(r, np.concatenate([beat.calls(r, *hours) for hours in office_days(r, days)]))


def working_hours_missed(r: Random, days: int) -> Contacts:
    """The same with 30 % missed."""
    made = working_hours(r, days)
    return made.where(r.random(len(made.times)) >= 0.3)


def split_day(r: Random, days: int) -> Contacts:
    """On in the morning and again in the evening."""
    beat, parts = chosen(r), []
    for day in range(days):
        noon = day * DAY + r.uniform(11, 13) * HOUR
        evening = day * DAY + r.uniform(16, 19) * HOUR
        parts.append(beat.calls(r, noon - r.uniform(2, 4) * HOUR, noon))
        parts.append(beat.calls(r, evening, evening + r.uniform(2, 4) * HOUR))
    return idle(r, np.concatenate(parts))


def lid_closed(r: Random, days: int) -> Contacts:
    """A laptop that is opened four to nine times a day for 15 to 90 minutes."""
    beat, parts = chosen(r, sleeps=(60.0, 120.0, 300.0)), []
    for day in range(days):
        count = int(r.integers(4, 10))
        starts = day * DAY + np.sort(r.uniform(7, 22, count)) * HOUR
        ends = np.minimum(starts + r.uniform(15, 90, count) * MINUTE, np.append(starts[1:], (day + 1) * DAY))
        parts += [beat.calls(r, start, end) for start, end in zip(starts, ends, strict=True)]
    return idle(r, np.concatenate(parts))


def missed(share: float, jitters: tuple[float, ...] = JITTERS) -> Draw:
    """Check-ins that the log lacks or that found no way out, each by chance."""

    def draw(r: Random, days: int) -> Contacts:
        made = idle(r, chosen(r, jitters=jitters).calls(r, 0, days * DAY))
        return made.where(r.random(len(made.times)) >= share)

    return draw


def outages(r: Random, days: int) -> Contacts:
    """A third to a half of the day is missing, in stretches of 10 to 60 minutes."""
    made = idle(r, chosen(r).calls(r, 0, days * DAY))
    lost = np.zeros(len(made.times), dtype=bool)
    for begin in r.uniform(0, days * DAY, int(days * r.integers(18, 28))):
        lost |= (made.times >= begin) & (made.times < begin + r.uniform(10, 60) * MINUTE)
    return made.where(~lost)


def late(sleeps: tuple[float, ...], jitters: tuple[float, ...]) -> Draw:
    """Infected in the last two to four hours of the data."""

    def draw(r: Random, days: int) -> Contacts:
        end = days * DAY
        return tasked(r, chosen(r, sleeps, jitters).calls(r, end - r.uniform(2, 4) * HOUR, end))

    return draw


def front(visits: tuple[float, float], jitters: tuple[float, ...] = JITTERS) -> Draw:
    """The implant's function lives on a host that the same client's user visits, so many times a day."""

    def draw(r: Random, days: int) -> Contacts:
        calls = tasked(r, chosen(r, jitters=jitters).calls(r, 0, days * DAY))
        return together(calls, browsing(r, days, float(r.uniform(*visits))))

    return draw


def several(low: int, high: int, within: float) -> Draw:
    """Each check-in is that many requests (fetch, answer, upload), one soon after the other."""

    def draw(r: Random, days: int) -> Contacts:
        calls = chosen(r).calls(r, 0, days * DAY)
        count = int(r.integers(low, high + 1))
        parts = [tasked(r, calls)]
        later = calls
        for _ in range(count - 1):
            later = later + r.uniform(0.1, within, len(calls))
            parts.append(tasked(r, later))
        return together(*parts)

    return draw


def exfiltration(r: Random, days: int) -> Contacts:
    """Two to six times a day a file leaves in 20 to 300 pieces while the check-ins go on."""
    parts = [tasked(r, chosen(r).calls(r, 0, days * DAY))]
    for begin in r.uniform(0, days * DAY, int(days * r.integers(2, 7))):
        pieces = begin + np.cumsum(r.uniform(0.2, 3, r.integers(20, 300)))
        sent = idle(r, pieces)
        parts.append(replace(sent, bytes_out=sent.bytes_out + r.integers(100_000, 1_000_000)))
    return together(*parts).within(0, days * DAY)


def at_the_keyboard(r: Random, days: int) -> Contacts:
    """One to three times a day the operator sets the sleep to a second or two for 10 to 40 minutes."""
    slow, times = chosen(r), []
    sittings = np.sort(r.uniform(8, 18, int(r.integers(1, 4)))) * HOUR
    now = 0.0
    for day in range(days):
        for begin in day * DAY + sittings:
            end = begin + r.uniform(10, 40) * MINUTE
            times += [slow.calls(r, now, begin), Beat(float(r.choice([1, 2])), 0.1).calls(r, max(now, begin), end)]
            now = max(now, end)
    times.append(slow.calls(r, now, days * DAY))
    return tasked(r, np.concatenate(times))


def change_of_pace(r: Random, days: int) -> Contacts:
    """Slow for the first hours to outlast a sandbox, fast when it is trusted, or the other way round."""
    quick = chosen(r, sleeps=(30.0, 60.0, 120.0))
    slow = Beat(quick.sleep * float(r.choice([5, 10])), quick.jitter)
    order = [slow, quick] if r.random() < 0.5 else [quick, slow]
    change = r.uniform(0.3, 0.7) * days * DAY
    return idle(r, np.concatenate([order[0].calls(r, 0, change), order[1].calls(r, change, days * DAY)]))


def slower_by_night(r: Random, days: int) -> Contacts:
    """Three to ten times the sleep outside of working hours, so as not to stand out."""
    quick = chosen(r, sleeps=(60.0, 120.0, 300.0))
    slow = Beat(quick.sleep * float(r.choice([3, 5, 10])), quick.jitter)
    parts, now = [], 0.0
    for begin, end in office_days(r, days):
        parts += [slow.calls(r, now, begin), quick.calls(r, begin, end)]
        now = end
    return idle(r, np.concatenate([*parts, slow.calls(r, now, days * DAY)]))


def back_off(r: Random, days: int) -> Contacts:
    """The server is gone for two to eight hours: pauses double up to an hour, then the beat is back."""
    beat = chosen(r)
    down = r.uniform(4, 12) * HOUR
    up = down + r.uniform(2, 8) * HOUR
    retries, pause = [down], beat.sleep
    while retries[-1] < up:
        pause = min(2 * pause, HOUR)
        retries.append(retries[-1] + pause * (1 + beat.jitter * r.uniform(-1, 1)))
    return idle(r, np.concatenate([beat.calls(r, 0, down), retries, beat.calls(r, retries[-1] + 1, days * DAY)]))


def cached(r: Random, days: int) -> Contacts:
    """Lookups of a name whose answer lives one to five minutes: a check-in asks only when the cache forgot."""
    calls = chosen(r, sleeps=(10.0, 30.0, 60.0, 120.0)).calls(r, 0, days * DAY)
    return idle(r, asked(calls, np.full(len(calls), r.choice([60.0, 120.0, 300.0]))))


def coarse(steps: tuple[float, ...], beat: Callable[[Random], Beat]) -> Draw:
    """The log's clock is coarse: whole seconds, or the interval in which flows are summed up."""

    def draw(r: Random, days: int) -> Contacts:
        made, step = idle(r, beat(r).calls(r, 0, days * DAY)), float(r.choice(steps))
        return replace(made, times=np.floor(made.times / step) * step)

    return draw


def in_turn(r: Random, days: int) -> Contacts:
    """One of two to four hosts that are used in turn."""
    calls = chosen(r, sleeps=(10.0, 60.0, 120.0, 300.0)).calls(r, 0, days * DAY)
    return idle(r, calls[:: int(r.integers(2, 5))])


def one_of_several(r: Random, days: int) -> Contacts:
    """One of two to four hosts of which each check-in picks one by chance."""
    calls = chosen(r, sleeps=(10.0, 60.0, 120.0, 300.0)).calls(r, 0, days * DAY)
    return idle(r, calls[r.integers(0, r.integers(2, 5), len(calls)) == 0])


def failed_over(r: Random, days: int) -> Contacts:
    """The second host of a list: used in the two to five stretches in which the first one failed."""
    beat = chosen(r, sleeps=(10.0, 30.0, 60.0, 120.0))
    starts = np.sort(r.uniform(0, days * DAY - HOUR, int(r.integers(2, 6))))
    ends = np.minimum(starts + r.uniform(20, 120, len(starts)) * MINUTE, np.append(starts[1:], days * DAY))
    return idle(r, np.concatenate([beat.calls(r, *part) for part in zip(starts, ends, strict=True)]))


def scheduled(r: Random, days: int) -> Contacts:
    """A task of the host's scheduler with a random delay: the delays do not add up."""
    every = float(r.choice([300, 600, 900, 1_800]))
    slots = np.arange(r.random() * every, days * DAY, every)
    return idle(r, slots + r.uniform(0, r.uniform(0.05, 0.5) * every, len(slots)))


def two_implants(r: Random, days: int) -> Contacts:
    """Two of the same kind on one host, or behind one address."""
    beat = chosen(r)
    return together(*(idle(r, beat.calls(r, 0, days * DAY)) for _ in range(2)))


def kept_alive(r: Random, days: int) -> Contacts:
    """Polls every few seconds in one connection, which the front closes after 100 requests."""
    beat = Beat(float(r.choice([5, 10, 30])), float(r.choice(JITTERS)))
    return varied(r, beat.calls(r, 0, days * DAY)[:: int(r.choice([50, 100]))])


def from_a_list(r: Random, days: int) -> Contacts:
    """A script that picks each sleep from a short list."""
    sleeps = r.choice([30.0, 45.0, 60.0, 90.0, 120.0, 180.0], 3, replace=False)
    pauses = lambda count: r.choice(sleeps, count) + round_trip(r, count)  # noqa: E731
    return idle(r, span(r, pauses, float(sleeps.mean()), 0, days * DAY))


def all_at_once(r: Random, days: int) -> Contacts:
    """A fifth missed, two requests per check-in, jitter, tasking, and the user's own visits."""
    calls = chosen(r, jitters=(0.2, 0.3)).calls(r, 0, days * DAY)
    calls = calls[r.random(len(calls)) >= 0.2]
    answers = tasked(r, calls + r.uniform(0.2, 3, len(calls)))
    return together(tasked(r, calls), answers, browsing(r, days, float(r.uniform(2, 8))))
