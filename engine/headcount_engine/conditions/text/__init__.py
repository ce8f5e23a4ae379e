"""The text form of conditions: what people type, and what a stored segment shows.

`parse(to_text(c)) == c` for every condition that `parse` can give, and `to_text(parse(t))` is one fixed layout of `t`.
The language is described in docs/rules.md.
"""

from headcount_engine.conditions.text.names import suggest
from headcount_engine.conditions.text.parse import parse, parse_event_condition
from headcount_engine.conditions.text.print import to_text

__all__ = ["parse", "parse_event_condition", "suggest", "to_text"]
