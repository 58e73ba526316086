"""A filter of system calls: no network, no other program, no written file, nothing that changes the machine.

One rule: what a reading query never calls is refused with EPERM, by number, before the kernel looks at it. The process
must have given up new privileges. Numbers are those of asm/unistd_64.h (x86-64) and asm-generic/unistd.h (aarch64);
the machine's language of filters is described in seccomp(2) and bpf(2).
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_NETWORK = """
    socket 41 198, socketpair 53 199, connect 42 203, bind 49 200, listen 50 201, accept 43 202, accept4 288 242
"""

_PROGRAMS = """
    fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, kill 62 129, tkill 200 130, rt_sigqueueinfo 129 138,
    rt_tgsigqueueinfo 297 240, pidfd_open 434 434, pidfd_send_signal 424 424, pidfd_getfd 438 438, ptrace 101 117,
    process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, process_mrelease 448 448, kcmp 312 272
"""

_FILES = """
    creat 85 -, mkdir 83 -, mkdirat 258 34, mknod 133 -, mknodat 259 33, rmdir 84 -, unlink 87 -, unlinkat 263 35,
    rename 82 -, renameat 264 38, renameat2 316 276, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36,
    truncate 76 45, chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, lchown 94 -, fchown 93 55,
    fchownat 260 54, utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88, setxattr 188 5, lsetxattr 189 6,
    fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16, open_by_handle_at 304 265,
    name_to_handle_at 303 264, memfd_create 319 279, memfd_secret 447 447, mq_open 240 180, mq_unlink 241 181,
    shmget 29 194, shmat 30 196, semget 64 190, msgget 68 186, inotify_init 253 -, inotify_init1 294 26,
    fanotify_init 300 262, fanotify_mark 301 263
"""

_MACHINE = """
    mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, unshare 272 97, setns 308 268, open_tree 428 428,
    move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442,
    swapon 167 224, swapoff 168 225, quotactl 179 60, quotactl_fd 443 443, bpf 321 280, perf_event_open 298 241,
    keyctl 250 219, add_key 248 217, request_key 249 218, io_uring_setup 425 425, io_uring_enter 426 426,
    io_uring_register 427 427, io_setup 206 0, io_submit 209 2, userfaultfd 323 282, init_module 175 105,
    finit_module 313 273, delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294, reboot 169 142,
    acct 163 89, syslog 103 116, iopl 172 -, ioperm 173 -, modify_ldt 154 -, personality 135 92, settimeofday 164 170,
    clock_settime 227 112, clock_adjtime 305 266, adjtimex 159 171, sethostname 170 161, setdomainname 171 162,
    vhangup 153 58, setuid 105 146, setgid 106 144, setreuid 113 145, setregid 114 143, setresuid 117 147,
    setresgid 119 149, setfsuid 122 151, setfsgid 123 152, setgroups 116 159, capset 126 91
"""

_LAST_KNOWN = 462
"""mseal, of Linux 6.10. Whatever is newer is answered as an older kernel would: there is no such call."""

_X32 = 0x40000000
"""Calls of x86-64's second, 32-bit numbering, which would go around this list."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CLONE_THREAD = 0x00010000

# struct seccomp_data: int nr, __u32 arch, __u64 instruction_pointer, __u64 args[6]; both machines are little-endian.
_AT_NUMBER, _AT_MACHINE, _AT_ARGUMENTS = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _UNKNOWN, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x80000000
_PR_SET_SECCOMP, _FILTER = 22, 2

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True)
class Machine:
    """A kind of processor: its AUDIT_ARCH number, and the numbers of the calls whose arguments decide."""

    column: int
    audit: int
    open: int | None
    openat: int
    openat2: int
    clone: int
    clone3: int
    tgkill: int
    prlimit: int


MACHINES = {
    "x86_64": Machine(0, 0xC000003E, 2, 257, 437, 56, 435, 234, 302),
    "aarch64": Machine(1, 0xC00000B7, None, 56, 437, 220, 435, 131, 261),
}


def machine() -> Machine | None:
    """This machine, when there is a filter for it."""
    wide = sys.maxsize > 1 << 32 and sys.byteorder == "little"
    return MACHINES.get(platform.machine()) if wide else None


def refuse(at: Machine, network: bool) -> None:
    """Refuse the calls from now on, for good, in all threads that come; with `network`, sockets stay. Raises `OSError`.

    Threads can still be made: clone3, whose flags no filter can see, is answered as unknown, and libraries fall back.
    """
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _program(at, network))
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.c_char_p(header), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _program(at: Machine, network: bool) -> Iterator[Instruction]:
    yield _LOAD, 0, 0, _AT_MACHINE
    yield _EQUAL, 1, 0, at.audit
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _AT_NUMBER
    yield from _when(_AT_LEAST, _X32, _REFUSE)
    yield from _when(_AT_LEAST, _LAST_KNOWN + 1, _UNKNOWN)
    for number in (at.clone3, at.openat2):
        yield from _when(_EQUAL, number, _UNKNOWN)
    for group in (_PROGRAMS, _FILES, _MACHINE, *(() if network else (_NETWORK,))):
        for number in _numbers(group, at.column):
            yield from _when(_EQUAL, number, _REFUSE)
    if at.open is not None:
        yield from _unless_argument(at.open, 1, (_ANY_BIT, _WRITING), _REFUSE, _ALLOW)
    yield from _unless_argument(at.openat, 2, (_ANY_BIT, _WRITING), _REFUSE, _ALLOW)
    yield from _unless_argument(at.clone, 0, (_ANY_BIT, _CLONE_THREAD), _ALLOW, _REFUSE)
    yield from _unless_argument(at.tgkill, 0, (_EQUAL, os.getpid()), _ALLOW, _REFUSE)
    yield from _unless_argument(at.prlimit, 0, (_EQUAL, 0), _ALLOW, _REFUSE)
    yield _RETURN, 0, 0, _ALLOW


def _when(test: int, value: int, then: int) -> Iterator[Instruction]:
    yield test, 0, 1, value
    yield _RETURN, 0, 0, then


def _unless_argument(
    number: int, argument: int, test: tuple[int, int], then: int, otherwise: int
) -> Iterator[Instruction]:
    """Decide one call by the lower half of an argument: flags and process ids are no larger."""
    yield _EQUAL, 0, 4, number
    yield _LOAD, 0, 0, _AT_ARGUMENTS + 8 * argument
    yield test[0], 0, 1, test[1]
    yield _RETURN, 0, 0, then
    yield _RETURN, 0, 0, otherwise


def _numbers(group: str, column: int) -> Iterator[int]:
    for call in group.split(","):
        number = call.split()[1 + column]
        if number != "-":
            yield int(number)
