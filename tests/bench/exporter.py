"""Somebody who takes all lines as a file again and again: `python -m tests.bench.exporter PORT ROWS KIND`, until ended.

Cookies come on standard input. One rule: a file that is not all there is an error. It prints one line for each whole
file: how many seconds it took.
"""

import http.client
import sys
import time

PIECE_BYTES = 1 << 20


def export(connection: http.client.HTTPConnection, kind: str, cookie: str) -> tuple[str, int]:
    """Take the file; returns what its answer says of it, and how many lines of text it has."""
    connection.request("GET", f"/export/revenue/lines.{kind}?period=all", headers={"Cookie": cookie})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"An export was answered with {answer.status}.")
    said, lines = answer.getheader("X-Lakeport-Export", ""), 0
    while piece := answer.read(PIECE_BYTES):
        lines += piece.count(b"\n")
    return said, lines


def main() -> None:
    """Export until ended."""
    port, rows, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    cookie = sys.stdin.readline().strip()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    while True:
        began = time.monotonic()
        said, lines = export(connection, kind, cookie)
        if f"rows={rows}; complete=true" not in said or (kind == "csv" and lines != rows + 1):
            raise SystemExit(f"An export of {lines} lines says of itself {said!r}; {rows} rows were wanted.")
        print(f"{time.monotonic() - began:.1f}", flush=True)


if __name__ == "__main__":
    main()
