"""One look at the page: who looks, at what, when, and at which environments.

One rule: every part of the page is drawn from one look, so that all of them tell the same moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from lakehouse.core import Workspace
from lakehouse.settings import Settings
from portal.page import Visit

BENEATH = "/runs"
"""Below the page's own address: `/pipelines/runs/ID`."""


@dataclass(frozen=True)
class Look:
    """A workspace, the visit that it is shown in, and the present time in the lake's zone."""

    workspace: Workspace
    visit: Visit
    now: datetime

    @classmethod
    def at_once(cls, workspace: Workspace, visit: Visit) -> "Look":
        """The look of this moment."""
        return cls(workspace, visit, datetime.now(UTC).astimezone(workspace.lakehouse.settings.zone))

    @property
    def settings(self) -> Settings:
        """The settings of the lake."""
        return self.workspace.lakehouse.settings

    @property
    def is_engineers(self) -> bool:
        """Whether whoever looks may know of runs more than how they ended."""
        return self.workspace.may("diagnose")

    @cached_property
    def rooms(self) -> Sequence[Workspace]:
        """The present of each environment that is shown: to whoever only reads, that of the portal alone."""
        names = list(self.settings.environments) if self.is_engineers else [self.workspace.env]
        return [in_env(self.workspace, name) for name in names]

    def room(self, env: str) -> Workspace:
        """The present of one environment."""
        return in_env(self.workspace, env)

    @property
    def base(self) -> str:
        """What stands before every address of the portal."""
        return self.settings.server.base_path

    def run_href(self, run: str) -> str:
        """The address of a run's page."""
        return f"{self.base}/pipelines{BENEATH}/{run}"


def in_env(workspace: Workspace, env: str) -> Workspace:
    """The present of another environment, for the same person and as part of the same request."""
    return replace(workspace, env=env, version="now")
