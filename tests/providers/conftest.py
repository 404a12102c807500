"""A network that is a function, a clock that stands still, retries that do not wait."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
import stamina

from providers.base import Page
from providers.errors import ProviderError

NOON = datetime(2026, 6, 30, 12, 0, 0, tzinfo=UTC)
DATE = {"date": "Tue, 30 Jun 2026 12:00:00 GMT"}


@dataclass
class Wire:
    """Answers requests from a script or a function, and remembers them."""

    answer: Callable[[httpx.Request], httpx.Response]
    requests: list[httpx.Request] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self.answer(request)
        for name, value in DATE.items():
            response.headers.setdefault(name, value)
        return response

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def lines(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


def drain(pages: Iterable[Page]) -> tuple[list[Page], ProviderError | None]:
    """What a pull gave out, and the error that ended it."""
    given: list[Page] = []
    try:
        given.extend(pages)
    except ProviderError as error:
        return given, error
    return given, None


@pytest.fixture
def drained() -> Callable[..., tuple[list[Page], ProviderError | None]]:
    return drain


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOON


@pytest.fixture
def wire() -> Callable[..., Wire]:
    def make(answer: Callable[[httpx.Request], httpx.Response] | Iterable[httpx.Response]) -> Wire:
        if callable(answer):
            return Wire(answer)
        script = iter(answer)
        return Wire(lambda _request: next(script))

    return make
