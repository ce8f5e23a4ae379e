"""What the log may say of an unexpected error: where it happened, never what it says.

The text of an exception may quote the data it tripped over, so it is left out.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath

FRAMES_MAX = 12


def where(error: BaseException) -> list[str]:
    """The innermost frames, innermost last: file, line and function."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    return [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames]
