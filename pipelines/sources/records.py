"""The lines of a CSV file as records: lists of texts, each with the physical line on which it begins.

One rule: the dialect is RFC 4180 as Python's csv module reads it strictly. Quotes are doubled inside quotes, blank
lines are skipped and counted, and a quote that goes wrong refuses the whole file: what follows it cannot be trusted.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from lakehouse.errors import FileRefused, SettingsWrong
from pipelines.sources.text import Lines

_BLOCK_CHARACTERS = 16 << 20


@dataclass
class Block:
    """Consecutive records and the lines on which they begin."""

    records: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class Records:
    """The records of a file; read them once, the header with `first` and the others with `blocks`."""

    def __init__(self, lines: Lines, file: str, delimiter: str) -> None:
        if delimiter in '"\r\n':
            raise SettingsWrong(f'Delimiter {delimiter!r} cannot separate fields. Use a sign such as "," or ";".')
        # The limit of the csv module is one for the whole process; the bound that counts is that of Lines.
        csv.field_size_limit(2**31 - 1)
        self.blank_lines = 0
        self._lines, self._file = lines, file
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)
        self._stream = self._read()

    def first(self) -> tuple[int, list[str]] | None:
        """The next record and its line, or None at the end of the file."""
        return next(self._stream, None)

    def blocks(self, size: int) -> Iterator[Block]:
        """Blocks of `size` records, fewer where records are long, so that memory stays bounded."""
        lines = self._lines
        block, limit = Block(), lines.characters + _BLOCK_CHARACTERS
        for line, fields in self._stream:
            block.records.append(fields)
            block.lines.append(line)
            if len(block.records) >= size or lines.characters > limit:
                yield block
                block, limit = Block(), lines.characters + _BLOCK_CHARACTERS
        if block.records:
            yield block

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        lines, reader = self._lines, self._reader
        line = lines.record_line
        try:
            for fields in reader:
                if fields:
                    yield line, fields
                else:
                    self.blank_lines += 1
                line = lines.record_line = reader.line_num + 1
        except csv.Error as error:
            raise self._refused(line) from error

    def _refused(self, line: int) -> FileRefused:
        if self._lines.ended:
            found = "a quote in the record that begins here is never closed"
            cure = "Close it, or double quotes that belong to the text; the file may have been cut short."
            return FileRefused(self._file, line, found, cure)
        last = self._reader.line_num
        begun = "" if line == last else f" (the record begins on line {line})"
        cure = "Double quotes that belong to the text, or set the delimiter that the file uses."
        return FileRefused(self._file, last, f"there is text after a closing quote{begun}", cure)
