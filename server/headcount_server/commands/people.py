"""merge and erase: who is one person, and who is to be forgotten."""

from __future__ import annotations

from typing import Annotated

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
        for key in merged:
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
        for key in keys:
            answer = client.erase_profile(key)
    if as_json:
        print_json({"erased": len(keys), "version": answer.version, "now": instant_text(answer.now)})
    else:
        print(f"erased {len(keys)} at version {answer.version}")
