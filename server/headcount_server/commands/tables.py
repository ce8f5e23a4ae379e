"""Tables as wide as what they are read on: bars shrink or go, texts fold between words, ids and numbers stay whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BAR_CELLS: Final = 24
_BAR_CELLS_MIN: Final = 6
"""A shorter bar tells nothing."""
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_TEXT_CELLS: Final = 24
"""What a text gets before bars do."""
_WORD_CELLS_MAX: Final = 64
"""As long as an id may be; longer words fold."""
GAP: Final = 3
"""Between two columns."""


def bar(value: float, largest: float, cells: int = BAR_CELLS) -> str:
    """A bar of eighths of a character; the largest value fills all cells, and what is more than 0 shows."""
    if value <= 0 or largest <= 0:
        return ""
    eighths = max(1, round(value / largest * cells * 8))
    whole, part = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[part] if part else "")


@dataclass(frozen=True, slots=True)
class Bar:
    """A cell that is drawn as long as there is room: `largest` fills it."""

    value: float
    largest: float


Cell = str | Bar


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown: its place in the rows, and how many cells of the terminal it takes."""

    place: int
    width: int


def layout(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    width: int,
    right: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> list[Column]:
    """The columns that fit into a width, in order.

    `optional` ones go first, in that order, then bars; then texts fold. What is still too wide stays so: a line that
    the terminal breaks is read more easily than ids in pieces.
    """
    wants = [_Want.of(place, heading, rows, heading in right) for place, heading in enumerate(headings)]
    for name in optional:
        if _least(wants) <= width:
            break
        wants = [want for want in wants if headings[want.place] != name]
    bars = [want for want in wants if want.is_bar]
    others = [want for want in wants if not want.is_bar]
    widths = {want.place: want.floor for want in others}
    if bars:
        room = (width - _least(others)) // len(bars) - GAP
        if room >= _BAR_CELLS_MIN:
            widths |= {want.place: min(room, BAR_CELLS) for want in bars}
    elif _least(others) > width:
        widths |= {want.place: want.word for want in others}
    left = width - sum(widths.values()) - GAP * (len(widths) - 1)
    for want in others:
        more = min(max(0, left), want.natural - widths[want.place])
        widths[want.place] += more
        left -= more
    return [Column(place, widths[place]) for place in sorted(widths)]


@dataclass(frozen=True, slots=True)
class _Want:
    """How wide a column would like to be: on one line, with texts folded decently, and with them folded anywhere."""

    place: int
    is_bar: bool
    natural: int
    floor: int
    word: int

    @staticmethod
    def of(place: int, heading: str, rows: Sequence[Sequence[Cell]], is_number: bool) -> _Want:
        from rich.cells import cell_len

        cells = [row[place] for row in rows]
        if any(isinstance(cell, Bar) for cell in cells):
            return _Want(place, True, BAR_CELLS, 0, 0)
        texts = [heading, *(cell for cell in cells if isinstance(cell, str))]
        natural = max(cell_len(line) for text in texts for line in text.split("\n"))
        if is_number:
            return _Want(place, False, natural, natural, natural)
        longest = max((cell_len(word) for text in texts for word in text.split()), default=0)
        word = min(longest, _WORD_CELLS_MAX)
        return _Want(place, False, natural, min(natural, max(word, _TEXT_CELLS)), word)


def _least(wants: Sequence[_Want]) -> int:
    """The width of all without their bars, texts folded decently."""
    shown = [want.floor for want in wants if not want.is_bar]
    return sum(shown) + GAP * (len(shown) - 1)
