"""What sections of the settings have in common.

One rule: nothing here knows a section.
"""

from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict

NAME = r"^[a-z][a-z0-9_]{0,62}$"


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def known_zone(name: str) -> str:
    """The name of a time zone. Raises `ValueError`."""
    if name not in available_timezones():
        raise ValueError(f"unknown time zone {name!r}; use a name like 'Europe/Berlin' or 'UTC'")
    return name
