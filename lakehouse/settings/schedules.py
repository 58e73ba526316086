"""`[schedules.<name>]`: runs that start by themselves.

One rule: whatever would keep a schedule from starting its run is found when the settings are read, at its own line.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from lakehouse.cron import known_cron
from lakehouse.settings.section import Section, known_zone


def _known_zone_or_none(name: str) -> str:
    return known_zone(name) if name else name


class ScheduleSettings(Section):
    """A run that starts by itself, and when."""

    env: str = Field(description="Environment that the run works on.")
    job: Literal["refresh", "load", "build"] = Field("refresh", description="What is started.")
    source: str | None = Field(None, description="Load this source only; default: all.")
    full: bool = Field(False, description="Whether every file is loaded again.")
    cron: Annotated[str, AfterValidator(known_cron)] = Field(
        description="When, as cron has it: minute, hour, day of month, month, day of week."
    )
    timezone: Annotated[str, AfterValidator(_known_zone_or_none)] = Field(
        "", description="Time zone of `cron`; empty: that of the lake."
    )
    late_minutes: float = Field(
        60, ge=0, le=1440, description="How late a start that nothing could make in time is made up for, once."
    )


def check_schedules(
    schedules: Mapping[str, ScheduleSettings], environments: Collection[str], sources: Collection[str]
) -> None:
    """Raise `ValidationError` unless every schedule names what is there, and what goes together."""
    wrong = [
        InitErrorDetails(
            type=PydanticCustomError("schedule", "{said}", {"said": said}), loc=("schedules", name, key), input=None
        )
        for name, schedule in schedules.items()
        for key, said in _mistakes(schedule, environments, sources)
    ]
    if wrong:
        raise ValidationError.from_exception_data("schedules", wrong)


def _mistakes(
    schedule: ScheduleSettings, environments: Collection[str], sources: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Each key that is wrong beside the other settings, and why."""
    if schedule.env not in environments:
        yield "env", f"there is no environment {schedule.env!r}; known: {', '.join(environments)}"
    if schedule.job == "build":
        if schedule.source is not None:
            yield "source", "a build loads nothing; leave it out, or make job a refresh or a load"
        if schedule.full:
            yield "full", "a build loads nothing; leave it out, or make job a refresh or a load"
    elif not sources:
        yield "job", "there are no sources to load; add a section [sources.NAME], or make job a build"
    elif schedule.source is not None and schedule.source not in sources:
        yield "source", f"there is no source {schedule.source!r}; known: {', '.join(sources)}"
