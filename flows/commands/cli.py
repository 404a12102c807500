"""The commands. Each reads its settings, calls one function of this room and returns its exit code.

Progress goes to standard error, the answer to standard output. No work is done here.
"""

import atexit
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, NoReturn

from cyclopts import App, CycloptsError, Group, Parameter

from flows import log, streams
from flows.commands import cli_setup, window
from flows.commands.flags import NOTHING, Flags
from flows.commands.options import AsOf, By, Config, FailOn, Format, KnownAt, Notify, Raw
from flows.commands.writes import cli_plan
from flows.log import LOGGER

USAGE = 2
SIGNALLED = (130, 143)

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # we have none, and it asks every package installed


def _version() -> str:
    from importlib.metadata import version

    return version("planrecon")


app = App(
    name="planrecon",
    version=_version,
    help="Payment plans at Payt, Totality and PayIQ: what is due, missed, pending and wrong, to the cent and with the reason.",
    help_format="plaintext",  # what lays out Markdown takes longer to import than all the rest of a help page
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.command(cli_plan.app)
cli_setup.add_to(app)
app.meta.suppress_keyboard_interrupt = False  # how a stopped command ends is said in `execute`


class Stopped(BaseException):
    """A signal asked the process to end; the next call resumes."""


@app.command
def demo(
    *,
    as_of: AsOf = None,
    directory: Path = Path("planrecon-demo"),
    fail_on: FailOn = None,
) -> int:
    """Run the main job with nothing configured, against the three provider sandboxes on this machine.

    Writes a fresh warehouse and its reports below DIRECTORY, prints the summary, stops everything it started.

    For example: `planrecon demo --as-of 2026-06-30`
    """
    from flows.commands.demo import run_demo

    return run_demo(directory, as_of=as_of, fail_on=fail_on)


@app.command
def run(
    *,
    config: Config = None,
    as_of: AsOf = None,
    provider: Annotated[
        tuple[str, ...], Parameter(negative="", help="Pull only this provider; may be given more than once.")
    ] = (),
    full: Annotated[
        bool, Parameter(negative="", help="Fetch everything again, not only what changed since the last fetch.")
    ] = False,
    refresh: Annotated[
        bool,
        Parameter(
            negative="",
            help="Fetch only what may have become pending or settled since the last fetch; PayIQ is asked for few accounts.",
        ),
    ] = False,
    prefect: Annotated[
        bool, Parameter(negative="", help="Run as a Prefect flow although no Prefect API is configured.")
    ] = False,
    fail_on: FailOn = None,
) -> int:
    """Pull, validate, compute and report for the configured providers.

    For example: `planrecon run --as-of 2026-06-30 --provider payt`
    """
    from flows.commands.run import run_configured

    return run_configured(
        config, as_of=as_of, providers=provider, as_flow=prefect, fail_on=fail_on, full=full, refresh=refresh
    )


@app.command
def report(
    *,
    config: Config = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    fail_on: FailOn = None,
) -> int:
    """Rebuild the reports from the warehouse alone, in a run folder of its own; no network.

    For example: `planrecon report --as-of 2026-05-31`
    """
    from flows.commands.run import report_again

    return report_again(config, as_of=as_of, known_at=known_at, fail_on=fail_on)


@app.command
def explain(
    plan_or_fingerprint: Annotated[
        str,
        Parameter(
            help="Id of a plan, as the provider writes it; or a break's fingerprint, its first six characters or more."
        ),
    ],
    /,
    *,
    config: Config = None,
    provider: Annotated[str | None, Parameter(help="Where the plan is, if several have one of this id.")] = None,
    tenant: Annotated[str | None, Parameter(help="Whose plan it is, if several have one of this id.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Literal["text", "json"] = "text",  # noqa: A002  the option's name is fixed
) -> int:
    """Say how every figure of one plan comes about: rule, numbers, rows and their source, settings, assumptions.

    Of a break: what was expected and why, what the provider says and where, the rule, its life, why it is so severe.
    From the warehouse alone; no network. JSON has the same content, for programs that calculate it again.

    For example: `planrecon explain 2603018 --as-of 2026-05-31`
    """
    from flows.commands.life.explain import explain as explain_one
    from flows.commands.life.plans import Wanted

    return explain_one(config, Wanted(plan_or_fingerprint, provider, tenant, as_of, known_at), style=format)


@app.command
def restate(
    *,
    config: Config = None,
    as_of: AsOf = None,
    from_: Annotated[
        datetime | None,
        Parameter(
            name="--from",
            help="What was known by then (UTC unless an offset is given); by default when the second newest published run of the date, or its only one, was made.",
        ),
    ] = None,
    to: Annotated[datetime | None, Parameter(help="What was known by then; now where not given.")] = None,
    format: Format = "table",  # noqa: A002  the option's name is fixed
) -> int:
    """Say what the figures of a past day were, what they are by what is known now, and which rows made the difference.

    One row per total, per figure of a plan that moved, and per cause; the effects of the causes add up to the difference
    of their plan, those of the plans to that of the total. A cause is a payment, term, plan, account, link or pause that
    became known in between, or changed settings. Nothing is stored or published.

    For example: `planrecon restate --as-of 2026-05-31 --format csv`
    """
    from flows.commands.life.restate import print_restatement

    return print_restatement(config, as_of=as_of, since=from_, until=to, style=format)


@app.command
def schedule(
    *,
    flags: Flags = NOTHING,
    file: Annotated[
        Path | None, Parameter(help="JSON object with these names, or the body of a Totality create call; flags win.")
    ] = None,
    format: Format = "table",  # noqa: A002  the option's name is fixed
) -> int:
    """Print the schedule that plan parameters give, with the trace of each date; no provider is asked.

    For example: `planrecon schedule --first-date 2025-01-31 --count 4 --total 1000.00`
    """
    from flows.commands.parameters import plan_parameters
    from flows.commands.schedule import print_schedule
    from flows.configuration import require_validation

    require_validation()
    return print_schedule(plan_parameters(file, flags), style=format)


@app.command
def breaks(
    *,
    state: Annotated[str, Parameter(help="Only breaks in this state, for example NEW.")] = "",
    code: Annotated[str, Parameter(help="Only breaks with this code, for example BALANCE_DRIFT.")] = "",
    severity: Annotated[str, Parameter(help="Only breaks of this severity: low, medium, high, critical.")] = "",
    provider: Annotated[str, Parameter(help="Only breaks at this provider.")] = "",
    plan: Annotated[str, Parameter(help="Only breaks of the plan with this id.")] = "",
    format: Format = "table",  # noqa: A002  the option's name is fixed
    raw: Raw = False,
    config: Config = None,
) -> int:
    """List the breaks of the latest published run; without --state the open ones. An unknown word is refused.

    For example: `planrecon breaks --severity high --provider payt --wide`
    """
    from flows.commands.ask import Selection, list_breaks

    return list_breaks(config, Selection(state, code, severity, provider, plan), style=format, raw=raw)


@app.command
def accept(
    fingerprint: Annotated[
        str, Parameter(help="Fingerprint of the break, or as much of its beginning as no other break has.")
    ] = "",
    *,
    owner: Annotated[str, Parameter(help="Who answers for it.")] = "",
    reason: Annotated[str, Parameter(help="Why it may stay.")] = "",
    expires: Annotated[
        str,
        Parameter(name=("--expires", "--until"), help="Last day it holds, as 2026-12-31; until withdrawn where none."),
    ] = "",
    maximum: Annotated[
        str, Parameter(help="Largest difference it covers, in the break's currency, as 12.50; any where none.")
    ] = "",
    withdraw: Annotated[bool, Parameter(negative="", help="Take the acceptance back.")] = False,
    file: Annotated[
        Path | None,
        Parameter(
            help="Accept what the rows of a file say: the workbook (its sheet `breaks`) or a CSV with the columns "
            "fingerprint, owner, accepted_because, expires_on, maximum. Rows without an owner are left alone; where one "
            "does not fit, nothing is accepted."
        ),
    ] = None,
    config: Config = None,
) -> int:
    """Accept a break with an owner and a reason, or many from a file; it counts from the next run or report on.

    An accepted break is not open and decides no exit code. It is open again after its last day, and when it grows
    above the maximum. Reports made before it stay as they are, also when they are made again with `--known-at`.

    For example: `planrecon accept 034fb7 --owner anna --reason "agreed by phone" --expires 2099-12-31`
    """
    from flows.commands.life.accept import answer
    from flows.commands.life.wishes import Wish

    return answer(config, Wish(fingerprint, owner, reason, expires, maximum, withdraw), file)


@app.command
def quarantine(
    what: Annotated[
        Literal["list", "show", "replay"], Parameter(help="List what stayed out, show one row, or judge all rows anew.")
    ] = "list",
    row: Annotated[str, Parameter(help="With `show`: the id of the row, or its beginning.")] = "",
    *,
    provider: Annotated[str, Parameter(help="Only rows of this provider.")] = "",
    entity: Annotated[str, Parameter(help="Only rows of this entity, for example payments.")] = "",
    code: Annotated[str, Parameter(help="Only rows refused with this code, for example NEGATIVE.")] = "",
    format: Format = "table",  # noqa: A002  the option's name is fixed
    raw: Raw = False,
    config: Config = None,
) -> int:
    """List the rows that are out and why; `show` says of one where its bytes lie and how often it came.

    One line per reason: a row with three faults has three. No value of a row is shown. `replay` judges all of them anew
    from their bytes as landed, with the present program and configuration; what is good now is in the next run or report,
    and in none for an earlier knowledge time.

    For example: `planrecon quarantine list --provider payt --code BAD_DATE`
    """
    from flows.commands.life.quarantine import Selection, list_rows, replay_rows, show_row

    if what == "replay":
        return replay_rows(config)
    if what == "show":
        return show_row(config, row, style=format, raw=raw)
    return list_rows(config, Selection(provider, entity, code), style=format, raw=raw)


@app.command
def query(
    sql: Annotated[str, Parameter(help="One SELECT over the views, for example `select * from v_plans limit 5`.")],
    *,
    format: Format = "table",  # noqa: A002  the option's name is fixed
    raw: Raw = False,
    config: Config = None,
) -> int:
    """Run read-only SQL on the latest published state, also while a run is writing.

    For example: `planrecon query "select * from v_plans where overdue > 0" --vertical`
    """
    from flows.commands.ask import answer_query

    return answer_query(config, sql, style=format, raw=raw)


@app.command
def sandbox(
    *,
    port: Annotated[int, Parameter(help="First of three ports (Payt, Totality, PayIQ); 0 takes free ones.")] = 0,
    scenario: Annotated[
        Path | None,
        Parameter(
            help='JSON file `{"generate": {"seed": 7, "plans": 100, "as_of": "2026-06-30"}}`, or `golden`; '
            "the demo's scenario where none is given."
        ),
    ] = None,
    directory: Annotated[Path, Parameter(help="Where to write the configuration that points at the sandbox.")] = Path(
        "planrecon-sandbox"
    ),
) -> int:
    """Serve the three provider sandboxes until stopped, and write a configuration that points at them.

    For example: `planrecon sandbox --port 8801`
    """
    from flows.commands.demo import serve_sandbox

    return serve_sandbox(port, scenario, directory)


@app.command
def deploy(*, config: Config = None, notify: Notify = None, by: By = "08:00") -> int:
    """Register the scheduled deployments of `prefect.yaml` with the configured Prefect API, and whom to tell of bad ends.

    For example: `planrecon deploy`
    """
    from flows.commands.options import hour
    from flows.deploy.deployments import register

    return register(config, notify=notify, by=hour(by))


@app.command
def serve(*, config: Config = None, notify: Notify = None, by: By = "08:00") -> int:
    """Serve the scheduled deployments from this process until it is stopped.

    For example: `planrecon serve`
    """
    from flows.commands.options import hour
    from flows.deploy.deployments import serve_here

    return serve_here(config, notify=notify, by=hour(by))


@app.command
def doctor(
    *,
    config: Config = None,
    offline: Annotated[bool, Parameter(negative="", help="Skip the providers.")] = False,
    assumptions: Annotated[
        bool, Parameter(negative="", help="Also list what is assumed of each provider because no page of it says so.")
    ] = False,
) -> int:
    """Check configuration, credentials, provider reach, warehouse, disk and versions, and say what to do.

    For example: `planrecon doctor --offline`
    """
    from flows.commands.doctor import examine

    return examine(config, offline=offline, assumptions=assumptions)


@app.command
def verify(*, config: Config = None) -> int:
    """Check that landing, logs, warehouse and published folders still hold what was written, to the byte.

    Exits 0 where all of it does, 2 where something does not; each fault is named with what to do. Changes nothing.

    For example: `planrecon verify`
    """
    from flows.commands.stored import verify_stored

    return verify_stored(config)


@app.command
def rebuild(*, config: Config = None) -> int:
    """Make the warehouse again from the landing alone; the former file is moved aside, nothing is fetched or published.

    Every load keeps its time and every run its place, so that `report` gives the same figures as before.

    For example: `planrecon rebuild`
    """
    from flows.commands.stored import rebuild as rebuild_stored

    return rebuild_stored(config)


def _flowing(commands: App) -> None:
    """Make a line of each paragraph of the help: the lines of the source are no lines of a terminal."""
    for name in commands:
        commands[name].help = re.sub(r"(?<!\n)\n *(?!\n)", " ", commands[name].help)


_flowing(app)
_flowing(cli_plan.app)

Session = Group("For every command", sort_key=99)


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    log_format: Annotated[
        log.LogFormat, Parameter(group=Session, help="How progress is written to standard error.")
    ] = "text",
    quiet: Annotated[
        bool, Parameter(negative="", group=Session, help="Write warnings and errors alone to standard error.")
    ] = False,
    debug: Annotated[
        bool, Parameter(negative="", group=Session, help="Tell more, and show the traceback of whatever fails.")
    ] = False,
    wide: Annotated[
        bool, Parameter(negative="", group=Session, help="Show tables whole, however wide; as in a pipe or file.")
    ] = False,
    vertical: Annotated[bool, Parameter(negative="", group=Session, help="Show tables with one field a line.")] = False,
) -> object:
    """Run the command that the tokens name."""
    level = logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO
    log.configure(log_format, level=level)
    window.choose(wide=wide, vertical=vertical)
    return app(tokens, exit_on_error=False, print_error=False)


def execute(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; whatever fails becomes one sentence on standard error, nothing else."""
    log.configure()
    try:
        with streams.guarded():
            answer = app.meta(arguments, exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        return _say("stopped by Ctrl-C; call the same command again to resume", SIGNALLED[0])
    except Stopped:
        return _say("stopped by SIGTERM; call the same command again to resume", SIGNALLED[1])
    except CycloptsError as error:
        return _say(f"{error} `planrecon --help` lists the commands, `--help` behind one its options.", code="usage")
    except BaseException as error:  # noqa: BLE001  the last one: nothing leaves as a traceback, not a library's panic either
        return _failed(error)
    return answer if isinstance(answer, int) else 0


def _failed(error: BaseException) -> int:
    """Say how the command ended."""
    try:
        from flows.endings import ending
        from flows.tracebacks import told

        LOGGER.debug("%s", told(error))
        end = ending(error)
    except Exception as worse:  # noqa: BLE001  a broken installation, no memory
        both = f"{type(error).__name__}, then {type(worse).__name__}"
        return _say(f"nobody expected this ({both}); install it anew, or report it with the command", code="internal")
    return _say(str(end), end.exit_code, code=end.code)


def _say(text: str, exit_code: int = USAGE, *, code: str = "") -> int:
    LOGGER.error("%s%s", f"{code}: " if code else "", text, extra={"code": code or "stopped"})
    return exit_code


def _on_signals(stop: Callable[[int, FrameType | None], NoReturn]) -> None:
    signal.signal(signal.SIGTERM, stop)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise Stopped


def main() -> None:
    """Run the console script."""
    left = [USAGE]
    atexit.register(_leave, left)  # registered first, so it runs last
    _on_signals(_stop)
    os.umask(0o077)  # what is written is for its owner alone, also what Prefect writes for us
    left[0] = execute()
    streams.settle()
    if left[0] in SIGNALLED:
        _end(left[0])  # threads that wait for a provider are not waited for
    sys.exit(left[0])


def _leave(code: list[int]) -> None:
    """End the process at once: taking everything down takes its time, and what Prefect's threads keep alive, DuckDB's bindings would call leaks."""
    _end(code[0])


def _end(code: int) -> NoReturn:
    streams.settle()
    os._exit(code)


if __name__ == "__main__":
    main()
