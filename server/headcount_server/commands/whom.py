"""WHO on the command line: a segment, or a rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from headcount_server.commands.exits import CommandError, code_of, describe
from headcount_server.commands.talking import in_segment

if TYPE_CHECKING:
    from headcount import Client

_PLACE = re.compile(r"line \d+, column \d+: ")


def who_in(client: Client, text: str) -> str:
    """A rule: that of a segment where one has this id or name, else the text itself. Ends the command for neither."""
    from headcount import InvalidArgument, InvalidRule

    try:
        client.parse(in_segment(text))
    except InvalidArgument as no_segment:
        try:
            client.parse(text)
        except InvalidRule as no_rule:
            # Without a space it was meant as a name, and the names that are near say more than a place in a rule.
            if " " not in text.strip():
                # The place is one in a rule that nobody wrote.
                message = _PLACE.sub("", no_segment.message, count=1)
                raise CommandError(message, code_of(no_segment)) from None
            raise CommandError(describe(no_rule, "", (text,)), code_of(no_rule)) from None
        return text
    return in_segment(text)
