"""Run a planrecon command and end it with SIGKILL at one step.

    python stopper.py before|after|count WHAT NTH -- run --config …

WHAT is `module:name` or `module:Class.name`, or `files` for every operation that changes names on the disk
or makes bytes last. The NTH call is the one that is interrupted. `count` interrupts nothing and writes
the number of calls to standard error.
"""

import functools
import importlib
import os
import signal
import sys
import threading

FILES = ("fsync", "replace", "rename", "unlink", "symlink", "mkdir", "rmdir")


def main(when, what, nth, *arguments):
    counted = Counter(when, int(nth))
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
    when, what, nth, _, *rest = sys.argv[1:]
    sys.exit(main(when, what, nth, *rest))
