"""What must hold of something where no document says what it must be.

One rule: it is equal to whatever passes its check, and says in words what that is.
"""

from collections.abc import Callable
from typing import Any


class Such:
    """Equal to whatever passes a check, which `words` say."""

    def __init__(self, words: str, check: Callable[[Any], bool]) -> None:
        self.words, self.check = words, check

    def __eq__(self, found: object) -> bool:
        return self.check(found)

    def __repr__(self) -> str:
        return f"<{self.words}>"

    __hash__ = None  # type: ignore[assignment]
