"""inspect, verify, salvage and restore: a store's directory while no server has it open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit

if TYPE_CHECKING:
    from headcount_engine.errors import EngineError

Store = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="The store's directory.")]
Target = Annotated[Path, typer.Argument(metavar="TARGET", help="A new or empty directory.")]


def inspect(store: Store) -> None:
    """Say what each file of a store is."""
    from headcount_engine.database import offline
    from headcount_engine.errors import EngineError

    try:
        facts = offline.inspect(store)
    except EngineError as error:
        raise _refused(error, store) from error
    for fact in facts:
        typer.echo(f"{fact.size_bytes:>14,}  {fact.name}  {fact.detail}")


def verify(
    store: Store,
    erased: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Prove that this profile's key and all it alone had is in no file."),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help="With --erased: also look for this text, such as an address it had."
        ),
    ] = None,
) -> int:
    """Read every byte of a store and check it; the exit code tells whether it is sound.

    With --erased it tells whether an erased profile has left every file.
    """
    if erased is not None:
        return _prove(store, erased, text or [])
    if text:
        raise CommandError("--text goes with --erased", Exit.USAGE)
    from headcount_engine.database import offline
    from headcount_engine.errors import EngineError

    try:
        verdict = offline.verify(store)
    except EngineError as error:
        raise _refused(error, store) from error
    for fault in verdict.faults:
        kind = "torn end" if fault.is_torn else "damage"
        typer.echo(f"{kind}: {fault.path} at byte {fault.offset}: {fault.message}")
    state = "sound" if verdict.is_sound else "damaged"
    typer.echo(f"{state}: {verdict.bytes_read:,} bytes read, {verdict.commits:,} commits in the log")
    return int(Exit.DONE if verdict.is_sound else Exit.NO)


def _prove(store: Path, key: str, texts: list[str]) -> int:
    from headcount_engine.errors import EngineError
    from headcount_engine.proof import prove_erased

    try:
        proof = prove_erased(store, key, texts)
    except EngineError as error:
        raise _refused(error, store) from error
    for trace in proof.traces:
        typer.echo(f"left: {trace.path} at byte {trace.offset}: {trace.place}")
    if not proof.is_erased:
        known = "this store knows of no erasure of that key"
    elif not proof.is_completed:
        known = (
            "erased, and not yet completed: its traces may be in files until two more checkpoints are made"
        )
    else:
        known = f"erased and completed, {proof.texts:,} places of its texts are blank"
    state = "gone" if proof.holds else "not gone"
    typer.echo(f"{state}: {proof.bytes_read:,} bytes searched; {known}")
    return int(Exit.DONE if proof.holds and proof.is_erased else Exit.NO)


def salvage(store: Store, target: Target) -> int:
    """Copy what is good up to the first damage into a new directory. The store itself is not changed."""
    from headcount_engine.database import offline
    from headcount_engine.errors import EngineError

    try:
        saved = offline.salvage(store, target)
    except EngineError as error:
        raise _refused(error, store) from error
    typer.echo(f"saved up to version {saved.version}")
    if saved.stopped_at is None:
        return int(Exit.DONE)
    fault = saved.stopped_at
    typer.echo(f"stopped: {fault.path} at byte {fault.offset}: {fault.message}")
    return int(Exit.NO)


def restore(backup: Store, target: Target) -> None:
    """Check a backup and copy it into a new directory."""
    from headcount_engine.database import offline
    from headcount_engine.errors import EngineError

    try:
        version = offline.restore(backup, target)
    except EngineError as error:
        raise _refused(error, backup) from error
    typer.echo(f"restored version {version}")


def _refused(error: EngineError, store: Path) -> CommandError:
    from headcount_engine.errors import NotFound

    if isinstance(error, NotFound):
        return CommandError(f"there is no store in {store}", Exit.NOT_FOUND)
    return CommandError(error.message, Exit.REFUSED)
