"""What the simulator makes: the contacts of one pair, and the figures and clocks that all families share.

Seconds count from the start of the data set, a Monday at 00:00 UTC; `Series.times` are seconds since 1970.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Random = np.random.Generator

START = dt.datetime(2026, 3, 9, tzinfo=dt.UTC).timestamp()
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
WEEKDAYS = 5  # the first of seven days on which people work


@dataclass(frozen=True)
class Contacts:
    """Contacts in order of time: seconds since the start, bytes sent and received by the client."""

    times: Floats
    bytes_out: Ints
    bytes_in: Ints

    def within(self, start: float, end: float) -> Contacts:
        """Those from `start` up to `end`."""
        kept = (self.times >= start) & (self.times < end)
        return self.where(kept)

    def where(self, kept: npt.NDArray[np.bool_]) -> Contacts:
        """Those of a mask."""
        return Contacts(self.times[kept], self.bytes_out[kept], self.bytes_in[kept])

    def at(self, times: Floats) -> Contacts:
        """The same sizes at other times, in order again."""
        order = np.argsort(times, kind="stable")
        return Contacts(times[order], self.bytes_out[order], self.bytes_in[order])


def together(*several: Contacts) -> Contacts:
    """Contacts of several origins, in order of time."""
    times = np.concatenate([one.times for one in several])
    sent = np.concatenate([one.bytes_out for one in several])
    received = np.concatenate([one.bytes_in for one in several])
    return Contacts(times, sent, received).at(times)


Draw = Callable[[Random, int], Contacts]


@dataclass(frozen=True)
class Family:
    """A kind of traffic: its name, why it looks as it does, and how a series of so many days is drawn.

    `periodic` is set for benign traffic that calls at an interval by design: timing cannot tell it from a
    beacon. `group` names the line of the summary that it belongs to, and how its context is drawn.
    """

    name: str
    reason: str
    draw: Draw
    group: str
    malicious: bool = False
    periodic: bool = False


@dataclass(frozen=True)
class Estate:
    """A house: its number, its clients, and whether the logs hold a baseline before the window."""

    number: int
    clients: int
    baseline: bool


BROWSER = "browser"


@dataclass(frozen=True)
class Context:
    """What the estate shows around a pair, beside its times.

    Attributes
    ----------
    clients
        Clients that talk to the same tenant or host.
    new, new_for_client
        Whether nobody, and whether this client did not, in the baseline; None where the logs hold none.
    agent, program
        User agent, and the program as endpoint records tell it. None where nobody looks, `BROWSER` for the
        client's own browser. One that `alone` holds for is no other client's.
    alone
        Whether agent and program are this client's only; else as many clients have them as go to the host.
    programs_new
        Whether nobody had agent and program in the baseline; None without one.
    fingerprint
        JA4 of the TLS library.
    """

    clients: int
    new: bool | None
    new_for_client: bool | None
    agent: str | None
    program: str | None
    alone: bool
    programs_new: bool | None
    fingerprint: str


@dataclass(frozen=True)
class Series:
    """All contacts of one source and destination.

    Attributes
    ----------
    family
        What made it.
    times
        Seconds since 1970, in order.
    bytes_out, bytes_in
        Sent and received by the client, one for each time.
    estate, context
        Where it happened, and what is known around it.
    """

    family: Family
    times: Floats
    bytes_out: Ints
    bytes_in: Ints
    estate: Estate
    context: Context


# sizes


def idle(r: Random, times: Floats) -> Contacts:
    """Check-ins without tasking: one size each way, a few bytes of padding or none."""
    padding = int(r.choice([0, 4, 16]))
    sent = r.integers(300, 1_500) + r.integers(0, padding + 1, len(times))
    received = r.integers(150, 900) + r.integers(0, padding + 1, len(times))
    return Contacts(times, sent, received)


def tasked(r: Random, times: Floats) -> Contacts:
    """Idle check-ins, of which one to five in a hundred bring a task and send its result."""
    made = idle(r, times)
    busy = r.random(len(times)) < r.uniform(0.01, 0.05)
    sent = np.where(busy, made.bytes_out + _lognormal(r, 4_000, 1.2, len(times)), made.bytes_out)
    received = np.where(busy, made.bytes_in + _lognormal(r, 1_500, 1.0, len(times)), made.bytes_in)
    return Contacts(times, sent, received)


def varied(r: Random, times: Floats) -> Contacts:
    """Sizes of any magnitude: pages, results, files."""
    sent = _lognormal(r, r.uniform(400, 3_000), r.uniform(0.8, 1.5), len(times))
    return Contacts(times, sent, _lognormal(r, r.uniform(1_000, 30_000), r.uniform(1.0, 1.8), len(times)))


def one_size(r: Random, times: Floats) -> Contacts:
    """Every request as large as the next."""
    count = len(times)
    return Contacts(times, np.full(count, r.integers(200, 2_000)), np.full(count, r.integers(100, 4_000)))


def _lognormal(r: Random, median: float, sigma: float, count: int) -> Ints:
    return np.minimum(r.lognormal(np.log(median), sigma, count), 1e9).astype(np.int64) + 1


# clocks


def span(r: Random, pauses: Callable[[int], Floats], mean: float, start: float, end: float) -> Floats:
    """Times from `start` to `end`, one pause after another; the first comes after a part of a pause."""
    if end <= start:
        return np.empty(0)
    made = np.empty(0)
    now = start + r.random() * mean
    while now < end:
        more = now + np.concatenate(([0.0], np.cumsum(pauses(int((end - now) / mean * 1.2) + 8))))
        made, now = np.concatenate([made, more[:-1]]), float(more[-1])
    return made[made < end]


def memoryless(r: Random, mean: float, start: float, end: float) -> Floats:
    """Contacts that know nothing of each other, at one rate."""
    return np.sort(r.uniform(start, end, r.poisson(max(end - start, 0) / mean)))


def round_trip(r: Random, count: int) -> Floats:
    """Seconds until an answer is there: most sleeps begin only then."""
    return r.lognormal(np.log(0.2), 0.5, count)


def office_days(r: Random, days: int) -> list[tuple[float, float]]:
    """When somebody works: from eight or nine for eight to ten hours, not at weekends."""
    starts = r.normal(8.7, 0.5, days) * HOUR
    lengths = r.uniform(7.5, 10, days) * HOUR
    return [
        (day * DAY + starts[day], day * DAY + min(starts[day] + lengths[day], DAY - 1))
        for day in range(days)
        if day % 7 < WEEKDAYS
    ]
