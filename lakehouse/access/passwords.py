"""Passwords: what one must look like, and argon2id, the only form in which one is kept.

One rule: checking costs the same work whether there is such a user or not. The parameters are those that OWASP's
Password Storage Cheat Sheet names first for argon2id: 19 MiB of memory, two passes, one lane.
"""

import secrets
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from lakehouse.errors import RequestWrong

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 8
LONGEST = 256
MEMORY_KIB = 19_456
PASSES = 2
LANES = 1

_LONGEST_TYPED = 4 * LONGEST
"""Longer texts are not even normalised: three characters may become one there, and the work grows with the length."""


def check_password(password: str, name: str) -> None:
    """Raise `RequestWrong` unless the text can be the password of the user of that name."""
    text = _normal(password)
    if text is None:
        raise RequestWrong("The password holds a character that is no valid Unicode text. Choose another one.")
    if len(text) < SHORTEST:
        raise RequestWrong(f"The password is too short. Use at least {SHORTEST} characters.")
    if len(text) > LONGEST:
        raise RequestWrong(f"The password is too long. Use at most {LONGEST} characters.")
    if not text.strip():
        raise RequestWrong("The password is made of spaces only. Choose another one.")
    if text.casefold() == name.casefold():
        raise RequestWrong("The password is the user's own name. Choose another one.")


def hash_password(password: str) -> str:
    """The password as it is kept; it must have passed `check_password`."""
    return _hasher().hash(_normal(password) or "")


def verify(kept: str | None, password: str) -> bool:
    """Whether this is the password that was kept. None: there is no such user; the answer is no, after equal work."""
    from argon2.exceptions import VerifyMismatchError

    stand_in = _stand_in()  # made for every caller, or the first unknown name of a process would take twice as long
    text = _normal(password)
    try:
        _hasher().verify(kept or stand_in, "" if text is None else text)
    except VerifyMismatchError:
        return False
    return kept is not None and text is not None


def is_outdated(kept: str) -> bool:
    """Whether a kept password was hashed with other parameters than today's."""
    return _hasher().check_needs_rehash(kept)


@cache
def _hasher() -> "PasswordHasher":
    # Imported late: most processes never see a password, and the import costs them nothing this way.
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


@cache
def _stand_in() -> str:
    """A hash that nobody knows the password of."""
    return _hasher().hash(secrets.token_urlsafe())


def _normal(password: str) -> str | None:
    """The text in the form in which keyboards agree (NFKC); None when it is no valid Unicode.

    A text that is far too long stays as it is.
    """
    try:
        password.encode()
    except UnicodeEncodeError:
        return None
    return unicodedata.normalize("NFKC", password) if len(password) <= _LONGEST_TYPED else password
