"""Run a planrecon command in a process of its own, and end it with SIGKILL at one step.

A step is `before` or `after` the nth call of `module:name` or `module:Class.name`, or of `files`: every operation that
changes names on the disk or makes bytes last. `count` ends nothing and writes the number of calls to standard error.
"""

import functools
import importlib
import os
import signal
import subprocess
import sys
import threading
import time

FILES = ("fsync", "replace", "rename", "unlink", "symlink", "mkdir", "rmdir")
NOWHERE = ("count", "files", 0)


class Stopped:
    """One command under way, started in the folder; what it says goes into a file."""

    def __init__(self, folder, arguments, step=NOWHERE):
        self._said = folder / f"said-{time.monotonic_ns()}.txt"
        with self._said.open("wb") as said:
            command = [sys.executable, __file__, *map(str, step), *arguments]
            self._child = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        self.kill, self.poll = self._child.kill, self._child.poll

    @property
    def returncode(self):
        return self._child.poll()

    def communicate(self, timeout):
        try:
            self._child.wait(timeout)
        finally:
            if self._child.poll() is None:
                self._child.kill()
                self._child.wait()
        text = self._said.read_text()
        self._said.unlink()
        return "", text

    def ended(self):
        """Wait for the end; return the exit code and everything that was said."""
        _, text = self.communicate(120)
        return self.returncode, text


def main(when, what, nth, *arguments):
    counted = Counter(when, nth)
    if what == "files":
        for name in FILES:
            setattr(os, name, counted.around(getattr(os, name)))
    else:
        module, _, path = what.partition(":")
        holder = importlib.import_module(module)
        *classes, name = path.split(".")
        for each in classes:
            holder = getattr(holder, each)
        setattr(holder, name, counted.around(getattr(holder, name)))
    from flows.commands.cli import execute

    code = execute(list(arguments))
    if when == "count":
        sys.stderr.write(f"calls: {counted.calls}\n")
    return code


class Counter:
    def __init__(self, when, nth):
        self.when, self.nth, self.calls, self.lock = when, nth, 0, threading.Lock()

    def around(self, function):
        @functools.wraps(function)
        def counted(*given, **named):
            with self.lock:
                self.calls += 1
                is_it = self.calls == self.nth
            if is_it and self.when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            answer = function(*given, **named)
            if is_it and self.when == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return counted


if __name__ == "__main__":
    when, what, nth, *rest = sys.argv[1:]
    sys.exit(main(when, what, int(nth), *rest))
