"""`python -m pipelines.run refresh --env dev --run-id R`: one run in a process of its own.

One rule: standard output carries events and nothing else; what the tools print goes to the run's log, and why a run
did not succeed is one clear sentence on standard error.
"""

import argparse
import logging
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from lakehouse.errors import LakeportError, Stopped, Unavailable
from lakehouse.runs import Runs
from lakehouse.settings import Settings, read_settings
from lakehouse.state.store import open_state
from pipelines import stop
from pipelines.context import (
    JOB,
    JOBS,
    PUBLISH,
    Decided,
    Order,
    RunContext,
    checked_order,
    publish_order,
    run_folder,
)
from pipelines.events import Events
from pipelines.execution import execute
from pipelines.processes import MARK
from pipelines.run_log import LOG_NAME


def main(arguments: list[str] | None = None) -> int:
    """Do one run; returns its exit code."""
    options = parser().parse_args(arguments)
    stop.obey()
    told = os.fdopen(os.dup(2), "w", encoding="utf-8", buffering=1)
    try:
        error, exit_code = _run(read_settings(options.home), options)
    except LakeportError as raised:
        error, exit_code = str(raised), raised.exit_code
    if error is not None:
        with suppress(BrokenPipeError):  # whoever started the run may have gone
            told.write(f"{error}\n")
    return exit_code


def new_run_id() -> str:
    """An id that sorts by time and never comes twice."""
    return time.strftime("%Y%m%dT%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:6]


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.run", description="Do one run of a job.")
    parser.add_argument("job", choices=[*JOBS, PUBLISH])
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("LAKEPORT_HOME", ".")))
    parser.add_argument("--env", default="dev")
    parser.add_argument("--run-id")
    parser.add_argument("--starter", default="operator", help="who started it, for the record")
    parser.add_argument("--source", help="load this source only")
    parser.add_argument("--full", action="store_true", help="load every file again")
    parser.add_argument("--select", action="append", default=[], help="build these models only")
    parser.add_argument("--tests-only", action="store_true", help="test what is released, and build nothing")
    parser.add_argument("--release-of", default="", help="publish what this run has left for a decision")
    parser.add_argument("--reason", default="", help="why it is started or published")
    return parser


def _run(settings: Settings, options: argparse.Namespace) -> tuple[str | None, int]:
    order, run = ordered(settings, options), options.run_id or new_run_id()
    with closing(open_state(settings)) as state:
        Runs(state).begin(run, order.env, JOB, options.starter, order.to_json())
        with _events(settings, run) as (folder, events):
            result, exit_code = execute(RunContext(settings, state, order, run, folder, events))
    return result.get("error"), exit_code


def ordered(settings: Settings, options: argparse.Namespace) -> Order:
    """What the options of the command ask for. Raises what `checked_order` and `publish_order` raise."""
    if options.job == PUBLISH:
        return publish_order(settings, options.env, Decided(options.release_of, options.starter, options.reason))
    return checked_order(
        settings,
        options.env,
        options.job,
        source=options.source,
        select=options.select,
        full=options.full,
        tests_only=options.tests_only,
        reason=options.reason,
    )


@contextmanager
def _events(settings: Settings, run: str) -> Iterator[tuple[Path, Events]]:
    """The run's folder and its events; whatever else is printed goes to the run's log from now on."""
    folder = run_folder(settings, run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / LOG_NAME).open("a", encoding="utf-8", buffering=1)
        out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        events = Events(run, folder / "events.jsonl", out)
    except OSError as error:
        raise Unavailable(f"The folder {folder} cannot be written: {error.strerror}. The run has not begun.") from error
    sys.stdout.flush()
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    logging.basicConfig(stream=log, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.environ[MARK] = str(folder)
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL", DO_NOT_TRACK="1")
    with closing(events):
        yield folder, events


def program() -> NoReturn:
    """Do one run and end the process."""
    exit_code = main()
    if exit_code == Stopped.exit_code:
        # dbt's threads may still be inside DuckDB, and crash a process that takes itself apart around them.
        os._exit(exit_code)
    sys.exit(exit_code)


if __name__ == "__main__":
    program()
