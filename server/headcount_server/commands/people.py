"""merge and erase: who is one person, and who is to be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Target,
    connected,
    instant_text,
    print_json,
)

if TYPE_CHECKING:
    from headcount import Client


def merge(
    survivor: Annotated[str, typer.Argument(help="The key of the profile that remains.")],
    merged: Annotated[
        list[str], typer.Argument(help="Keys of the profiles that go; they lead to the survivor.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Also where both have identifiers, so that both are known.")
    ] = False,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Move everything of profiles to another one and remove them, one after the other."""
    with connected(target) as client:
        for done, key in enumerate(merged):
            with _naming(client, (survivor, key), f"merged {done}" if done else ""):
                profile = client.merge_profiles(survivor, key, force=force)
    if as_json:
        print_json({"survivor": profile.key, "merged": len(merged)})
    else:
        print(f"merged {len(merged)} into {profile.key}")


def erase(
    keys: Annotated[list[str], typer.Argument(help="Keys of profiles.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Remove profiles with everything they have, for good. Their keys are refused from then on."""
    if not yes and not typer.confirm(f"Erase {len(keys)} for good?", err=True):
        raise CommandError("nothing was erased", Exit.REFUSED)
    with connected(target) as client:
        for done, key in enumerate(keys):
            with _naming(client, (key,), f"erased {done}" if done else ""):
                answer = client.erase_profile(key)
    if as_json:
        print_json({"erased": len(keys), "version": answer.version, "now": instant_text(answer.now)})
    else:
        print(f"erased {len(keys)} at version {answer.version}")


@contextmanager
def _naming(client: Client, keys: tuple[str, ...], done: str) -> Iterator[None]:
    """Says which of the profiles is not there, since the server's messages name none, and what was done before."""
    from headcount import NotFound

    try:
        yield
    except NotFound as error:
        gone = next((key for key in keys if not _exists(client, key)), keys[-1])
        before = f" ({done} before that)" if done else ""
        raise CommandError(f"there is no profile {gone!r}{before}", Exit.NOT_FOUND) from error


def _exists(client: Client, key: str) -> bool:
    from headcount import NotFound

    try:
        client.get_profile(key, omit_segments=True)
    except NotFound:
        return False
    return True
