"""What is imported before the first request, so that nobody waits for it."""

import json
import subprocess
import sys

from lakehouse.core import Lakehouse
from tests.pipelines.lake import ROOT, Lake
from tests.portal.visitor import PASSWORD

NAME = "warm-ann"
CODE = """
import json, sys
from pathlib import Path
from lakehouse.core import Lakehouse
from portal.app import create_app
from tests.portal.visitor import Visitor

def packages():
    return {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)

with Lakehouse.open(Path(sys.argv[1])) as lakehouse:
    app = create_app(lakehouse)
    before = packages()
    visitor = Visitor(app.server)
    visitor.log_in(sys.argv[2])
    shown = [visitor.show(address).status_code for address in ("/revenue", "/data", "/revenue?about=revenue")]
    print(json.dumps([shown, sorted(packages() - before), "duckdb" in before]))
"""


def test_a_login_and_a_page_import_no_package_more(sample_lake: Lake) -> None:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.add(NAME, PASSWORD, "viewer")

        command = [sys.executable, "-c", CODE, str(sample_lake.home), NAME]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

        lakehouse.users.remove(NAME)
    assert json.loads(done.stdout.splitlines()[-1]) == [[200, 200, 200], [], False]
