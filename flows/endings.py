"""Turn every exception of a command into one sentence with a stable code and an exit code.

What nobody expected is `internal`: the sentence names the file that holds the traceback. Nothing is caught here;
the commands and the flows ask what to say.
"""

import errno
import os

from checks.base import CheckError
from flows import tracebacks
from flows.errors import PlanreconError
from providers.errors import ProviderError
from reports.errors import ReportError
from schemas.table import GateError
from sql.conservation import ConservationError
from sql.errors import StoreError
from sql.storage.files import ADVICE
from transforms.intake.admit import ContractError
from writes.errors import WriteError

EXPECTED = (
    PlanreconError,
    ProviderError,
    StoreError,
    ReportError,
    ContractError,
    ConservationError,
    CheckError,
    GateError,
    WriteError,
)
"""The errors of our rooms: each says for itself what, where and what to do."""


class Ended(PlanreconError):  # noqa: N818  the word says what happened
    """The end of a command or a flow: a sentence with its code and its exit code."""

    def __init__(self, text: str, *, code: str, exit_code: int) -> None:
        super().__init__(text)
        self.code = code
        self.exit_code = exit_code


def ending(error: BaseException) -> Ended:
    """Return what to say about an uncaught exception, having put the traceback of an unexpected one into a file."""
    if isinstance(error, Ended):
        return error
    if isinstance(error, EXPECTED):
        return Ended(_one_line(str(error)), code=getattr(error, "code", "internal"), exit_code=_exit_code(error))
    if isinstance(error, OSError) and error.errno in ADVICE and (error.filename or error.errno in _WHERE_UNKNOWN):
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return Ended(f"{where}{error.strerror}; {ADVICE[error.errno]}", code="cannot_write", exit_code=2)
    what = f"{type(error).__name__}: {_one_line(str(error))[:300]}".rstrip(": ")
    file = tracebacks.keep(error)
    where = f"the traceback lies in {file}" if file else "call it again with --debug to see the traceback"
    return Ended(f"nobody expected this ({what}); {where}, report it with the command", code="internal", exit_code=2)


_WHERE_UNKNOWN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.EIO}
"""What writing to an open file may raise, which names no path."""


def _exit_code(error: BaseException) -> int:
    own: int = getattr(error, "exit_code", 2)
    return 5 if getattr(error, "code", "") == "busy" else own


def _one_line(text: str) -> str:
    return " ".join(text.split())
