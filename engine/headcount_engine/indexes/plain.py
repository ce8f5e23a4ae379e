"""What indexes are made of when they are at rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Plain = None | bool | int | float | str | bytes | NDArray[np.generic] | Sequence["Plain"]
"""What a store takes: scalars, arrays, and sequences of these, which come back as lists."""
