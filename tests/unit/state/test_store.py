"""The state store: made when it is missing, copied and migrated when it is older, refused when it is newer."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from lakehouse.access.audit import Audit
from lakehouse.access.passwords import hash_password
from lakehouse.access.sessions import Sessions
from lakehouse.access.users import Users
from lakehouse.errors import RequestWrong, Unavailable
from lakehouse.settings import Settings
from lakehouse.state.schema import VERSION, metadata, releases, runs, stamp
from lakehouse.state.store import State, migrate, open_state, version

RUN = {
    "id": "r1",
    "env": "dev",
    "job": "refresh",
    "state": "success",
    "starter": "operator:ana",
    "started": "2026-03-31T08:15:00.000000Z",
    "heartbeat": "2026-03-31T08:15:00.000000Z",
}
RELEASE = {
    "env": "dev",
    "number": 1,
    "run": "r1",
    "state": "current",
    "created": "2026-03-31T08:15:00.000000Z",
    "pins": {"raw.sales": {"metadata": "file:///x.json", "snapshot": 7}},
    "intent": {},
    "nodes": {},
}

PASSWORD = "correct horse battery"  # noqa: S105  # of a user that the test makes
OLD_USER = "insert into users values ('ana', 'analyst', false, :hash, :at, :at)"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture(params=["0001", "0002", "0003", "0004", "0006"])
def older(settings: Settings, request: pytest.FixtureRequest) -> Iterator[State]:
    """A store as an earlier version wrote it, with a run and a release."""
    settings.folder.mkdir()
    state = State(settings.state_url)
    migrate(state, request.param)
    with state.write() as connection:
        connection.execute(runs.insert().values(**RUN))
        connection.execute(releases.insert().values(**RELEASE))
    yield state
    state.close()


def copies(settings: Settings) -> list[Path]:
    return sorted((settings.folder / "backups").glob("*.db"))


def shape(engine: Engine) -> dict[str, object]:
    """Tables, with what the migrations and the schema must agree on."""
    found = inspect(engine)
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((index["name"] or "", tuple(index["column_names"])) for index in found.get_indexes(table)),
            sorted(str(unique["name"]) for unique in found.get_unique_constraints(table)),
            [
                (key["constrained_columns"], key["referred_table"], key["options"])
                for key in found.get_foreign_keys(table)
            ],
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_a_missing_store_is_made_at_the_newest_version_and_belongs_to_its_owner_alone(settings: Settings) -> None:
    with closing(open_state(settings)) as state:
        assert version(state) == VERSION

    assert settings.folder.stat().st_mode & 0o777 == 0o700
    assert copies(settings) == []


def test_the_migrations_make_what_the_schema_says(settings: Settings, tmp_path: Path) -> None:
    declared = State(f"sqlite:///{tmp_path / 'declared.db'}")
    metadata.create_all(declared.engine)

    with closing(open_state(settings)) as state, closing(declared):
        assert shape(state.engine) == shape(declared.engine)


def test_an_older_store_is_copied_then_migrated_and_keeps_its_rows(settings: Settings, older: State) -> None:
    before = version(older)

    with closing(open_state(settings)) as state, state.read() as connection:
        run = connection.execute(select(runs)).one()
        release = connection.execute(select(releases)).one()

    assert version(older) == VERSION
    assert (run.id, run.started, release.number, release.pins) == ("r1", RUN["started"], 1, RELEASE["pins"])
    (copy,) = copies(settings)
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("select version_num from alembic_version").fetchall() == [(before,)]
        assert kept.execute("select id from runs").fetchall() == [("r1",)]


def test_a_store_with_users_keeps_them_and_their_sessions(settings: Settings) -> None:
    settings.folder.mkdir()
    with closing(State(settings.state_url)) as before:
        migrate(before, "0003")
        with before.write() as connection:
            connection.execute(text(OLD_USER), {"at": stamp(datetime.now(UTC)), "hash": hash_password(PASSWORD)})
            connection.execute(
                text("insert into sessions values (:id, 'ana', :at, :at)"),
                {"id": hashlib.sha256(b"her token").hexdigest(), "at": stamp(datetime.now(UTC))},
            )

    with closing(open_state(settings)) as state:
        found = Sessions(state, settings.access).find("her token")
        known = Users(state).authenticate("ana", PASSWORD)

        assert found == known is not None
        assert (found.name, found.role, found.disabled) == ("ana", "analyst", False)
        assert Audit(state, settings.retention).verify().bad is None


def test_an_older_store_is_copied_once(settings: Settings, older: State) -> None:
    open_state(settings).close()
    open_state(settings).close()

    assert len(copies(settings)) == 1


def test_a_newer_store_is_refused_with_both_versions_and_left_alone(settings: Settings) -> None:
    with closing(open_state(settings)) as state:
        with state.write() as connection:
            connection.execute(text("update alembic_version set version_num = '9999'"))

        with pytest.raises(RequestWrong, match=f"version 9999.*versions up to {VERSION}"):
            open_state(settings)

        assert version(state) == "9999"
    assert copies(settings) == []


def test_a_transaction_that_fails_stores_nothing(settings: Settings) -> None:
    with closing(open_state(settings)) as state:
        twice = [RUN, RUN]
        with pytest.raises(IntegrityError), state.write() as connection:
            connection.execute(runs.insert(), twice)

        with state.read() as connection:
            assert connection.execute(select(runs)).all() == []


def test_a_reader_keeps_its_state_while_another_writes(settings: Settings) -> None:
    with closing(open_state(settings)) as state, state.read() as reader:
        before = reader.execute(select(runs)).all()
        with state.write() as writer:
            writer.execute(runs.insert().values(**RUN))
        after = reader.execute(select(runs)).all()

        assert before == after == []
        with state.read() as later:
            assert len(later.execute(select(runs)).all()) == 1


def test_a_store_that_another_program_holds_is_named_as_locked(settings: Settings) -> None:
    open_state(settings).close()
    with closing(sqlite3.connect(settings.folder / "state.db")) as other:
        other.execute("begin immediate")
        impatient = State(settings.state_url)
        with impatient.engine.connect() as connection:
            connection.exec_driver_sql("pragma busy_timeout = 50")

        with pytest.raises(Unavailable, match="holds it locked"), impatient.write() as connection:
            connection.execute(runs.insert().values(**RUN))
        impatient.close()


def test_a_store_that_is_damaged_is_named_as_such(settings: Settings) -> None:
    with closing(open_state(settings)) as state, state.write() as connection:
        connection.execute(runs.insert(), [{**RUN, "id": f"r{number}", "error": "x" * 4000} for number in range(200)])
    file = settings.folder / "state.db"  # closing has written everything into this one file
    head, size = file.read_bytes()[:4096], file.stat().st_size
    file.write_bytes(head + b"\xff" * (size - len(head)))

    with closing(State(settings.state_url)) as state:
        with pytest.raises(Unavailable, match="is damaged"):
            state.check()
        with pytest.raises(Unavailable, match="is damaged"), state.read() as connection:
            connection.execute(select(runs)).all()


def test_a_store_that_was_removed_is_missed_at_once(settings: Settings) -> None:
    with closing(open_state(settings)) as state:
        with state.read() as connection:
            assert connection.execute(select(runs)).all() == []
        (settings.folder / "state.db").unlink()

        for use in (state.read, state.write):
            with pytest.raises(Unavailable, match="is gone"), use() as connection:
                connection.execute(select(runs)).all()
        assert not (settings.folder / "state.db").exists()


def test_a_store_that_was_restored_is_read_without_a_restart(settings: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other")
    with closing(open_state(other)) as state, state.write() as connection:
        connection.execute(runs.insert().values(**RUN))

    with closing(open_state(settings)) as state:
        with state.read() as connection:
            before = connection.execute(select(runs.c.id)).all()
        for leftover in settings.folder.glob("state.db-*"):  # they belong to the store that is replaced
            leftover.unlink()
        (other.folder / "state.db").replace(settings.folder / "state.db")
        with state.read() as connection:
            after = connection.execute(select(runs.c.id)).all()

    assert (before, after) == ([], [("r1",)])


def test_a_file_that_is_no_database_is_named_as_such(settings: Settings) -> None:
    settings.folder.mkdir()
    (settings.folder / "state.db").write_text("not a database, by any means\n" * 100)

    with pytest.raises(Unavailable, match="not a database"):
        open_state(settings)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="cannot be made"):
        open_state(Settings(home=tmp_path / "file"))
