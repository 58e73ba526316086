"""Landlock: the kernel lets this process read below some paths, and touch no other file, for good.

One rule: it is entered before the process has a second thread, because only the thread that asks is bound.
Numbers and structures are those of landlock(7) and linux/landlock.h; they are equal on every machine.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_RULE_PATH_BENEATH = 1

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS_BY_VERSION = ((1, 1 << 13), (2, 1 << 14), (3, 1 << 15), (5, 1 << 16))
"""From which version on so many kinds of access are known: 1 the basic ones, 2 moving, 3 truncating, 5 devices."""

_NETWORK_SINCE, _SCOPES_SINCE = 4, 6
"""Versions from which the structure has a field for TCP, and one for signals and abstract sockets."""

_SIGNALS_AND_SOCKETS = 0b11


def version() -> int:
    """Which Landlock the kernel has; 0 for none."""
    return max(0, _call(_CREATE_RULESET, None, 0, _ASK_VERSION))


def read_only(paths: Iterable[str]) -> None:
    """Leave this process nothing but reading these files and what is below these folders; what is missing is left out.

    It can signal no process outside itself either, where the kernel knows how. Raises `OSError`.
    """
    ruleset = _ruleset(version())
    try:
        for path in paths:
            _allow(ruleset, path)
        _checked(_call(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _ruleset(known: int) -> int:
    rights = max(bits for since, bits in _RIGHTS_BY_VERSION if since <= max(1, known)) - 1
    fields = [rights]
    if known >= _NETWORK_SINCE:
        fields.append(0)
    if known >= _SCOPES_SINCE:
        fields.append(_SIGNALS_AND_SOCKETS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return _checked(_call(_CREATE_RULESET, attributes, len(attributes), 0))


def _allow(ruleset: int, path: str) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)
        _checked(_call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, place), 0))
    finally:
        os.close(place)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _call(number: int, *values: int | bytes | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    typed = [ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value) for value in values]
    return int(libc.syscall(ctypes.c_long(number), *typed))
