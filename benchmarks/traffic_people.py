"""People and what their programs do on demand: heavy-tailed pauses, bursts, sittings; no interval by design."""

from __future__ import annotations

import numpy as np

from benchmarks.series import (
    DAY,
    HOUR,
    MINUTE,
    Contacts,
    Draw,
    Floats,
    Ints,
    Random,
    memoryless,
    office_days,
    one_size,
    tasked,
    varied,
)


def sittings(r: Random, days: int, each_day: float, minutes: float) -> list[tuple[float, float]]:
    """When somebody sits down at something: so many times a working day on average, heavy-tailed in length."""
    found = []
    for begin, end in office_days(r, days):
        for start in np.sort(r.uniform(begin, end, max(1, r.poisson(each_day)))):
            found.append((float(start), min(float(start) + r.lognormal(np.log(minutes), 0.9) * MINUTE, end)))
    return found


def heavy_tailed(r: Random, median: float, sigma: float, start: float, end: float) -> Floats:
    """Times from `start` to `end` whose pauses span orders of magnitude."""
    count = int(max(end - start, 0) / median) + 20
    times = start + np.concatenate(([0.0], np.cumsum(r.lognormal(np.log(median), sigma, count))))
    return times[times < end]


def bursts(r: Random, starts: Floats, sizes: Ints, pause: float) -> Floats:
    """At each start so many requests, memoryless and close together."""
    steps = r.exponential(pause, int(sizes.sum()))
    firsts = np.cumsum(sizes) - sizes
    steps[firsts] = 0
    run = np.cumsum(steps)
    return np.repeat(starts - run[firsts], sizes) + run


def heavy_counts(r: Random, count: int, median: float, sigma: float, most: int) -> Ints:
    """How many requests each of so many pages, jobs or messages takes."""
    return np.clip(r.lognormal(np.log(median), sigma, count), 1, most).astype(np.int64)


def clicks(r: Random, days: int, each_day: float, minutes: float) -> Floats:
    """Moments at which somebody turns to another page."""
    median, sigma = r.uniform(10, 60), r.uniform(1.0, 1.6)
    parts = [heavy_tailed(r, median, sigma, *sitting) for sitting in sittings(r, days, each_day, minutes)]
    return np.sort(np.concatenate(parts)) if parts else np.empty(0)


def browsing(r: Random, days: int, each_day: float) -> Contacts:
    """Somebody's visits to one host: sittings, pages, and the requests of each page that this host serves."""
    pages = clicks(r, days, each_day, 8)
    return varied(r, np.sort(bursts(r, pages, heavy_counts(r, len(pages), r.uniform(1, 6), 0.8, 60), 0.5)))


def reading(r: Random, days: int) -> Contacts:
    """One request a page: articles, tickets, wiki pages."""
    return varied(r, clicks(r, days, r.uniform(2, 12), r.uniform(5, 30)))


def page_loads(r: Random, days: int) -> Contacts:
    """Pages of 5 to 80 requests each."""
    pages = clicks(r, days, r.uniform(2, 10), r.uniform(3, 15))
    return varied(r, np.sort(bursts(r, pages, heavy_counts(r, len(pages), 15, 0.8, 80), 0.4)))


def at_any_hour(r: Random, days: int) -> Contacts:
    """Memoryless requests of any size: the sum of many causes."""
    return varied(r, memoryless(r, DAY / 10 ** r.uniform(1.2, 3.5), 0, days * DAY))


def at_any_hour_one_size(r: Random, days: int) -> Contacts:
    """Memoryless requests of one size: a health check behind a balancer, a licence call at each start."""
    return one_size(r, memoryless(r, DAY / 10 ** r.uniform(1.2, 3.5), 0, days * DAY))


def by_day(r: Random, days: int) -> Contacts:
    """Memoryless, with a rate that follows working hours and a tenth of it by night."""
    mean = 10 ** r.uniform(1.0, 3.0)
    parts = [memoryless(r, mean * 10, 0, days * DAY)]
    parts += [memoryless(r, mean, *hours) for hours in office_days(r, days)]
    return varied(r, np.sort(np.concatenate(parts)))


def reconnects(r: Random, days: int) -> Contacts:
    """A chat whose connection lasts minutes to hours and is made again at once, with a few retries."""
    lasting, parts = r.uniform(5, 40) * MINUTE, []
    for begin, end in office_days(r, days):
        starts = heavy_tailed(r, lasting, r.uniform(1.0, 1.5), begin, end)
        tries = r.geometric(0.7, len(starts)).astype(np.int64)
        parts.append(bursts(r, starts, tries, r.uniform(1, 10)))
    return tasked(r, np.sort(np.concatenate(parts)))


def usage_telemetry(r: Random, days: int) -> Contacts:
    """What a program reports of its use: an event starts a timer of some seconds, then a batch is sent."""
    held, median, parts = r.uniform(5, 30), r.uniform(15, 90), []
    for start, end in sittings(r, days, r.uniform(4, 12), r.uniform(10, 40)):
        events = heavy_tailed(r, median, 1.4, start, end)
        parts.append(held_back(events, held))
    return tasked(r, np.sort(np.concatenate(parts)))


def held_back(events: Floats, held: float) -> Floats:
    """When batches leave: so long after the first event that is not in an earlier batch."""
    sent: list[float] = []
    for event in events.tolist():
        if not sent or event > sent[-1]:
            sent.append(event + held)
    return np.array(sent)


def drained(r: Random, days: int) -> Contacts:
    """A queue that is emptied when something comes in: messages by the dozen, at any hour."""
    arrivals = memoryless(r, DAY / r.uniform(8, 120), 0, days * DAY)
    return one_size(r, np.sort(bursts(r, arrivals, heavy_counts(r, len(arrivals), 5, 1.0, 200), 0.7)))


def analytics(r: Random, days: int) -> Contacts:
    """Advertisement and measurement: a few calls at each page, one more when it is left."""
    pages = clicks(r, days, r.uniform(4, 15), r.uniform(5, 20))
    shown = bursts(r, pages, heavy_counts(r, len(pages), 3, 0.7, 20), 0.8)
    left = pages + r.lognormal(np.log(15), 1.2, len(pages))
    return varied(r, np.sort(np.concatenate([shown, left[r.random(len(left)) < 0.6]])))


def streaming(r: Random, days: int) -> Contacts:
    """Film on demand: a burst fills the buffer, then pieces come as the line and the viewer's pauses allow."""
    parts = []
    for day in range(days):
        for start in day * DAY + r.uniform(10, 22, r.poisson(1.5) + 1) * HOUR:
            end = min(start + r.lognormal(np.log(35), 0.6) * MINUTE, (day + 1) * DAY)
            filling = start + np.cumsum(r.exponential(0.5, 20))
            parts += [filling, heavy_tailed(r, r.uniform(3, 9), r.uniform(0.5, 0.9), start + 12, end)]
    made = varied(r, np.sort(np.concatenate(parts)))
    return Contacts(made.times, np.full(len(made.times), r.integers(400, 900)), made.bytes_in * 20)


def builds(r: Random, days: int) -> Contacts:
    """Pushes in working hours, each of which starts a job that fetches dozens of parts; some fail and run again."""
    pushes = np.concatenate([memoryless(r, r.uniform(15, 90) * MINUTE, *hours) for hours in office_days(r, days)])
    again = pushes[r.random(len(pushes)) < 0.3] + r.lognormal(np.log(300), 0.8, 1)
    jobs = np.sort(np.concatenate([pushes, again]))
    return varied(r, np.sort(bursts(r, jobs, heavy_counts(r, len(jobs), 20, 1.0, 300), r.uniform(0.3, 3))))


def autosave(r: Random, days: int) -> Contacts:
    """A document in the browser: saved a few seconds after each stretch of typing."""
    parts = [
        held_back(heavy_tailed(r, r.uniform(4, 15), 1.5, *sitting), float(r.choice([2, 3, 5])))
        for sitting in sittings(r, days, r.uniform(2, 8), r.uniform(10, 45))
    ]
    return tasked(r, np.sort(np.concatenate(parts)))


def downloads(r: Random, days: int) -> Contacts:
    """Something large in many parts, once to four times a day."""
    starts = np.sort(r.uniform(0, days * DAY, r.integers(days, 4 * days + 1)))
    return varied(r, np.sort(bursts(r, starts, heavy_counts(r, len(starts), 80, 1.0, 2_000), r.uniform(0.1, 2))))


def lookups(answered: Draw) -> Draw:
    """The DNS side of such traffic: a lookup when a connection has to be made and the cache knows no more.

    Browsers keep connections for half a minute to two of silence. A name that others of the house use, too,
    comes from the resolver's cache with what is left of its life; a rare one with all of it.
    """

    def draw(r: Random, days: int) -> Contacts:
        uses = answered(r, days).times
        connected = uses[np.diff(uses, prepend=-np.inf) > r.choice([30, 60, 120])]
        life = float(r.choice([60, 120, 300]))
        popular = r.random() < 0.5
        lives = r.uniform(1, life, len(connected)) if popular else np.full(len(connected), life)
        return tasked(r, asked(connected, lives))

    return draw


def asked(uses: Floats, lives: Floats) -> Floats:
    """Those uses of a name that find no answer in a cache; an answer lives as long as `lives` says at its use."""
    kept, forgets = [], -np.inf
    for use, life in zip(uses.tolist(), lives.tolist(), strict=True):
        if use >= forgets:
            kept.append(use)
            forgets = use + life
    return np.array(kept)


def quick_replies(r: Random, days: int) -> Contacts:
    """Messages to and fro: answers within seconds, silence for an hour."""
    talks = np.concatenate([memoryless(r, r.uniform(20, 90) * MINUTE, *hours) for hours in office_days(r, days)])
    return varied(r, np.sort(bursts(r, np.sort(talks), heavy_counts(r, len(talks), 8, 1.0, 100), r.uniform(5, 25))))
