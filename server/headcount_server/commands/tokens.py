"""tokens: who may call a server, in a file beside it. These commands talk to no server."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.talking import AsJson, instant_text, parse_instant, print_json, print_table

if TYPE_CHECKING:
    from headcount_server.guards.tokens import Token

app = typer.Typer(
    no_args_is_help=True, help="Who may call a server: the file that `headcount serve --tokens` reads."
)

TokenFile = Annotated[
    Path,
    typer.Option(
        "--file", envvar="HEADCOUNT_TOKENS", metavar="FILE", help="Where digests of tokens are kept."
    ),
]
_DEFAULT = Path("tokens.json")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who it is for; one token a name.")],
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="read, write or admin; each includes those before.")
    ],
    file: TokenFile = _DEFAULT,
    expires: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Until when it holds; without it until it is revoked."),
    ] = None,
) -> None:
    """Make a token and print it, this once: the file keeps its digest alone."""
    from headcount_server.context import Role
    from headcount_server.guards.tokens import Token, digest_of, new_token

    if role not in (roles := [each.name.lower() for each in Role]):
        raise CommandError(f"--role is one of {', '.join(roles)}", Exit.INVALID)
    if not name:
        raise CommandError("a name is not empty", Exit.INVALID)
    until = parse_instant(expires, "--expires")
    held = _read(file)
    if any(token.name == name for token in held):
        raise CommandError(f"there is a token of the name {name!r} in {file}; revoke it first", Exit.REFUSED)
    made = new_token()
    until_us = None if until is None else round(until.timestamp() * 1e6)
    now_us = round(time.time() * 1e6)
    _write(file, [*held, Token(name, Role[role.upper()], digest_of(made), now_us, until_us)])
    print(made)
    say(f"{name} may {role}; the token is not shown again. {file} keeps its digest.")


@app.command("list")
def list_(file: TokenFile = _DEFAULT, as_json: AsJson = False) -> None:
    """Who has a token, and for what."""
    held = _read(file)
    rows = [(t.name, t.role.name.lower(), _text(t.created_us), _text(t.expires_us)) for t in held]
    headings = ("name", "role", "created", "expires")
    if as_json:
        print_json([{key: cell or None for key, cell in zip(headings, row, strict=True)} for row in rows])
        return
    if not rows:
        say(f"there are no tokens in {file}")
        return
    print_table(headings, rows)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose token.")], file: TokenFile = _DEFAULT
) -> None:
    """Let a token hold no longer. A server that runs refuses it within a second."""
    held = _read(file)
    stay = [token for token in held if token.name != name]
    if len(stay) == len(held):
        raise CommandError(f"there is no token of the name {name!r} in {file}", Exit.NOT_FOUND)
    _write(file, stay)
    say(f"the token of {name} holds no longer")


def _read(file: Path) -> tuple[Token, ...]:
    from headcount_server.errors import InvalidConfig
    from headcount_server.guards.tokens import read_tokens

    try:
        return read_tokens(file)
    except InvalidConfig as error:
        raise CommandError(error.message, Exit.INVALID) from error


def _write(file: Path, tokens: list[Token]) -> None:
    from headcount_server.guards.tokens import write_tokens

    try:
        write_tokens(file, tokens)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}", Exit.FAULT) from error


def _text(us: int | None) -> str:
    return "" if us is None else instant_text(dt.datetime.fromtimestamp(us / 1e6, dt.UTC))
