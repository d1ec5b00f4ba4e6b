"""Slurm: workers as jobs through dask-jobqueue, and a batch over them. Run it on the login node.

Needs the extra [dask] and dask-jobqueue. The folders of the cases must have the same names on every node.
"""

import subprocess
import sys

from dask_jobqueue import SLURMCluster


def cluster() -> SLURMCluster:
    """One case at a time a job, 8 GB each; `job_script()` of it tells what is submitted."""
    return SLURMCluster(
        cores=1, processes=1, memory="8GB", walltime="08:00:00", queue="batch", python=sys.executable
    )  # fmt: skip


if __name__ == "__main__":
    with cluster() as jobs:
        jobs.scale(jobs=16)
        command = ["playbooks", "batch", *sys.argv[1:], "--workers", "16", "--scheduler", jobs.scheduler_address]
        sys.exit(subprocess.run(command, check=False).returncode)
