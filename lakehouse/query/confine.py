"""What a query worker gives up before it reads its first question: rights, files, network, other programs, resources.

One rule: nothing here can be taken back, and what the system does not have is said, not required. It happens before
DuckDB is imported, while the process has one thread: later threads inherit everything. Sources of numbers: prctl(2),
capabilities(7), getrlimit(2).
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from lakehouse.query import landlock, seccomp, wire

FILE_BYTES = 1 << 20
"""What a worker may write into a file: nothing is open to it but the one that takes its last words."""

OPEN_FILES = 1024

_SYSTEM_PATHS = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo"),
    *("/dev/null", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory"),
    *("/sys/devices/system/cpu", "/sys/fs/cgroup"),
)
"""Libraries, time zones, and what memory allocators and DuckDB want to know about the machine."""

_OWN_PATHS = ("/proc/self/cgroup", "/proc/self/statm")
"""DuckDB looks into the first whenever it is opened, and breaks when it may not; the worker measures itself with the
second. They stay open: the kernel forgets files of /proc that nobody holds, and Landlock's rule with them."""

_NETWORK_PATHS = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"),
)
"""Names of hosts and certificates, for a warehouse that is not a folder."""

_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 1 << 2

_NEWER_KERNEL = "Use Linux 5.13 or newer with Landlock switched on (lsm=landlock,... on the kernel's command line)."
_NO_FILTER = "Run on Linux for x86-64 or aarch64, where the filter is known; a firewall for the user helps elsewhere."
_FIREWALL = "Let a firewall open nothing but the store to the user that Lakeport runs as."
_CONTAINER = "Let the container's or service's own rules permit it."


@dataclass(frozen=True)
class Held:
    """One confinement: whether it is in force, how or why not, and what would help."""

    name: str
    holds: bool
    detail: str
    cure: str = ""


def confine(limits: wire.Limits) -> list[Held]:
    """Confine this process for good; returns what is in force."""
    network = any(_local(folder) is None for folder in limits.folders)
    return [
        _held("limits", lambda: _limit(limits.address_space_mb << 20), _CONTAINER),
        _held("privileges", _drop_privileges, _CONTAINER),
        _held("files", lambda: _close_files(limits.readable, network), _NEWER_KERNEL),
        _held("network", lambda: _filter_calls(network), _NO_FILTER),
    ]


def places(folders: tuple[str, ...]) -> list[tuple[int, int] | None]:
    """Which folders these are at the moment: one that is made again has another number, and is closed to Landlock."""
    return [_place(path) for path in map(_local, folders) if path is not None]


def allow_seconds(seconds: float) -> None:
    """Let this process use so much more CPU time before it is killed, whatever it has used for earlier questions."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def main() -> None:
    """Read the limits from standard input and confine this process; then be the worker, or print what is in force."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        limits = wire.unpack_limits(bytes(wire.read_frame(wire.reader(0))[1]))
    except EOFError:
        return
    held = confine(limits)
    if sys.argv[1:] == ["lakehouse.query.worker"]:
        from lakehouse.query import worker

        worker.main(limits)
    else:
        wire.write_all(1, wire.pack(wire.ANSWER, {"held": [asdict(one) for one in held]}))


class _Missing(Exception):
    """The system does not have it, and what would help if the usual cure does not."""

    def __init__(self, why: str, cure: str | None = None) -> None:
        super().__init__(why)
        self.cure = cure


def _held(name: str, work: Callable[[], str], cure: str) -> Held:
    try:
        return Held(name, True, work())
    except _Missing as error:
        return Held(name, False, str(error), cure if error.cure is None else error.cure)
    except (OSError, ValueError) as error:
        return Held(name, False, f"the system refuses it: {error}", cure)


def _limit(space: int) -> str:
    """RLIMIT_CPU is raised question by question; RLIMIT_NPROC would count the user's other processes as well."""
    for kind, most in (
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        _, present = resource.getrlimit(kind)
        least = most if present == resource.RLIM_INFINITY else min(most, present)
        resource.setrlimit(kind, (least, least))
    return f"address space, CPU time of a question, {OPEN_FILES} open files, {FILE_BYTES >> 20} MiB written, no core"


def _drop_privileges() -> str:
    """No program can give more rights, and of root's own only reading is left (a lake may belong to somebody else)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise _Missing(f"the kernel refuses to give up new privileges ({os.strerror(ctypes.get_errno())})")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # Two times effective, permitted, inheritable: the lower and the upper 32 capabilities.
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    reading = sets[1] & _CAP_DAC_READ_SEARCH
    if libc.capset(header, (ctypes.c_uint32 * 6)(reading, reading, 0, 0, 0, 0)) != 0:
        raise _Missing(f"rights of root cannot be given up ({os.strerror(ctypes.get_errno())})")
    return "no new privileges, and none of root's but reading" if reading else "no new privileges"


def _close_files(folders: tuple[str, ...], network: bool) -> str:
    version = landlock.version()
    if version == 0:
        raise _Missing("this kernel has no Landlock: DuckDB's own locks alone keep questions from other files")
    lake = [path for path in map(_local, folders) if path is not None]
    for path in filter(os.path.exists, _OWN_PATHS):
        os.open(path, os.O_PATH | os.O_CLOEXEC)
    system = [*_SYSTEM_PATHS, *_OWN_PATHS, *(_NETWORK_PATHS if network else ())]
    landlock.read_only([*lake, *_python_paths(), *system])
    return f"Landlock {version}: the warehouse and the programs' own libraries can be read, nothing can be written"


def _filter_calls(network: bool) -> str:
    machine = seccomp.machine()
    if machine is None:
        raise _Missing("there is no filter of system calls for this kind of machine")
    seccomp.refuse(machine, network)
    if network:
        raise _Missing("the warehouse is no folder, so sockets stay; other programs are refused", _FIREWALL)
    return "no sockets, no other programs"


def _python_paths() -> list[str]:
    """Where Python finds modules. Of a folder that is no place of installed ones, such as a checkout, only these."""
    # Python may not list such a folder any more: it looks once, for a name that nothing has, and remembers.
    PathFinder.find_spec("lakeport has no such module", sys.path)
    package = str(Path(__file__).resolve().parents[1])
    libraries = [str(Path(prefix, "lib")) for prefix in (sys.prefix, sys.base_prefix)]
    found = [package, *libraries, *os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)]
    for entry in map(Path, sys.path):
        installed = entry.name in ("site-packages", "dist-packages")
        found += [str(entry)] if installed else [str(path) for path in _modules(entry)]
    return [path for path in found if os.path.isabs(path)]


def _modules(folder: Path) -> list[Path]:
    inside = list(folder.iterdir()) if folder.is_dir() else []
    return [path for path in inside if path.suffix in (".py", ".so", ".libs") or (path / "__init__.py").exists()]


def _local(folder: str) -> str | None:
    path = folder.removeprefix("file://")
    return None if "://" in path else path


def _place(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


if __name__ == "__main__":
    main()
    sys.exit(0)
