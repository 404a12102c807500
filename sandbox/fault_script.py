"""Which requests meet which fault, and how often."""

import re
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from sandbox.exchange import Exchange, Recorded

Fault: TypeAlias = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class Rule:
    """One fault and the requests it is meant for."""

    fault: Fault
    match: re.Pattern[str]
    provider: str | None
    after: int
    times: int
    fired: int = 0


@dataclass(slots=True)
class Faults:
    """The script of faults of one sandbox, safe to change while it serves.

    Of several rules that match a request the earliest added acts; the others
    do not count it.
    """

    rules: list[Rule] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, fault: Fault, *, match: str = "", provider: str | None = None, times: int = 1, after: int = 0
    ) -> Rule:
        """Let `fault` befall the next `times` requests whose `METHOD /path?query` contains the pattern.

        `match` is a regular expression, searched for. `after` matching requests
        pass unharmed first. `Rule.fired` counts how often it has acted.
        """
        rule = Rule(fault, re.compile(match), provider, after, times)
        with self.lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget every rule; the providers are well again."""
        with self.lock:
            self.rules.clear()

    def take(self, request: Recorded) -> Fault | None:
        """Return the fault this request meets, if any, and count it."""
        with self.lock:
            for rule in self.rules:
                if rule.fired >= rule.times or rule.provider not in {None, request.provider}:
                    continue
                if not rule.match.search(request.line):
                    continue
                if rule.after > 0:
                    rule.after -= 1
                    return None
                rule.fired += 1
                request.fault = rule.fault.__qualname__.partition(".")[0]
                return rule.fault
        return None
