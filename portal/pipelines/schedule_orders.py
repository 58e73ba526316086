"""`POST /_schedules/NAME/pause` and `.../resume`: what somebody orders in the section Schedules.

One rule: as in `portal.pipelines.orders`: nothing is done here but asking, and whoever orders is asked for their rights
again, by the environment that the schedule works on.
"""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from pipelines.schedule_control import ScheduleControl
from portal.page import OpenWorkspace


def add_schedule_orders(server: Flask, open_workspace: OpenWorkspace) -> None:
    """Give the server what pauses and resumes; the guard has said that whoever asks may operate somewhere."""

    @server.post("/_schedules/<name>/pause")
    def schedule_pause(name: str) -> ResponseReturnValue:
        ScheduleControl(open_workspace("now")).pause(name)
        return jsonify(text=f"Schedule {name} is paused.")

    @server.post("/_schedules/<name>/resume")
    def schedule_resume(name: str) -> ResponseReturnValue:
        ScheduleControl(open_workspace("now")).resume(name)
        return jsonify(text=f"Schedule {name} starts runs again.")
