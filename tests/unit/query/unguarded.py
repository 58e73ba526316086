"""An ordinary DuckDB without guard or lock, with everything in reach that an attack could want."""

import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from attacks import SECRET, Attack

VISIBLE = ("marts.orders", "marts.regions")

_BEHIND = f"""
create schema lake; create schema marts;
create table lake.salaries (region varchar primary key, word varchar);
insert into lake.salaries values ('N', '{SECRET}');
create table hidden as from lake.salaries; create table keys as from lake.salaries;
create table lake.orders as from (values (1, 'N', 10), (2, 'S', 20), (3, '{SECRET}', 1000)) v(id, region, salary);
create view marts.orders as select id, region from lake.orders where region <> '{SECRET}';
create table marts.regions as from (values ('N', 'North'), ('S', 'South')) v(region, label);
create sequence numbers; create type mood as enum ('a', 'b');
create macro peek() as table from lake.salaries; create macro house_rule() as (select max(word) from lake.salaries);
create macro aside(x) as (select max(word) from lake.salaries);
set variable word = '{SECRET}'; create secret vault (type http, bearer_token '{SECRET}', scope 'http://bucket');
prepare known as select word, '{SECRET}' from lake.salaries;
"""

_DOOMED = """
import duckdb, resource, signal, sys
sql = sys.stdin.read()
resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
connection = duckdb.connect()
connection.execute("set threads = 1")
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
signal.alarm(2)
print(len(connection.execute(sql).fetchall()), "rows")
"""


@dataclass
class Listener:
    """A loopback port that counts who connects and hangs up on them."""

    asked: int = 0
    _socket: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def __post_init__(self) -> None:
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.asked += 1


def world(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection with hidden tables, rows and columns, and files in `folder`; the caller closes it."""
    connection = duckdb.connect(config={"custom_user_agent": SECRET})
    connection.execute(_BEHIND)
    for kind in ("csv", "parquet", "json"):
        connection.execute(f"copy (from lake.salaries) to '{folder}/secret.{kind}'")
    connection.execute(f"attach '{folder}/secret.db' as d; create table d.words as from lake.salaries; detach d")
    return connection


def filled_in(attack: Attack, folder: Path, port: int) -> str:
    """The attack's text for this world."""
    return attack.sql.replace("FOLDER", str(folder)).replace("PORT", str(port))


def outcome(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The rows of a text, or the words of its error."""
    try:
        return str(connection.execute(sql).fetchall())
    except (duckdb.Error, UnicodeDecodeError) as error:
        return str(error)


def doomed(sql: str) -> bool:
    """Whether a process with a second of CPU and 1.5 GB fails to answer."""
    done = subprocess.run([sys.executable, "-c", _DOOMED], input=sql, capture_output=True, text=True)
    return done.returncode != 0
