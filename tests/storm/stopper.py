"""Run a planrecon command in a process forked from one that has imported everything, and end it with SIGKILL at one step.

A step is `before` or `after` the nth call of `module:name` or `module:Class.name`, or of `files`: every operation that
changes names on the disk or makes bytes last. `count` ends nothing and writes the number of calls to standard error.
"""

import functools
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time

FILES = ("fsync", "replace", "rename", "unlink", "symlink", "mkdir", "rmdir")
MAKERS = multiprocessing.get_context("forkserver")
MAKERS.set_forkserver_preload(
    [
        "flows.commands.cli",
        "flows.commands.run",
        "flows.steps.pipeline",
        "providers.payt",
        "providers.totality",
        "providers.payiq",
    ]
)
NOWHERE = ("count", "files", 0)


class Stopped:
    """One command under way, to be used like a process of `subprocess` whose output is text."""

    def __init__(self, folder, arguments, step=NOWHERE):
        self._said = folder / f"said-{time.monotonic_ns()}.txt"
        self._child = MAKERS.Process(target=obey, args=(str(folder), str(self._said), step, arguments))
        self._child.start()
        self.kill = self._child.kill

    @property
    def returncode(self):
        return self._child.exitcode

    def poll(self):
        return self._child.exitcode

    def communicate(self, timeout):
        self._child.join(timeout)
        if self._child.exitcode is None:
            self._child.kill()
            self._child.join()
            raise TimeoutError(f"more than {timeout} s; it said: {self._said.read_text()[-2000:]}")
        text = self._said.read_text()
        self._said.unlink()
        return "", text

    def ended(self):
        """Wait for the end; return the exit code and everything that was said."""
        _, text = self.communicate(120)
        return self.returncode, text


def obey(folder, said, step, arguments):
    """Run the command in the folder, its output in a file, and leave with its exit code."""
    sink = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.chdir(folder)
    code = main(*step, *arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


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
