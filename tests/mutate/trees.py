"""Copies of the source tree below build/mutate, and test files that are run in them."""
import ctypes
import fcntl
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections import namedtuple

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PLACE = os.path.join(TOP, "build", "mutate")

# why: the check that failed, as TAP says it; "" if all passed.  skipped: the test says that it cannot run here.
Result = namedtuple("Result", "why seconds skipped")


def source_files():
    """Every file of the tree that git does not ignore; without git, all but what was built."""
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "-zco", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.split("\0")
    else:
        names = []
        for directory, below, files in os.walk(TOP):
            below[:] = [d for d in below if d not in ("bin", "build", ".git", "__pycache__") or directory != TOP]
            names += [os.path.relpath(os.path.join(directory, f), TOP) for f in files]
    return sorted(n for n in names if n and os.path.isfile(os.path.join(TOP, n)))


def read(path):
    with open(path, "rb") as f:
        return f.read()


def is_mutated(name):
    """C and bash of src, the flows and what they share; not the scripts that build and test."""
    if re.fullmatch(r"src/(.*/)?[^/]*\.c|src/[^/]*\.sh", name):
        return True
    return bool(re.fullmatch(r"scripts/(lib\.sh|report|[^/]*/[^/]*)", name)) and \
        bool(name.endswith(".sh") or re.match(rb"#!.*\bbash\b", read(os.path.join(TOP, name))[:64]))


class Tree:
    """A copy of the tree.  Only what differs is copied, so that make builds only what depends on it."""

    def __init__(self, name, cflags, ldflags=""):
        self.path = os.path.join(PLACE, name)
        self.settings = [f"CFLAGS={cflags}", f"LDFLAGS={ldflags}"]
        os.makedirs(self.path, exist_ok=True)
        self.lock = open(self.path + ".lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        # tests find the data of a checkout beside it
        beside = os.path.join(PLACE, "shared")
        if os.path.isdir(os.path.join(TOP, "..", "shared")) and not os.path.exists(beside):
            os.symlink(os.path.realpath(os.path.join(TOP, "..", "shared")), beside)

    @classmethod
    def free(cls):
        """The first tree for mutants that no other run uses.  No -g: objects that behave alike are then the same bytes."""
        os.makedirs(PLACE, exist_ok=True)
        for n in range(64):
            with open(os.path.join(PLACE, f"tree-{n}.lock"), "a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
            return cls(f"tree-{n}", "-O2")
        raise SystemExit("mutate: too many runs at the same time")

    def file(self, name):
        return os.path.join(self.path, name)

    def clean_if_interrupted(self):
        """A run that was killed may have left mutants or halves of programs."""
        if os.path.exists(self.path + ".used"):
            for d in "bin", "build":
                shutil.rmtree(self.file(d), ignore_errors=True)
        open(self.path + ".used", "w").close()

    def finished(self):
        os.remove(self.path + ".used")

    def copy(self):
        names = source_files()
        for name in names:
            source, target = os.path.join(TOP, name), self.file(name)
            if not os.path.exists(target) or read(source) != read(target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(source, target)
            shutil.copymode(source, target)
        for directory, below, files in os.walk(self.path):
            if directory == self.path:
                below[:] = [d for d in below if d not in ("bin", "build")]
            for f in files:
                if os.path.relpath(os.path.join(directory, f), self.path) not in names:
                    os.remove(os.path.join(directory, f))

    def write(self, name, data):
        with open(self.file(name), "wb") as f:
            f.write(data)

    def make(self, *targets):
        """What make says if it fails, else None."""
        made = subprocess.run(["make", "-s", "-j2", *self.settings, *targets], cwd=self.path, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=environment())
        return None if made.returncode == 0 else made.stderr

    def run_test(self, test, limit=None, **variables):
        """Runs a test file to its first failure, for so many seconds at most; nothing of it remains."""
        tmp = tempfile.mkdtemp(prefix="mutate.")
        os.chmod(tmp, 0o1777)
        began = time.monotonic()
        interpreter = read(self.file(test)).partition(b"\n")[0].decode().removeprefix("#!").split()
        process = subprocess.Popen([*interpreter, self.file(test)], cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, start_new_session=True,
                                   env=environment(TMPDIR=tmp, GIT_CEILING_DIRECTORIES=PLACE, **variables))
        try:
            why, skipped = judge(process, began + limit if limit else None)
        finally:
            end_processes(process)
            shutil.rmtree(tmp, ignore_errors=True)
        return Result(why, time.monotonic() - began, skipped)


def environment(**variables):
    """/usr/bin first: a python3 of another place may be a slow wrapper."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "GIT_"))}
    return ours | {"PATH": "/usr/bin:/bin:" + os.environ["PATH"]} | variables


def judge(process, deadline):
    """Reads TAP up to the first failure: (why, skipped)."""
    out, checks, plan, skipped = b"", 0, None, False
    fd = process.stdout.fileno()
    while True:
        if deadline and time.monotonic() > deadline:
            return "time limit", False
        reap(process)
        ended = process.poll() is not None
        readable = select.select([fd], [], [], 0 if ended else 0.1)[0]
        chunk = os.read(fd, 65536) if readable else b""
        out += chunk
        *lines, out = out.split(b"\n")
        for line in (raw.decode(errors="replace") for raw in lines):
            if line.startswith("not ok ") or line.startswith("Bail out!"):
                return line, False
            checks += line.startswith("ok ")
            if re.match(r"1\.\.\d", line):
                plan, skipped = int(re.match(r"1\.\.(\d+)", line)[1]), line.startswith("1..0")
        if not chunk and (ended or readable):
            break
    status = process.wait()
    if status != 0:
        return f"exit status {status}", False
    return "" if plan == checks else f"{checks} checks of {plan}", skipped


# ---- processes ----

def adopt_orphans():
    """What a test leaves behind becomes a child of ours (PR_SET_CHILD_SUBREAPER), so that it can be found."""
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)


def descendants():
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                parents[int(pid)] = int(f.read().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            pass
    found, ours = set(), {os.getpid()}
    while ours:
        ours = {pid for pid, parent in parents.items() if parent in ours and pid not in found}
        found |= ours
    return found


def reap(process):
    """Collects the orphans that have ended: a test may wait until they are gone.  The test itself is left to its Popen."""
    try:
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != process.pid:
            os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        pass


def end_processes(process):
    """A test that was stopped gets the time to stop its servers; then all that is left is killed."""
    deadline = time.monotonic() + 20
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
    for number in (signal.SIGTERM, signal.SIGKILL):
        soon = time.monotonic() + 5
        while time.monotonic() < max(soon, deadline if number == signal.SIGKILL else 0):
            left = descendants()
            if not left:
                break
            for pid in left:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
            process.poll()
            reap(process)
    process.stdout.close()
