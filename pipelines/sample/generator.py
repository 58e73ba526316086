"""Writes sample data as a CSV file: the thousand, or a realistic set of any size.

One rule: the file appears under its name only when it is whole.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from lakehouse.errors import RequestWrong, Unavailable
from pipelines.sample import realistic, thousand

MOST_ROWS = 1_000_000_000


def write_sample(
    path: Path,
    rows: int = thousand.ROWS,
    seed: int = thousand.SEED,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes `rows` order lines to `path`, replacing what stands there.

    1,000 rows with seed 42 are exactly the thousand; anything else is a realistic set, which is a function of `rows`
    and `seed` (not a longer or shorter piece of another). `on_progress` is told the rows done and the rows in all.
    Raises `RequestWrong` for numbers out of range and `Unavailable` when the file cannot be written.
    """
    if not 1 <= rows <= MOST_ROWS:
        raise RequestWrong(f"{rows:,} rows of sample data cannot be made. Ask for 1 to {MOST_ROWS:,}.")
    if not 0 <= seed < 2**64:
        raise RequestWrong(f"{seed} cannot be a seed. Use a whole number from 0 to 2^64 - 1.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(partial, rows, seed, on_progress)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{path} could not be written: {error.strerror}. Make room there or choose another place."
        ) from error


def _write(path: Path, rows: int, seed: int, on_progress: Callable[[int, int], None] | None) -> None:
    done = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{thousand.HEADER}\n")
        for lines in _chunks(rows, seed):
            file.write("\n".join(lines))
            file.write("\n")
            done += len(lines)
            if on_progress is not None:
                on_progress(done, rows)
        file.flush()
        os.fsync(file.fileno())


def _chunks(rows: int, seed: int) -> Iterator[list[str]]:
    if (rows, seed) == (thousand.ROWS, thousand.SEED):
        yield list(thousand.thousand())
    else:
        yield from realistic.lines(rows, seed)
