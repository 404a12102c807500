"""The commands that make planrecon at home on a machine: open the page, complete words in the shell."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from flows.commands.options import Config
from flows.errors import UsageError

Shell = Literal["bash", "zsh", "fish"]


def add_to(app: App) -> None:
    """Make these functions commands of `app`."""
    app.command(init)
    app.command(open_page, name="open")

    @app.command(name="--install-completion")
    def install(
        *,
        shell: Annotated[Shell | None, Parameter(help="The one that is running, where not given.")] = None,
        output: Annotated[
            Path | None, Parameter(help="Write the script there alone, for example below /etc/bash_completion.d.")
        ] = None,
    ) -> int:
        """Let bash, zsh or fish complete commands and options, from its next start on.

        For example: `planrecon --install-completion --shell zsh`
        """
        return install_completion(app, shell, output)


def init(
    *,
    provider: Annotated[
        tuple[str, ...], Parameter(negative="", help="Pull from this provider; may be given more than once.")
    ] = (),
    base_url: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="Where a provider's API is, as `totality=https://lender.example/api`."),
    ] = (),
    timezone: Annotated[str, Parameter(help="Reporting time zone, for example Europe/Amsterdam.")] = "",
    calendar: Annotated[str, Parameter(help="Holidays: NL, US, ECB, FED, ...")] = "",
    warehouse: Annotated[str, Parameter(help="The DuckDB file.")] = "",
    state_dir: Annotated[str, Parameter(help="Folder of what was fetched and decided.")] = "",
    reports: Annotated[str, Parameter(help="Folder of the reports.")] = "",
    yes: Annotated[
        bool, Parameter(negative="", help="Ask nothing: take the default of whatever is not given.")
    ] = False,
    force: Annotated[bool, Parameter(negative="", help="Write the file anew where it is there already.")] = False,
    config: Config = None,
) -> int:
    """Write a commented configuration by asking, Enter for each default; secrets are named, never written.

    For example: `planrecon init --provider payt --timezone Europe/Amsterdam --yes`
    """
    from flows.commands.init import Given, write_configuration

    urls = dict(pair.partition("=")[::2] for pair in base_url)
    given = Given(provider, urls, timezone, calendar, warehouse, state_dir, reports)
    return write_configuration(config, given, takes_defaults=yes, force=force)


def open_page(*, config: Config = None) -> int:
    """Open the page of the latest published run in the browser, and print its path.

    For example: `planrecon open`
    """
    from flows.commands.page import open_latest

    return open_latest(config)


def install_completion(app: App, shell: Shell | None, output: Path | None) -> int:
    """Write the script that completes words in a shell, say where it is, and return 0.

    Raises:
        UsageError: nobody says which shell runs, or the script cannot be written.
    """
    from cyclopts.completion.detect import ShellDetectionError

    try:
        script = app.install_completion(shell=shell, output=output, add_to_startup=output is None)
    except (ShellDetectionError, ValueError):
        raise UsageError("cannot tell which shell this is; say it with --shell bash, zsh or fish") from None
    except OSError as error:
        raise UsageError(
            f"{error.filename!r} cannot be written ({error.strerror}); name another place with --output"
        ) from error
    print(f"{script} is written; a new shell completes planrecon" + (" once it reads that file" if output else ""))
    return 0
