"""Many series of times at once."""

from __future__ import annotations

import numpy as np

from playbooks.scoping.series import order_within


def test_order_within_is_that_of_a_sort_by_all_keys() -> None:
    """Few values, so that many are equal; the last key decides among those equal in all before it."""
    draw = np.random.default_rng(7)
    series, values, finer = draw.integers(0, 9, 2_000), draw.integers(-5, 5, 2_000), draw.integers(0, 3, 2_000)
    last = draw.permutation(2_000)
    expected = np.lexsort((last, finer, values, series))
    assert order_within(series, values, finer, last).tolist() == expected.tolist()


def test_no_value_has_no_order() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert order_within(none, none, none).tolist() == []
