"""`lakeport serve`: the portal, until it is told to stop."""

import socket
from contextlib import closing
from typing import Annotated

import typer

from lakehouse.settings import Settings
from lakehouse.state.store import open_state
from pipelines.control import reconcile
from portal.address import take, url
from portal.cli.door import Door, guarded

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on, instead of server.host.")]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="Port to listen on, instead of server.port.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, max=64, help="Web processes, instead of server.workers.")
]


@guarded("home", "env", "as_json", "quiet")
def serve(door: Door, host: Host = None, port: Port = None, workers: Workers = None) -> None:
    """Serve the portal until it is stopped."""
    settings = told(door.settings, host=host, port=port, workers=workers)
    taken = take(settings.server)
    if door.as_json:
        door.give({"url": url(settings.server)})
    until_stopped(door, settings, taken)


def told(settings: Settings, **server: str | int | None) -> Settings:
    """The settings with what the command line says of the server; None leaves a key as it is."""
    given = {key: value for key, value in server.items() if value is not None}
    return settings.model_copy(update={"server": settings.server.model_copy(update=given)})


def until_stopped(door: Door, settings: Settings, taken: socket.socket) -> None:
    """Serve the portal, and say where it is as soon as it answers."""
    from portal.secret import secret_key
    from portal.serve import run

    with closing(open_state(settings)) as state:  # migrated once, before there are several processes
        reconcile(settings, state)
    secret_key(settings, door.env)  # here, since a web process that lacks it could only log that
    run(settings, door.env, taken, lambda: door.say(f"The portal is on {url(settings.server)} (Ctrl-C stops it)."))
