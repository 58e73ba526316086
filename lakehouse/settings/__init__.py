"""What a lake is set to, read once and frozen."""

from lakehouse.settings.reading import FILE_NAME, PREFIX, read_section, read_settings
from lakehouse.settings.schedules import ScheduleSettings
from lakehouse.settings.section import NAME, Section
from lakehouse.settings.sections import (
    FOLDER_NAME,
    PRODUCTION,
    AccessSettings,
    ColumnSettings,
    DbtSettings,
    EnvironmentSettings,
    LakeSettings,
    PublishSettings,
    QuerySettings,
    RetentionSettings,
    RunsSettings,
    ServerSettings,
    Settings,
    SourceSettings,
)

__all__ = [
    "FILE_NAME",
    "FOLDER_NAME",
    "NAME",
    "PREFIX",
    "PRODUCTION",
    "AccessSettings",
    "ColumnSettings",
    "DbtSettings",
    "EnvironmentSettings",
    "LakeSettings",
    "PublishSettings",
    "QuerySettings",
    "RetentionSettings",
    "RunsSettings",
    "ScheduleSettings",
    "Section",
    "ServerSettings",
    "Settings",
    "SourceSettings",
    "read_section",
    "read_settings",
]
