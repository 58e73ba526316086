"""What a page costs over HTTP, with session and policy on, beside plain DuckDB on the same pins in the same run."""

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse, Workspace
from lakehouse.query.engine import connect, table_function
from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from portal.page import Visit
from portal.sales import Sales
from tests.bench.measured import cost_of, cpu_of_tree, free_port, show
from tests.portal.visitor import PASSWORD, ROUTER

pytestmark = pytest.mark.bench

TIMES = 40


@dataclass
class Client:
    """One browser's connection, with its cookies."""

    connection: http.client.HTTPConnection
    cookies: dict[str, str]

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> bytes:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Cookie": cookies, "Accept-Encoding": "br", **headers}
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        for name, value in answer.getheaders():
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        assert answer.status < 400, (answer.status, path)
        return answer.read()

    def log_in(self) -> None:
        form = self.ask("GET", "/login", **{"Accept-Encoding": "identity"}).decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert token is not None
        fields = {"username": "ann", "password": PASSWORD, "csrf_token": token[1]}
        self.ask("POST", "/login", urlencode(fields), **{"Content-Type": "application/x-www-form-urlencoded"})
        self.ask("GET", "/revenue")

    def callback(self, output: str, outputs: Any, inputs: list[Any], state: list[Any]) -> bytes:
        body = {"output": output, "outputs": outputs, "inputs": inputs, "state": state, "changedPropIds": []}
        headers = {"Content-Type": "application/json", "X-CSRFToken": self.cookies["_csrf_token"]}
        return self.ask("POST", "/_dash-update-component", json.dumps(body), **headers)

    def page(self, search: str) -> bytes:
        outputs = [{"id": one, "property": "children"} for one in ("shell-menu", "shell-page")]
        return self.callback(ROUTER, outputs, [*place(search), value("shell-theme", "data", None)], [])

    def tile(self, least: int) -> bytes:
        """The smallest callback: one plan, one tile."""
        output = {"id": "tile-place", "property": "children"}
        return self.callback("tile-place.children", output, [value("tile-least", "value", least)], [])


def value(component: str, kind: str, given: Any) -> dict[str, Any]:
    return {"id": component, "property": kind, "value": given}


def place(search: str) -> list[dict[str, Any]]:
    return [value("shell-location", "pathname", "/revenue"), value("shell-location", "search", search)]


@dataclass(frozen=True)
class Bench:
    """A served lake, somebody who is logged in, and the same lake opened here."""

    client: Client
    server: int
    workspace: Workspace


@pytest.fixture(params=["1,000 lines", "the bench's lines"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, rows: int) -> Iterator[tuple[Bench, int]]:
    lines = 1000 if request.param == "1,000 lines" else rows
    home = create_lake(tmp_path / "lake", "sales")
    write_sample(home / "data" / "sales.csv", lines)
    cost_of(["pipelines.run", "refresh", "--home", str(home)], home)
    port = free_port()
    with Lakehouse.open(home) as lakehouse:
        lakehouse.users.add("ann", PASSWORD, "viewer")
        command = [sys.executable, "-m", "tests.bench.tile_server", str(home), str(port)]
        server = subprocess.Popen(command)
        client = Client(_connected(port), {})
        try:
            client.log_in()
            yield Bench(client, server.pid, lakehouse.as_user(operator())), lines
        finally:
            client.connection.close()
            server.terminate()
            server.wait(30)


def _connected(port: int) -> http.client.HTTPConnection:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.connect()
        except OSError:
            time.sleep(0.1)
        else:
            return connection
    pytest.fail("The portal did not start.")


def test_the_cost_of_a_page_beside_plain_duckdb(bench: tuple[Bench, int]) -> None:
    served, lines = bench
    client = served.client
    searches = _periods(served.workspace)
    new = iter(searches)
    least = iter(range(1, TIMES + 1))
    plain = _plain(served.workspace)
    texts = iter([_statements(served.workspace, search) for search in searches])
    client.connection.close()  # the server may have given it up meanwhile; the next request opens it again
    client.page("?period=all")
    client.tile(0)

    table = [
        ("page, asked before", *_cost(served, lambda: client.page("?period=all"))),
        ("page, never asked", *_cost(served, lambda: client.page(next(new)))),
        ("tile, asked before", *_cost(served, lambda: client.tile(0))),
        ("tile, never asked", *_cost(served, lambda: client.tile(next(least)))),
        ("plain DuckDB, the page's statements", *_alone(plain, lambda: next(texts))),
    ]
    show(f"{lines:,} lines, {TIMES} each, in ms", ("what", "p50", "p95", "web CPU", "with query workers' CPU"), table)


def _periods(workspace: Workspace) -> list[str]:
    """Addresses of different periods, which nobody has asked for."""
    bounds = Sales(workspace, Visit("/revenue")).bounds
    assert bounds is not None
    return [f"?from={bounds.first + timedelta(days=1 + number)}&grain=week" for number in range(TIMES)]


def _cost(served: Bench, ask: Callable[[], object]) -> tuple[str, ...]:
    """p50, p95, CPU of the web processes and of all processes per request, in ms."""
    spent, (web, everything) = [], cpu_of_tree(served.server)
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - began) * 1000)
    web_after, everything_after = cpu_of_tree(served.server)
    cpu = ((web_after - web) * 1000 / TIMES, (everything_after - everything) * 1000 / TIMES)
    return (*_percentiles(spent), *(f"{one:.1f}" for one in cpu))


def _alone(plain: Any, statements: Callable[[], list[str]]) -> tuple[str, ...]:
    spent, cpu = [], time.process_time()
    for _ in range(TIMES):
        texts = statements()
        began = time.perf_counter()
        for text in texts:
            plain.execute(text).fetchall()
        spent.append((time.perf_counter() - began) * 1000)
    return (*_percentiles(spent), "", f"{(time.process_time() - cpu) * 1000 / TIMES:.1f}")


def _percentiles(spent: list[float]) -> tuple[str, str]:
    ordered = sorted(spent)
    return f"{ordered[len(ordered) // 2]:.1f}", f"{ordered[int(len(ordered) * 0.95)]:.1f}"


def _plain(workspace: Workspace) -> Any:
    """DuckDB alone on the same pins."""
    plain = connect("1GB", workspace.lakehouse.settings.query.threads)
    plain.execute("create schema marts")
    plain.execute(
        f"create view marts.order_lines as select * from {table_function(workspace.pins['marts.order_lines'])}"
    )
    return plain


class _Listener:
    """A workspace that remembers the statements of what it is asked."""

    def __init__(self, workspace: Workspace) -> None:
        self.statements, self._workspace = list[str](), workspace

    def __getattr__(self, name: str) -> Any:
        return getattr(self._workspace, name)

    def measure(self, plan: Any) -> Any:
        measured = self._workspace.measure(plan)
        self.statements.append(measured.compiled.sql)
        return measured


def _statements(workspace: Workspace, search: str) -> list[str]:
    """The statements of one page's figures, as the page asks them; those of the grid of lines are not among them."""
    listener: Any = _Listener(workspace)
    sales = Sales(listener, Visit.from_search("/revenue", search))
    _ = (sales.bounds, sales.totals, sales.moments, *map(sales.ranking, sales.ranked))
    return list(dict.fromkeys(listener.statements))
