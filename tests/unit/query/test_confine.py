"""What a process like a query worker cannot do any more, tried from inside, and what it can still do."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from query_lake import Lake, OpenPool, rows, write_lake
from worker_processes import workers_of

from lakehouse.child import bare_environment
from lakehouse.query import confine, landlock, seccomp, wire
from lakehouse.query.pool import QueryPool
from lakehouse.query.process import confinement
from lakehouse.settings import QuerySettings

FILES = pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
CALLS = pytest.mark.skipif(seccomp.machine() is None, reason="there is no filter of system calls for this machine")


def limits(*folders: str) -> wire.Limits:
    return wire.Limits(threads=1, memory_mb=512, address_space_mb=2048, folders=folders)


def inside(code: str, *folders: str) -> "subprocess.CompletedProcess[str]":
    """The code, run by a process that has confined itself to the folders as a worker does."""
    head = f"""
        import ctypes, os, resource, socket, subprocess, sys, threading
        from lakehouse.query import confine, wire
        confine.confine(wire.Limits(threads=1, memory_mb=512, address_space_mb=2048, folders={folders!r}))
        libc = ctypes.CDLL(None, use_errno=True)
    """
    whole = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-P", "-c", whole], capture_output=True, text=True, env=bare_environment(), cwd="/", timeout=60
    )


@FILES
@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "os.listdir('/')",
        "os.listdir('/tmp')",
        "open('{home}/lakeport.toml')",
        "open(f'/proc/{os.getppid()}/environ')",
        "open('{home}/data/../lakeport.toml')",
        "open('{home}/data/link')",
    ],
)
def test_files_outside_the_lake_cannot_be_read(tmp_path: Path, attempt: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows").write_text("rows", encoding="utf-8")
    (tmp_path / "data" / "link").symlink_to(tmp_path / "lakeport.toml")
    (tmp_path / "lakeport.toml").write_text("secret", encoding="utf-8")
    code = f"print(open({str(tmp_path / 'data' / 'rows')!r}).read(), flush=True)\n"

    found = inside(code + attempt.replace("{home}", str(tmp_path)), str(tmp_path / "data"))

    assert found.stdout == "rows\n"
    assert "PermissionError" in found.stderr


@CALLS
@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket()",
        "socket.socketpair()",
        "socket.create_connection(('127.0.0.1', 9))",
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['/bin/true'])",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.kill(os.getppid(), 0)",
        "os.pidfd_open(os.getppid())",
        "resource.prlimit(os.getppid(), resource.RLIMIT_CORE)",
        "open({folder!r} + '/new', 'w')",
        "open({folder!r} + '/old', 'r+')",
        "open({folder!r} + '/old', 'a')",
        "os.truncate({folder!r} + '/old', 0)",
        "os.unlink({folder!r} + '/old')",
        "os.rename({folder!r} + '/old', {folder!r} + '/new')",
        "os.mkdir({folder!r} + '/new')",
        "os.symlink('/etc/passwd', {folder!r} + '/new')",
        "os.chmod({folder!r} + '/old', 0)",
        "os.memfd_create('x')",
        "os.setuid(0)",
        "if libc.ptrace(16, os.getppid(), 0, 0): raise OSError(ctypes.get_errno(), 'ptrace')",
        "if libc.unshare(0x10000000): raise OSError(ctypes.get_errno(), 'unshare')",
        "if libc.mount(b'x', b'/', b'tmpfs', 0, 0): raise OSError(ctypes.get_errno(), 'mount')",
    ],
)
def test_what_a_reading_query_never_does_is_refused(tmp_path: Path, attempt: str) -> None:
    (tmp_path / "old").write_text("old", encoding="utf-8")

    found = inside(attempt.replace("{folder!r}", repr(str(tmp_path))), str(tmp_path))

    assert "PermissionError" in found.stderr, found.stderr
    assert (tmp_path / "old").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@CALLS
def test_a_kernel_that_is_asked_for_newer_ways_says_that_it_has_none(tmp_path: Path) -> None:
    calls = {"clone3": 435, "openat2": 437, "the next new one": 463}

    found = inside(
        f"for call in {list(calls.values())}: print(libc.syscall(call, 0, 0, 0, 0), ctypes.get_errno())", str(tmp_path)
    )

    assert found.stdout.split() == ["-1", "38"] * 3


def test_threads_start_and_programs_libraries_are_found(tmp_path: Path) -> None:
    code = """
        thread = threading.Thread(target=print, args=("thread",))
        thread.start()
        thread.join()
        import duckdb, pyarrow, zoneinfo
        print(zoneinfo.ZoneInfo("Europe/Berlin"), duckdb.sql("select 1").fetchall())
    """

    found = inside(code, str(tmp_path))

    assert found.stdout == "thread\nEurope/Berlin [(1,)]\n", found.stderr


def test_a_worker_is_in_an_empty_folder_of_its_own_that_goes_with_it(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    rows(pool, "select 1")
    folder = (Path(f"/proc/{workers_of(os.getpid()).pop()}") / "cwd").resolve()

    assert folder.name.startswith("lakeport-worker-")
    assert list(folder.iterdir()) == []
    pool.close()
    assert not folder.exists()


@CALLS
def test_a_warehouse_that_is_no_folder_keeps_the_network_and_nothing_else(tmp_path: Path) -> None:
    found = inside("socket.socket()\nprint('socket')\nos.execv('/bin/true', ['true'])", str(tmp_path), "s3://lake")

    assert found.stdout == "socket\n"
    assert "PermissionError" in found.stderr.splitlines()[-1]


@CALLS
def test_what_is_in_force_is_reported_with_a_cure_for_what_is_not(tmp_path: Path) -> None:
    local = {held.name: held for held in confinement(limits(str(tmp_path)))}
    remote = {held.name: held for held in confinement(limits("s3://lake"))}

    assert list(local) == ["limits", "privileges", "files", "network"]
    assert local["network"].holds
    assert not remote["network"].holds
    assert "firewall" in remote["network"].cure
    assert all(held.holds or held.cure for held in [*local.values(), *remote.values()])


def test_a_kernel_without_landlock_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)

    (files,) = (held for held in [confine._held("files", lambda: confine._close_files((), False), "Newer.")])

    assert (files.holds, files.cure) == (False, "Newer.")
    assert "no Landlock" in files.detail


def test_processor_time_is_limited_anew_for_each_question(tmp_path: Path) -> None:
    code = """
        import time
        def spin(seconds):
            end = time.process_time() + seconds
            while time.process_time() < end: pass
        for _ in range(3):
            confine.allow_seconds(1)
            spin(0.7)
        print("three questions", flush=True)
        spin(4)
    """

    found = inside(code, str(tmp_path))

    assert found.stdout == "three questions\n"
    assert found.returncode == -signal.SIGXCPU


def test_a_worker_holds_its_pipes_and_last_words_and_nothing_of_its_parent(open_pool: OpenPool, tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(handle, True)
    try:
        pool = open_pool(workers=1)
        rows(pool, "select 1")
        folder = Path(f"/proc/{workers_of(os.getpid()).pop()}")
        held = sorted(os.readlink(path) for path in (folder / "fd").iterdir())
        variables = {entry.split(b"=")[0].decode() for entry in (folder / "environ").read_bytes().split(b"\0") if entry}
    finally:
        os.close(handle)

    own = [place for place in held if place.startswith(f"{folder}/")]
    rest = [place for place in held if place not in own and not place.startswith(("pipe:", "anon_inode:"))]
    assert [place for place in rest if "(deleted)" not in place] == []
    assert {Path(place).name for place in own} <= {"cgroup", "statm"}
    assert variables <= {"PATH", "LANG", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "ARROW_DEFAULT_MEMORY_POOL", "TZ"} | {
        name for name in variables if name.startswith("PYTHON")
    }


@CALLS
def test_every_thread_of_a_worker_is_confined(open_pool: OpenPool, lake: Lake) -> None:
    pool = open_pool(workers=1)
    rows(pool, "select count(*) c from raw.sales", pins={"raw.sales": lake.january})

    tasks = Path(f"/proc/{workers_of(os.getpid()).pop()}/task")
    found = [
        dict(line.split(":\t") for line in (task / "status").read_text().splitlines() if ":\t" in line)
        for task in tasks.iterdir()
    ]

    assert len(found) > 2
    assert {(task["Seccomp"], task["NoNewPrivs"]) for task in found} == {("2", "1")}
    assert {int(task["CapEff"], 16) & ~4 for task in found} == {0}


def test_a_warehouse_that_comes_later_or_is_made_again_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "lake" / "warehouse"
    with QueryPool(QuerySettings(workers=1), [str(folder)]) as pool:
        assert rows(pool, "select 1 as x") == [{"x": 1}]
        first = write_lake(tmp_path / "lake")

        assert rows(pool, "select count(*) as c from raw.sales", pins={"raw.sales": first.january}) == [{"c": 20}]
        folder.rename(tmp_path / "old")
        (tmp_path / "old").rename(folder.with_name("copy"))
        folder.mkdir()
        for part in folder.with_name("copy").iterdir():
            part.rename(folder / part.name)

        assert rows(pool, "select count(*) as d from raw.sales", pins={"raw.sales": first.january}) == [{"d": 20}]
