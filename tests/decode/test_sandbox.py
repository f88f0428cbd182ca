"""What the helper may not do kills it, whether a codec or an attacker asks for it."""
import os
import signal
import subprocess

import pytest

SANITIZED = os.environ.get("SANITIZED") == "1"
pytestmark = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer's build runs without the system call filter")

ALLOWED = ["memory", "reply"]
FORBIDDEN = ["open", "create", "open_old", "unlink", "stat", "socket", "connect", "execve", "fork",
             "vfork", "clone", "ptrace", "kill", "tgkill", "mmap_exec", "mprotect_exec",
             "mmap_shared", "prctl", "setrlimit", "memfd", "write", "read", "dup", "ioctl", "uname",
             "io_uring", "x32"]


def run(tmp_path, *arguments):
    return subprocess.run([os.environ["SANDBOX_ACTS"], *arguments], cwd=tmp_path, timeout=20,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.mark.parametrize("threads", [[], ["--threads"]])
@pytest.mark.parametrize("act", FORBIDDEN)
def test_forbidden(tmp_path, act, threads):
    assert run(tmp_path, *threads, act).returncode == -signal.SIGSYS
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("act", ALLOWED)
def test_allowed(tmp_path, act):
    assert run(tmp_path, act).returncode == 0


def test_threads_only_where_needed(tmp_path):
    assert run(tmp_path, "--threads", "thread").returncode == 0
    assert run(tmp_path, "thread").returncode == -signal.SIGSYS


def landlock_abi():
    """Asked of the kernel, past the helper."""
    import ctypes
    create_ruleset, version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, version)


def test_landlock_where_the_kernel_has_it(tmp_path):
    told = run(tmp_path, "report").stderr.decode().split()
    abi = landlock_abi()
    assert told == ["seccomp", "1", "landlock", str(int(abi > 0)), "abi", str(max(abi, 0))]
