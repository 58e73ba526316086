"""The bytes of a file as physical lines: hashed, checked and decoded on the way, in bounded memory.

One rule: what is not text in the declared encoding is refused with its line, never guessed or patched. Lines end with
LF, CRLF or CR, in any mixture, and keep their ends, so that a quoted line break comes out as it went in.
"""

import codecs
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from lakehouse.errors import FileRefused

CHUNK_BYTES = 1 << 20
RECORD_LIMIT = 16 << 20

_SIGNATURES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"PAR1\x15": "parquet",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
    b"SQLite format 3\x00": "SQLite",
    b"%PDF-": "PDF",
}
_UNPACK = ("gzip", "zip", "zstd", "xz", "7z", "bzip2")
# The marks of UTF-32 begin with those of UTF-16, so they come first.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class SourceFile:
    """A file as it was fingerprinted: where it is, its name below the lake's home, the hex SHA-256 of its bytes."""

    path: Path
    file: str
    content: str


class Lines:
    """The physical lines of a file; iterate over it once.

    Whoever consumes it sets `record_line` to the line on which the record begins that comes next: a record that
    does not end within `RECORD_LIMIT` characters is refused there.
    """

    def __init__(self, source_file: SourceFile, encoding: str) -> None:
        self.record_line = 1
        self.characters = 0
        self.bytes = 0
        self.ended = False
        self._source_file = source_file
        self._encoding = encoding
        self._codec = codecs.lookup(encoding).name.removesuffix("-sig")
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._hash = hashlib.sha256()
        self._lines = 0
        self._rest = ""

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._pieces())

    @property
    def sha256(self) -> str:
        """The hex SHA-256 of the bytes read so far."""
        return self._hash.hexdigest()

    def _pieces(self) -> Iterator[io.StringIO]:
        """Whole lines, about a chunk at a time. A last CR waits for the LF that may follow it."""
        line, size = self.record_line, 0
        for text in self._texts():
            line, size = self.record_line, size + len(text) if line == self.record_line else 0
            if size > RECORD_LIMIT:
                raise self._refused(
                    line,
                    f"the record that begins here does not end within {RECORD_LIMIT >> 20} MiB",
                    "Close the quote that was opened in it, or double quotes that belong to the text.",
                )
            text = self._rest + text
            end = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
            whole, self._rest = text[:end], text[end:]
            yield self._piece(whole)
        last, self._rest = self._rest, ""
        yield self._piece(last)
        self.ended = True

    def _piece(self, text: str) -> io.StringIO:
        self._lines += _breaks(text)
        self.characters += len(text)
        return io.StringIO(text, newline="")

    def _texts(self) -> Iterator[str]:
        begun = False
        for chunk in chain(self._chunks(), [b""]):
            if not begun:
                self._check_head(chunk)
            text = self._decode(chunk)
            if not begun and text:
                begun, text = True, text.removeprefix("\ufeff")
            nul = text.find("\0")
            if nul >= 0:
                raise self._refused(
                    self._line_after(text[:nul]),
                    "a NUL character, so this is not a text file in the declared encoding",
                    'Export it as CSV text; if it is UTF-16, set encoding = "utf-16".',
                )
            yield text

    def _chunks(self) -> Iterator[bytes]:
        try:
            with self._source_file.path.open("rb") as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    self._hash.update(chunk)
                    self.bytes += len(chunk)
                    yield chunk
        except OSError as error:
            raise self._refused(
                None, f"it cannot be read ({error.strerror})", "Check that it is there and that its rights allow it."
            ) from error

    def _check_head(self, head: bytes) -> None:
        kind = next((kind for signature, kind in _SIGNATURES.items() if head.startswith(signature)), None)
        if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
            kind = "bzip2"
        if kind == "zip" and (b"[Content_Types].xml" in head or b"xl/" in head):
            kind = "xlsx"
        if kind is not None:
            cure = "Unpack it first." if kind in _UNPACK else "Export it as CSV first."
            raise self._refused(None, f"it holds {kind} data, not CSV text", cure)
        marked = next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)
        if marked is not None and not self._codec.startswith((marked, "gb18030")):
            raise self._refused(
                1,
                f"it begins with the byte order mark of {marked}, not {self._encoding}",
                f'Set encoding = "{marked}".',
            )

    def _decode(self, chunk: bytes) -> str:
        try:
            text = self._decode_strictly(chunk)
            if not text.isascii():
                text.encode()  # some codecs give half a surrogate pair, which no table can hold
        except UnicodeError as error:
            raise self._refused(
                None,
                f"it is not {self._encoding} ({getattr(error, 'reason', error)})",
                "Set encoding to what it was written in; UTF-16 without a byte order mark is utf-16-le or utf-16-be.",
            ) from error
        return text

    def _decode_strictly(self, chunk: bytes) -> str:
        try:
            return self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise self._undecodable(chunk, error) from error

    def _undecodable(self, chunk: bytes, error: UnicodeDecodeError) -> FileRefused:
        # The decoder may have kept bytes of the chunk before: they stand in front of this one in error.object.
        good = chunk[: max(0, error.start - len(error.object) + len(chunk))]
        line = self._line_after(self._decoder.decode(good))
        found = f"byte 0x{error.object[error.start]:02X} is not {self._encoding}"
        if not chunk:
            found = f"the file ends inside a character of {self._encoding}"
        other = '"cp1252" or "latin-1"' if self._codec == "utf-8" else "what it was written in"
        return self._refused(line, found, f"Set encoding to {other}, or export the file as {self._encoding}.")

    def _line_after(self, text: str) -> int:
        """The line on which the character stands that comes after a text not yet split into lines."""
        return self._lines + _breaks(self._rest + text) + 1

    def _refused(self, line: int | None, found: str, cure: str) -> FileRefused:
        return FileRefused(self._source_file.file, line, found, cure)


def _breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
