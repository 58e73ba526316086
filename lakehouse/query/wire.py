"""Frames between a pool and its workers: one byte of kind, four of length, then the payload.

One rule: payloads are JSON or pieces of an Arrow stream; nothing that arrives is ever executed or unpickled.
"""

import io
import json
import os
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

HEADER = struct.Struct(">cI")

LIMITS, QUESTION = b"L", b"Q"
"""To a worker: what it may use, once; then what it is asked."""

READ, DATA, ANSWER, ERROR = b"R", b"D", b"A", b"E"
"""From a worker, for each question: that it was read, pieces of the Arrow stream, then one ANSWER or one ERROR."""

TIME_UP = "TimeUp"
"""Name of the error of a question that reached its deadline; every other name is a class in `lakehouse.errors`."""

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one worker may use and read."""

    threads: int
    memory_mb: int
    address_space_mb: int
    folders: tuple[str, ...]
    mask_key: str = field(default="", repr=False)
    hot: str = ""
    """The folder of hot copies; empty: there are none."""

    @property
    def readable(self) -> tuple[str, ...]:
        """Every folder that may be read."""
        return (*self.folders, self.hot) if self.hot else self.folders


def frame(kind: bytes, payload: bytes) -> bytes:
    """The bytes of one frame."""
    return HEADER.pack(kind, len(payload)) + payload


def pack(kind: bytes, content: dict[str, Any]) -> bytes:
    """The bytes of one frame with JSON in it."""
    return frame(kind, json.dumps(content).encode())


def pack_limits(limits: Limits) -> bytes:
    """The first frame that a worker gets."""
    return pack(LIMITS, asdict(limits))


def unpack_limits(payload: bytes) -> Limits:
    """The limits that `pack_limits` wrote."""
    content = json.loads(payload)
    return Limits(**{**content, "folders": tuple(content["folders"])})


def read_frame(read_exactly: Callable[[int], bytearray]) -> tuple[bytes, bytearray]:
    """The next frame, from a function that gives exactly so many bytes or raises `EOFError`."""
    kind, size = HEADER.unpack(read_exactly(HEADER.size))
    return kind, read_exactly(size)


def reader(pipe: int) -> Callable[[int], bytearray]:
    """A function for `read_frame` that reads from a blocking pipe."""

    def read_exactly(size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:
            piece = os.read(pipe, size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    return read_exactly


class DataFrames(io.RawIOBase):
    """A writable file that turns what is written into DATA frames on a pipe."""

    def __init__(self, pipe: int) -> None:
        super().__init__()
        self._pipe = pipe
        self.has_begun = False
        self.is_over = False
        """Whether what is still written is thrown away: a buffer before it lets go of its rest when it is freed."""

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Send one frame; returns how many bytes of `data` it took."""
        piece = memoryview(data).cast("B")[:CHUNK_BYTES]
        if self.is_over:
            return len(piece)
        self.has_begun = True
        write_all(self._pipe, frame(DATA, bytes(piece)))
        return len(piece)


def write_all(pipe: int, data: bytes) -> None:
    """Write all bytes to a blocking pipe."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(pipe, rest) :]
