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
FORKING = ["clone_parent", "dup3", "pdeathsig", "filter"]
PLACES = [[], ["--threads"], ["--template"], ["--child"], ["--child", "--threads"],
          ["--child", "--fonts"]]


def run(tmp_path, *arguments):
    return subprocess.run([os.environ["SANDBOX_ACTS"], *arguments], cwd=tmp_path, timeout=20,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)


def status(tmp_path, *arguments):
    """How the act ended, be it a template's child, which is then ours."""
    code = run(tmp_path, *arguments).returncode
    if "--child" not in arguments:
        return code
    assert code == 0
    _, ended = os.waitpid(-1, 0)
    return os.waitstatus_to_exitcode(ended)


# With fonts, reading is a matter of Landlock's: test_pdf.py.
@pytest.mark.parametrize("place, act", [
    (place, act) for place in PLACES for act in FORBIDDEN + FORKING
    if not (place == ["--template"] and act in FORKING)
    and not ("--fonts" in place and act in ("open", "stat", "read", "ioctl"))])
def test_forbidden(tmp_path, act, place):
    assert status(tmp_path, *place, act) == -signal.SIGSYS
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("act", ALLOWED)
def test_allowed(tmp_path, act, place):
    assert status(tmp_path, *place, act) == 0


@pytest.mark.parametrize("place", PLACES)
def test_abort_is_told_as_such(tmp_path, place):
    assert status(tmp_path, *place, "abort") == -signal.SIGABRT


@pytest.mark.parametrize("place", [[], ["--child"]])
def test_only_fonts_are_opened(tmp_path, place):
    assert status(tmp_path, *place, "--fonts", "fonts") == 0
    assert status(tmp_path, *place, "--fonts", "secret") == 5


@pytest.mark.parametrize("place", [[], ["--child"]])
def test_threads_only_where_needed(tmp_path, place):
    assert status(tmp_path, *place, "--threads", "thread") == 0
    assert status(tmp_path, *place, "thread") == -signal.SIGSYS


def landlock_abi():
    """Asked of the kernel, past the helper."""
    import ctypes
    create_ruleset, version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, version)


def test_landlock_where_the_kernel_has_it(tmp_path):
    told = run(tmp_path, "report").stderr.decode().split()
    abi = landlock_abi()
    assert told == ["seccomp", "1", "landlock", str(int(abi > 0)), "abi", str(max(abi, 0))]
