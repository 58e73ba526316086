"""What a load of a source has to do, decided from its files and its last load.

One rule: `append` and `merge` never read a file twice, and never guess what an edited file means.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.errors import FileRefused, RequestWrong
from pipelines.inputs import SourceInputs
from pipelines.loads import Load


@dataclass(frozen=True)
class LoadPlan:
    """Files to read, and what happens to the rows that are there: `mode` is append, merge or replace."""

    source: SourceInputs
    mode: str
    read: tuple[str, ...]
    holds: Mapping[str, str]  # file -> SHA-256 after the load
    vanished: tuple[str, ...]  # files whose rows go


def plan_load(source: SourceInputs, last: Load | None, *, full: bool = False) -> LoadPlan | None:
    """What to do to bring the raw table up to the files; None when it is up to them.

    Raises `FileRefused` or `RequestWrong` when an append or merge would have to guess.
    """
    if full or last is None:  # the first load replaces too: the table may hold what a source of another name has left
        return _replace(source, last)
    if source.settings.disposition == "replace":
        unchanged = last.files == source.files and last.config == source.config
        return None if unchanged else _replace(source, last)
    if last.config != source.config:
        raise RequestWrong(
            f"sources.{source.name}: columns, key or format changed since the table was loaded, and disposition "
            f"{source.settings.disposition!r} keeps its old rows. Undo the change, or load everything again with "
            f"`lakeport refresh --full --source {source.name}`."
        )
    return _further(source, last)


def _replace(source: SourceInputs, last: Load | None) -> LoadPlan:
    vanished = () if last is None else tuple(sorted(set(last.files) - set(source.files)))
    return LoadPlan(source, "replace", tuple(source.files), source.files, vanished)


def _further(source: SourceInputs, last: Load) -> LoadPlan | None:
    changed = [file for file, sha256 in source.files.items() if last.files.get(file, sha256) != sha256]
    if changed and source.settings.disposition == "append":
        raise FileRefused(
            changed[0],
            None,
            "it was changed since it was loaded, and disposition 'append' cannot tell which of its rows are new",
            f'Put new rows into a new file, or set disposition = "replace" in sources.{source.name}.',
        )
    read = tuple(file for file, sha256 in source.files.items() if last.files.get(file) != sha256)
    if not read:
        return None
    return LoadPlan(source, source.settings.disposition, read, {**last.files, **source.files}, ())
