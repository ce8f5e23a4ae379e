"""The entry point: `headcount`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from headcount_server.commands import (
    analytics,
    asking,
    breakdowns,
    demo,
    editing,
    facts,
    history,
    lists,
    loads,
    offline,
    people,
    resolving,
    segments,
    sending,
    serving,
    statistics,
    tokens,
    watching,
    workspace,
)
from headcount_server.commands.exits import CommandError, Exit, say

app = typer.Typer(
    name="headcount",
    help="Exact audience counts, memberships and segments.",
    no_args_is_help=True,
    # Rich would take longer to load than most commands take to answer.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_release(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"headcount {version('headcount')}")
        raise typer.Exit


@app.callback()
def _options(
    release: Annotated[
        bool,
        typer.Option("--version", callback=_say_release, is_eager=True, help="Show the release and exit."),
    ] = False,
) -> None:
    """Exact audience counts, memberships and segments."""


app.command()(serving.serve)
app.command()(serving.warm)
loads.app.command()(lists.members)
app.add_typer(loads.app, name="load")
app.command()(asking.count)
app.command()(asking.check)
app.command()(editing.explain)
app.command()(editing.compare)
app.command()(editing.plan)
app.command()(analytics.overlap)
app.command()(breakdowns.breakdown)
app.command()(analytics.affinity)
app.command()(resolving.resolve)
app.command()(sending.preview)
app.command()(sending.export)
app.command()(asking.profile)
app.command()(people.merge)
app.command()(people.erase)
segments.app.command()(history.history)
segments.app.command()(statistics.statistics)
app.add_typer(segments.app, name="segments")
app.add_typer(tokens.app, name="tokens")
app.command()(watching.watch)
app.command()(facts.schema)
app.command()(facts.status)
app.command()(workspace.settings)
app.command()(facts.checkpoint)
app.command()(demo.demo)
app.command()(offline.inspect)
app.command()(offline.verify)
app.command()(offline.salvage)
app.command()(offline.restore)


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print a script that makes the shell complete commands: eval "$(headcount completion bash)"."""
    from typer._completion_shared import get_completion_script

    if shell not in ("bash", "zsh", "fish"):
        raise CommandError(f"no completion for {shell!r}: bash, zsh or fish", Exit.USAGE)
    print(get_completion_script(prog_name="headcount", complete_var="_HEADCOUNT_COMPLETE", shell=shell))


def run() -> None:
    """Run the command line and end the process with a code from `exits`."""
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; its exit code."""
    try:
        result = app(arguments, prog_name="headcount", standalone_mode=False)
        sys.stdout.flush()
    except CommandError as error:
        say(f"headcount: {error.message}")
        return int(error.code)
    except typer.Exit as ending:
        return int(ending.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        say("headcount: interrupted")
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        sys.stderr.close()
        return int(Exit.DONE)
    except OSError as error:
        if error.errno is None:
            raise
        _forget_output()
        say(f"headcount: {error.filename or 'the output cannot be written'}: {error.strerror}")
        return int(Exit.FAULT)
    except Exception as error:
        if not hasattr(error, "format_message") or not hasattr(error, "exit_code"):
            raise
        _say_usage(error)
        return int(Exit.USAGE)
    return result if isinstance(result, int) else int(Exit.DONE)


def _forget_output() -> None:
    """What standard output did not take is let go of, so that the end of the process does not fail on it again."""
    try:
        sys.stdout.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _say_usage(error: Exception) -> None:
    """A wrong command line, in the words of the library that parses it."""
    show = getattr(error, "show", None)
    if callable(show):
        show()
