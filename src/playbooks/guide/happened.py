"""What happened when, over all findings and leads."""

from __future__ import annotations

from typing import Any

import pandas as pd

from playbooks import schema


def timeline(found: dict[str, Any], activity: pd.DataFrame, related: pd.DataFrame) -> pd.DataFrame:
    """What happened when: first and last contact of findings, cloud events behind them, and what was related."""
    events = activity.set_index("ref")
    rows = []
    for finding in [*found["findings"], *found["leads"]]:
        for edge in ("first_seen", "last_seen"):
            words = edge.replace("_", " ")
            rows.append((pd.Timestamp(finding[edge]), finding["id"], words, finding["title"], None))
        refs = dict.fromkeys(ref for signal in finding["signals"] for ref in signal["refs"])
        for ref in (ref for ref in refs if ref in events.index):
            held: list[Any] = list(events.loc[[ref]].itertuples())  # one record can hold several events
            for event in held:
                what = f"{event.principal} called {event.operation_base} on {event.resource} ({event.outcome})"
                rows.append((event.time, finding["id"], event.phase, what, ref))
    rows += list(related[["time", "finding", "stage", "sentence", "ref"]].itertuples(index=False, name=None))
    frame = pd.DataFrame(rows, columns=list(schema.TIMELINE.names))
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return frame.sort_values(["time", "finding", "kind", "what"], ignore_index=True)
