"""Folders of segments: names with slashes between them."""

from __future__ import annotations

from headcount_engine.errors import InvalidValue
from headcount_engine.limits import Limits
from headcount_engine.model.schema import checked_name


def checked_folder(folder: str, limits: Limits, path: str) -> str:
    """The folder in NFC, without slashes at its ends; empty is none.

    Raises InvalidValue where a name in it is empty, `.` or `..`, or holds what a name may not.
    """
    inside = folder.strip("/")
    if not inside:
        return ""
    try:
        names = [checked_name(name, "a folder", limits) for name in inside.split("/")]
    except InvalidValue as error:
        raise InvalidValue(error.message, path=path) from error
    if not {".", ".."}.isdisjoint(names):
        raise InvalidValue("a folder is said by its names; `.` and `..` are none", path=path)
    return "/".join(names)


def is_inside(folder: str, of: str) -> bool:
    """Whether a folder is another or lies below it; the empty one is the root of none."""
    return folder == of or (bool(of) and folder.startswith(f"{of}/"))
