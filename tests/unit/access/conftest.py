"""A state store of a test's own, and what stands in its tables."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, event, select

from lakehouse.access.audit import Audit
from lakehouse.access.request import Request
from lakehouse.access.users import Users
from lakehouse.settings import RetentionSettings, Settings
from lakehouse.state.store import State, open_state

PASSWORD = "correct horse battery"  # noqa: S105  # what the tests log in with

RECORDS = 12


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def state(settings: Settings) -> Iterator[State]:
    with closing(open_state(settings)) as opened:
        yield opened


@pytest.fixture
def users(state: State) -> Users:
    """Users, of whom ana, an analyst, is one."""
    made = Users(state)
    made.add("ana", PASSWORD, "analyst")
    return made


@pytest.fixture
def audit(state: State) -> Audit:
    return Audit(state, RetentionSettings())


@pytest.fixture
def filled(audit: Audit) -> Audit:
    """An audit with twelve records."""
    for number in range(RECORDS):
        audit.write(Request(principal=f"user{number % 3}", action="page", target=f"/page{number}"), "allowed", 200)
    return audit


def rows(state: State, table: Table) -> list[dict[str, Any]]:
    """All rows of a table."""
    with state.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def put(state: State, table: Table, **values: Any) -> None:
    """Set columns of every row, as the time that passes would."""
    with state.write() as connection:
        connection.execute(table.update().values(**values))


def stored_bytes(settings: Settings) -> bytes:
    """Everything that the store's files hold."""
    return b"".join(path.read_bytes() for path in settings.folder.glob("state.db*"))


@contextmanager
def statements(state: State) -> Iterator[list[str]]:
    """What is said to the database inside the block, without the beginnings and ends of transactions."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("begin", "pragma")):
            said.append(statement)

    event.listen(state.engine, "before_cursor_execute", hear)
    yield said
    event.remove(state.engine, "before_cursor_execute", hear)
