"""`lakeport doctor`: whether everything is there that a lake needs."""

from portal.cli.door import Door, guarded
from portal.cli.show import show_checks
from portal.doctor import examine

NOT_THERE = 4


@guarded("home", "as_json")
def doctor(door: Door) -> int:
    """Check versions, extensions, folder, disk and secrets."""
    found = examine(door.home)
    if door.as_json:
        door.give(found)
    else:
        show_checks(found)
    return NOT_THERE if any(check["state"] == "fail" for check in found) else 0
