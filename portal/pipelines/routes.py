"""Everything that the server answers about runs beside the page: following, ordering, files.

One rule: each endpoint stands here with what whoever asks must be allowed; the guard asks before anything else runs.
"""

from flask import Flask

from lakehouse.core import Lakehouse
from portal.guard import SIGNED_IN
from portal.page import OpenWorkspace
from portal.pipelines.downloads import add_downloads
from portal.pipelines.live import OpenNow, add_live
from portal.pipelines.orders import add_orders
from portal.pipelines.schedule_orders import add_schedule_orders

ENDPOINTS = {
    "runs": SIGNED_IN,
    "run_start": "operate",
    "run_cancel": "operate",
    "run_publish": "operate",
    "run_discard": "operate",
    "schedule_pause": "operate",
    "schedule_resume": "operate",
    "run_file": "diagnose",
    "run_quarantine": "diagnose",
}
"""Endpoint -> who may reach it: where an environment needs more, whoever orders is asked once more."""


def add_routes(server: Flask, lakehouse: Lakehouse, open_workspace: OpenWorkspace, open_now: OpenNow) -> None:
    """Give the server the routes; `open_now` opens a workspace without a record, for what pages ask by themselves."""
    add_live(server, open_now)
    add_orders(server, lakehouse, open_workspace)
    add_schedule_orders(server, open_workspace)
    add_downloads(server, open_workspace)
