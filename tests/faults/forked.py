"""Refreshes in processes that have every import behind them: forked from one that only imports, in half the time.

One rule: where they are forked from, no run has begun and DuckDB is not loaded, which starts a thread at once.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pipelines.run

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    ["dlt", "dbt.cli.main", "dbt.task.build", "pyiceberg.catalog.sql", "pipelines.publish", "pipelines.load"]
)


def run(point: str, words: list[str], environ: Mapping[str, str], seconds: float) -> tuple[int, str, str]:
    """Exit code (minus the signal that killed it), output and errors of a run, with a point of `child.py` or without.

    Raises `TimeoutError` when it does not end in so many seconds, after it was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "out"), Path(folder, "error")
        process: Any = FORKED.Process(target=begin, args=(point, words, dict(environ), *told))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{point} {words} did not end in {seconds} s")
        out, error = (file.read_text() for file in told)
        return process.exitcode, out, error


def begin(point: str, words: list[str], environ: Mapping[str, str], *told: Path) -> None:
    """What the forked process does instead of being started with these words in this environment."""
    os.environ.clear()
    os.environ.update(environ)
    for number, path in enumerate(told, start=1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.argv[:] = ["pipelines.run", *words]
    if point:
        import child  # here, because it imports parts of the run and the tests' own process shall not

        child.main([point, *words])
    pipelines.run.program()
