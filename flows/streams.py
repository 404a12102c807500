"""Standard output and standard error as a command may find them: closed, full, cut off, in another encoding.

What a command answers is exact or it is refused with one sentence; what it tells a person besides may be escaped.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO, cast

from flows.errors import PlanreconError


class CannotAnswer(PlanreconError):  # noqa: N818  the word says what happened
    """The answer could not be written to standard output."""

    code = "cannot_write"


class Answers:
    """Standard output that says in one sentence why it cannot be written; a reader that stops early is not an error."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        """Return any other attribute of the stream: libraries ask for its encoding and its terminal."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text.

        Raises:
            CannotAnswer: the stream is full or gone, or its encoding has no such character.
        """
        with self._said():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream; raises as `write` does."""
        with self._said():
            self._stream.flush()

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError as error:
            letters = error.object[error.start : error.end]
            raise CannotAnswer(
                f"standard output is {error.encoding} and cannot say {letters[:1]!a}; "
                "set PYTHONIOENCODING=utf-8 and call again. Whatever the command did besides stands"
            ) from error
        except BrokenPipeError:
            forget(self._stream)
        except OSError as error:
            forget(self._stream)
            raise CannotAnswer(
                f"standard output cannot be written ({error.strerror}); free some space or send it elsewhere, "
                "and call again. Whatever the command did besides stands"
            ) from error


def forget(stream: TextIO) -> None:
    """Discard what is still to come: Python would complain once more when it flushes at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(text: str) -> None:
    """Print lines that may hold foreign text, without characters that move the cursor or turn the reading direction."""
    from reports.texts import harmless  # only once there is something to say: it brings a library that takes its time

    print(harmless(text, keeps="\n"), flush=True)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Write out everything printed in the block, or say in one sentence why it cannot be written.

    Raises:
        CannotAnswer: standard output is closed, or does not take what was printed.
    """
    stream = cast("TextIO | None", sys.stdout)  # Python has none where the caller closed it
    if stream is None:
        raise CannotAnswer("standard output is closed, so nothing can be answered; nothing was done. Give it a place")
    answers = cast("TextIO", Answers(stream))
    sys.stdout = answers
    try:
        yield
        answers.flush()
    finally:
        if sys.stdout is answers:
            sys.stdout = stream


def settle() -> None:
    """Flush both streams or discard the rest, so that the ending process does not fail on them."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if cast("TextIO | None", stream) is not None:
                stream.flush()
        except (OSError, ValueError):
            forget(stream)
