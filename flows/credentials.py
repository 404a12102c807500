"""Secrets as the configuration gives them: as text, or by the name of a Prefect Secret block."""

from typing import Any

from flows.errors import SecretError, SettingsError
from flows.orchestrator import address, prepare_embedded, require_answer, shown
from providers.http.auth import SPEAKABLE

INSTEAD = "or give the secret itself, by its environment variable or a file"


def sound(text: str, key: str) -> str:
    """Return a secret that can be sent, without white space around it.

    Raises:
        SecretError: it is empty or cannot be sent; the message names `key` and what is wrong, never the secret.
    """
    secret = text.strip()
    if not secret:
        raise SecretError(f"{key} is empty; give the secret, or remove the key")
    if SPEAKABLE.fullmatch(secret):
        return secret
    wrong = next(letter for letter in secret if not SPEAKABLE.fullmatch(letter))
    kind = (
        "a line break"
        if wrong in "\r\n"
        else "a control character"
        if ord(wrong) < ord(" ")
        else "a letter that is not ASCII"
    )
    place = secret.index(wrong) + 1
    raise SecretError(
        f"{key} holds {kind} at place {place}, for example a dash or a quote as text programs write them; copy the secret again"
    )


def from_block(text: str) -> str:
    """Return the value of the Prefect Secret block that `prefect-secret:NAME` names; other text is itself.

    Raises:
        SettingsError: there is no such block, or no server answers.
    """
    scheme, colon, name = text.partition(":")
    if scheme != "prefect-secret" or not colon:
        return text
    where = ""
    if url := address():
        require_answer(INSTEAD)
        where = f" at {shown(url)}"
    else:
        prepare_embedded()
    from prefect.blocks.system import Secret

    try:
        block: Any = Secret.load(name)  # typed as perhaps a coroutine; outside an event loop it is the block
    except ValueError:
        raise SettingsError(f"there is no Prefect Secret block {name!r}{where}; make it, {INSTEAD}") from None
    return str(block.get())
