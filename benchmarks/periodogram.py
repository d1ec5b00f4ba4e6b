"""msticpy's PeriodogramPollingDetector as a score, where scipy is installed: it is no dependency of the project."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.series import Floats, Series

ABSENT = "msticpy's PeriodogramPollingDetector: left out, scipy (msticpy[ml]) is not installed"


def is_available() -> bool:
    """Whether the detector can be imported."""
    return importlib.util.find_spec("scipy") is not None


def by_periodogram(series: Sequence[Series], window: tuple[float, float]) -> Floats:
    """1 less the p value of Fisher's g test, per series; NaN for series of under two seconds."""
    from msticpy.analysis.polling_detection import PeriodogramPollingDetector

    found = np.full(len(series), np.nan)
    for place, one in enumerate(series):
        times = np.floor(one.times).astype(np.int64)
        if len(times) and times[-1] > times[0] + 1:
            detector = PeriodogramPollingDetector(pd.DataFrame({"time": times}))
            detector.detect_polling("time")
            found[place] = 1 - detector.data["p_value"].iloc[0]
    return found
