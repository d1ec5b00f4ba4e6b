"""A real Spark standalone cluster on loopback: one master, two workers, each a process of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

WORKERS = 2
READY_WITHIN_S = 180
# small plans over small tables: most of the time of a test would go into compiling them
SETTINGS = {
    "spark.executor.memory": "700m",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def why_not() -> str | None:
    """Why no cluster can be started here."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed (extra [spark])"
    return None if shutil.which("java") else "Java is not installed"


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Address of a master with its workers registered; everything is bound to loopback, and stopped at the end."""
    import pyspark

    home = Path(pyspark.__file__).parent
    port = _free_port()
    master = f"spark://127.0.0.1:{port}"
    shared = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    environment = {**os.environ, **shared, "SPARK_DAEMON_MEMORY": "256m"}
    deploy = "org.apache.spark.deploy"
    off = ("--webui-port", "0")
    commands = [["master", f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), *off]]
    for name in (f"worker-{at}" for at in range(1, WORKERS + 1)):
        size = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / name))
        commands.append([name, f"{deploy}.worker.Worker", "--host", "127.0.0.1", *size, *off, master])
    running = []
    try:
        for name, *command in commands:
            with (folder / f"{name}.log").open("w") as log:
                start = [str(home / "bin" / "spark-class"), *command]
                running.append(subprocess.Popen(start, env=environment, stdout=log, stderr=subprocess.STDOUT))
        _wait_for_workers(folder / "master.log")
        yield master
    finally:
        for one in reversed(running):
            one.terminate()
        for one in running:
            one.wait(timeout=60)


def _wait_for_workers(log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while log.read_text(encoding="utf-8").count("Registering worker") < WORKERS:
        assert time.monotonic() < until, log.read_text(encoding="utf-8")[-2000:]
        time.sleep(0.2)
