"""The users of a demo, one per role, each with a password of its own in a private file.

One rule: a password is made here, written to its file, and shown at a terminal alone.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from lakehouse.access.identity import Role
from lakehouse.access.keys import write_private
from lakehouse.access.users import Users
from lakehouse.settings import FOLDER_NAME

NAMES: dict[str, Role] = {"vera": "viewer", "anna": "analyst", "erik": "engineer", "ada": "admin"}


@dataclass(frozen=True)
class DemoUser:
    """A user of the demo, and the file that holds the password and a newline."""

    name: str
    role: Role
    password_file: Path

    @property
    def password(self) -> str:
        """The password, as its file has it."""
        return self.password_file.read_text(encoding="utf-8").removesuffix("\n")


def make_users(users: Users, home: Path) -> list[DemoUser]:
    """The demo's users; those that are there keep their passwords, as long as the files are there too."""
    folder = home / FOLDER_NAME / "passwords"
    folder.mkdir(mode=0o700, exist_ok=True)
    known = {user.name for user in users.list()}
    return [_made(users, DemoUser(name, role, folder / name), name in known) for name, role in NAMES.items()]


def _made(users: Users, user: DemoUser, is_known: bool) -> DemoUser:
    if is_known and user.password_file.exists():
        return user
    password = secrets.token_urlsafe(12)
    user.password_file.unlink(missing_ok=True)
    write_private(user.password_file, password)
    if is_known:
        users.set_password(user.name, password)
    else:
        users.add(user.name, password, user.role)
    return user
