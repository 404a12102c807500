"""What keeps a change from being made, as one small tree.

WriteError
├── NotAllowed      limits, or production without its switch: nothing was sent
├── NothingSuch     no such intent
├── Changed         the request or the provider is not what was approved
└── Underway        another process works on the same intent
"""

from typing import ClassVar


class WriteError(Exception):
    """A change was not made; the text says what, where and what to do."""

    code: ClassVar[str] = "usage"
    exit_code: ClassVar[int] = 2


class NotAllowed(WriteError):  # noqa: N818  the word says what happened
    """The configuration does not allow it."""

    code = "contract"


class NothingSuch(WriteError):  # noqa: N818  as above
    """There is no such intent."""


class Changed(WriteError):  # noqa: N818  as above
    """What would be sent, or what the provider shows, is not what was approved."""

    code = "contract"


class Underway(WriteError):  # noqa: N818  as above
    """Another process works on it."""

    code = "busy"
    exit_code = 5
