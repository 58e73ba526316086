"""Makes a new lake: a folder with settings, and its own folder that keeps itself out of Git."""

from importlib import resources
from pathlib import Path

from lakehouse.errors import LakeportError, RequestWrong, Unavailable, UnknownName
from lakehouse.settings import FILE_NAME, read_settings
from lakehouse.state.store import open_state

TEMPLATES = ("sales", "empty")


def create_lake(home: Path, template: str, preface: str = "", appendix: str = "") -> Path:
    """Make a lake in `home` and return where that is. Raises `RequestWrong` where there is one already.

    `preface` is what `lakeport.toml` begins with, before the template; `appendix` stands behind it.
    """
    if template not in TEMPLATES:
        raise UnknownName("template", template, list(TEMPLATES))
    home = home.expanduser().resolve()
    file = home / FILE_NAME
    if file.exists():
        raise RequestWrong(f"There is a lake in {home} already: {FILE_NAME} exists.")
    text = resources.files("pipelines").joinpath("templates", f"{template}.toml").read_text(encoding="utf-8")
    try:
        home.mkdir(parents=True, exist_ok=True)
        file.write_text(preface + text + appendix, encoding="utf-8")
        open_state(read_settings(home)).close()
    except LakeportError:
        file.unlink()  # a wrong variable, or no state store: half a lake would be in the way of the next try
        raise
    except OSError as error:
        raise Unavailable(f"No lake can be made in {home}: {error.strerror}.") from error
    return home
