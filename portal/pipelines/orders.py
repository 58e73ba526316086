"""`POST /_runs/...` and `POST /_waiting/...`: what somebody orders on the page about runs.

One rule: nothing is done here but asking: the run is a process of its own, and whoever orders is asked for their rights
again where it is done. The audit has one record before and one when it was ordered, under the name of who has.
"""

from flask import Flask, g, jsonify, request
from flask.typing import ResponseReturnValue

from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import UnknownName
from pipelines.control import RunControl
from pipelines.decisions import discard, publish
from portal.page import OpenWorkspace
from portal.pipelines.forms import TESTS
from portal.pipelines.look import in_env

JOB = "refresh"
FULL = "full"
"""What the form says to load every file again."""


def add_orders(server: Flask, lakehouse: Lakehouse, open_workspace: OpenWorkspace) -> None:
    """Give the server what orders runs; the guard has said that whoever asks may operate somewhere."""

    @server.post("/_runs/start")
    def run_start() -> ResponseReturnValue:
        env, known = _one("env"), list(lakehouse.settings.environments)
        if env not in known:
            raise UnknownName("environment", env, known)
        control = RunControl(_opened(open_workspace("now"), env))
        job = _one("job") or JOB
        record = control.start(
            "build" if job == TESTS else job,
            source=_one("source") or None,
            select=_models(),
            full=_one("files") == FULL,
            tests_only=job == TESTS,
            reason=_one("reason"),
        )
        return _said(f"Run {record['run']} of {env} has started.", record["run"])

    @server.post("/_runs/<run>/cancel")
    def run_cancel(run: str) -> ResponseReturnValue:
        RunControl(_opened_for(open_workspace("now"), run)).cancel(run)
        return _said(f"Run {run} was asked to end.", run)

    @server.post("/_waiting/<run>/publish")
    def run_publish(run: str) -> ResponseReturnValue:
        record = publish(_opened_for(open_workspace("now"), run), run, _one("reason"))
        return _said(f"Run {record['run']} publishes what run {run} has built.", record["run"])

    @server.post("/_waiting/<run>/discard")
    def run_discard(run: str) -> ResponseReturnValue:
        discard(_opened_for(open_workspace("now"), run), run, _one("reason"))
        return _said(f"What run {run} has built was discarded.", run)


def _opened(workspace: Workspace, env: str) -> Workspace:
    """The workspace of an environment, as what this request is about."""
    room = g.workspace = in_env(workspace, env)
    g.record.env = env
    return room


def _opened_for(workspace: Workspace, run: str) -> Workspace:
    """The workspace of a run's environment. Raises `UnknownName`, which names the newest runs."""
    return _opened(workspace, str(workspace.runs().show(run)["env"]))


def _one(name: str) -> str:
    return request.form.get(name, "").strip()


def _models() -> list[str]:
    """The models that were chosen, as the words of a selection; none stands for all."""
    reach = _one("reach").split()
    before, after = ("+" if way in reach else "" for way in ("above", "below"))
    return [f"{before}{name}{after}" for name in request.form.getlist("model") if name]


def _said(text: str, run: str) -> ResponseReturnValue:
    return jsonify(text=text, run=run)
