"""What one run works with, and what it is asked to do."""

from dataclasses import dataclass
from pathlib import Path

from lakehouse.settings import Settings
from lakehouse.state.store import State
from pipelines.events import Events

JOB = "refresh"
"""Loading and building are parts of one job: two of them at once would build side by side."""


@dataclass(frozen=True)
class Order:
    """What a run is asked to do."""

    env: str
    load: bool = True
    build: bool = True
    source: str | None = None  # load this one only
    full: bool = False  # load everything again, whatever was loaded before


@dataclass(frozen=True)
class RunContext:
    """One execution: its id, its folder, and everything it needs."""

    settings: Settings
    state: State
    order: Order
    run: str
    folder: Path
    events: Events

    @property
    def env(self) -> str:
        """The environment that is refreshed."""
        return self.order.env

    @property
    def sources(self) -> list[str]:
        """Names of the sources that are looked at."""
        return [self.order.source] if self.order.source else sorted(self.settings.sources)


def run_folder(settings: Settings, run: str) -> Path:
    """Where a run keeps its events, its result and its artefacts."""
    return settings.folder / "runs" / run
