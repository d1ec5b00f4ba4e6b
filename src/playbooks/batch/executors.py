"""Who runs the attempts: this machine, or the workers of a cluster that share its disk."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from playbooks.errors import UsageError
from playbooks.nurseries import shared_nursery


@contextmanager
def executor(workers: int, scheduler: str = "") -> Iterator[Executor]:
    """An Executor for a batch. Each attempt is a process anyway, so here threads do that wait for them.

    The kernels of all cases on this machine come from one process that has imported the guide.

    Parameters
    ----------
    workers
        Attempts at a time.
    scheduler
        Address of a Dask scheduler, such as tcp://10.0.0.1:8786; empty for this machine. Its workers must see the
        folders of the cases under the same names.

    Raises
    ------
    UsageError
        Dask is not installed, or no scheduler answers there.
    """
    if not scheduler:
        with shared_nursery():
            pool = ThreadPoolExecutor(workers, thread_name_prefix="case")
            try:
                yield pool
            finally:
                pool.shutdown(cancel_futures=True)
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            "--scheduler: Dask is not installed. Expected the extra [dask]. Install it: pip install 'playbooks[dask]'"
        ) from error
    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise UsageError(f"--scheduler {scheduler}: no scheduler answers there: {error}") from error
    with client:
        yield client.get_executor(pure=False, retries=3)
