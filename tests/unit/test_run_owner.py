"""Processes told apart: by number and birth together."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

from lakehouse.run_owner import Process, all_processes, birth, is_here, owner, process_of


def test_a_process_is_found_by_its_name_until_it_ends() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    named = owner(child.pid)

    found = process_of(named)
    child.communicate(b"\n")

    assert found is not None
    assert found.pid == child.pid
    assert process_of(named) is None
    assert not found.lives


def test_no_signal_reaches_whoever_has_the_number_of_a_process_by_now() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        there = Process(child.pid, str(birth(child.pid)))

        sent = replace(there, born=f"{int(there.born) - 1}").send(signal.SIGKILL)
        assert (sent, child.poll()) == (False, None)
        assert there.send(signal.SIGKILL)

        assert child.wait() == -signal.SIGKILL
        assert not there.send(signal.SIGKILL)


def test_a_process_of_another_host_or_boot_is_not_looked_for_here() -> None:
    assert is_here(owner())
    assert not is_here(f"elsewhere:12345678/{os.getpid()}/{birth(os.getpid())}")
    assert process_of(f"elsewhere:12345678/{os.getpid()}/{birth(os.getpid())}") is None
    assert process_of(None) is None


def test_this_process_is_one_of_all() -> None:
    assert Process(os.getpid(), str(birth(os.getpid()))) in set(all_processes())
