"""Runs commands of `lakeport` in this process, and reads what they say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from portal.cli.app import app


@dataclass(frozen=True)
class Said:
    """What a command has said on standard output and standard error, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as one JSON document; anything beside it is an error."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Mapping[str, Any]:
        """The error document; the same sentence stands on standard error."""
        found: Mapping[str, Any] = self.document["error"]
        assert found["text"] in self.err
        return found


def lakeport(*words: str, home: Path | None = None, env: Mapping[str, str] | None = None) -> Said:
    """Run one command as its own words, in a lake."""
    place = ["--home", str(home)] if home is not None else []
    variables = {"LAKEPORT_HOME": None, "COLUMNS": None, **(env or {})}
    result = CliRunner().invoke(app, [*words, *place], env=variables, prog_name="lakeport")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def write_batch(path: Path, *lines: Any) -> str:
    """A JSON Lines file; a text or bytes is a line as it stands."""
    raw = [line if isinstance(line, bytes) else line.encode() if isinstance(line, str) else None for line in lines]
    path.write_bytes(
        b"\n".join(json.dumps(line).encode() if text is None else text for line, text in zip(lines, raw, strict=True))
        + b"\n"
    )
    return str(path)
