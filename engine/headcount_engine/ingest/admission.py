"""Checks that need no state: is this a key, a text, an instant, a number of the declared type?

Works on whole columns; Python looks only at distinct texts that hold bytes past ASCII.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from headcount_engine.indexes.texts import TextTable
from headcount_engine.kernels import texts as kernels
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US, Limits
from headcount_engine.model.batches import I64, Mask, Reason, RejectedRow, Texts


class Verdicts:
    """Which rows of a batch still stand, and why the others fell. The first reason for a row is the one reported."""

    def __init__(self, rows: int) -> None:
        self.accepted: Mask = np.ones(rows, dtype=np.bool_)
        self._rejected: dict[int, RejectedRow] = {}

    def reject(self, bad: Mask, field: str, reason: Reason, message: str) -> None:
        """Turn away the rows where `bad`."""
        fresh = bad & self.accepted
        if not fresh.any():
            return
        self.accepted &= ~bad
        for row in np.flatnonzero(fresh).tolist():
            self._rejected[row] = RejectedRow(row, field, reason, message)

    def rejected(self) -> tuple[RejectedRow, ...]:
        """In row order."""
        return tuple(self._rejected[row] for row in sorted(self._rejected))


@dataclass(frozen=True, slots=True, eq=False)
class AdmittedTexts:
    """Texts in NFC. `bad`: rows that are no valid text (their entry is meaningless), with a message for all of them."""

    texts: Texts
    bad: Mask
    messages: dict[int, str]
    """By row, for bad rows."""


def admit_texts(texts: Texts, bytes_max: int, *, as_key: bool) -> AdmittedTexts:
    """Check and normalise n texts.

    A key (or identifier, or name) must not be empty nor hold control or invisible format characters; a value may.
    """
    n = len(texts)
    kinds = np.empty(n, dtype=np.uint8)
    kernels.classify_texts(texts.data, texts.offsets, bytes_max, kinds)
    bad = kinds == kernels.LONG
    messages = dict.fromkeys(np.flatnonzero(bad).tolist(), f"longer than {bytes_max} bytes")
    if as_key:
        for kind, message in ((kernels.EMPTY, "is empty"), (kernels.CONTROL, "holds control characters")):
            rows = kinds == kind
            messages |= dict.fromkeys(np.flatnonzero(rows).tolist(), message)
            bad |= rows
    unicode_rows = np.flatnonzero(kinds == kernels.UNICODE)
    if len(unicode_rows):
        texts = _normalise(texts, unicode_rows, bytes_max, as_key, bad, messages)
    return AdmittedTexts(texts, bad, messages)


def _normalise(
    texts: Texts, rows: I64, bytes_max: int, as_key: bool, bad: Mask, messages: dict[int, str]
) -> Texts:
    """Put the distinct texts among `rows` into NFC; notes bad rows."""
    distinct = TextTable()
    numbers = distinct.intern(texts.take(rows))
    fixed: list[bytes] = []
    problems: dict[int, str] = {}
    for number in range(len(distinct)):
        raw = distinct[number]
        text, problem = _normal(raw, bytes_max, as_key)
        if problem:
            problems[number] = problem
        fixed.append(text)
    if problems:
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
            if number in problems:
                bad[row] = True
                messages[row] = problems[number]
    if all(distinct[number] == text for number, text in enumerate(fixed)):
        return texts
    # Lay out all texts again: those not in `rows` as they were, the others from the normalised distinct ones.
    joined = Texts(
        np.concatenate([texts.data, np.frombuffer(b"".join(fixed), dtype=np.uint8)]),
        np.concatenate([texts.offsets, len(texts.data) + np.cumsum([len(t) for t in fixed], dtype=np.int64)]),
    )
    source = np.arange(len(texts), dtype=np.int64)
    source[rows] = len(texts) + numbers
    return joined.take(source)


def _normal(raw: bytes, bytes_max: int, as_key: bool) -> tuple[bytes, str]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw, "is not valid Unicode"
    text = unicodedata.normalize("NFC", text)
    encoded = text.encode()
    if len(encoded) > bytes_max:
        return encoded, f"longer than {bytes_max} bytes"
    if as_key and any(unicodedata.category(c) in ("Cc", "Cf") for c in text):
        return encoded, "holds control or invisible characters"
    return encoded, ""


def reject_bad_texts(
    admitted: AdmittedTexts, verdicts: Verdicts, field: str, reason: Reason, what: str
) -> None:
    """Turn away the rows whose text was bad, each with its own message."""
    for message in set(admitted.messages.values()):
        rows = np.zeros(len(admitted.bad), dtype=np.bool_)
        rows[[row for row, m in admitted.messages.items() if m == message]] = True
        verdicts.reject(rows, field, reason, f"{what} {message}")


def admit_keys(keys: Texts, limits: Limits, verdicts: Verdicts) -> Texts:
    """Keys in NFC; rows with a bad one are turned away."""
    admitted = admit_texts(keys, limits.key_bytes, as_key=True)
    reject_bad_texts(admitted, verdicts, "key", Reason.BAD_KEY, "the key")
    return admitted.texts


def admit_times(times_us: I64, now_us: int, limits: Limits, verdicts: Verdicts) -> None:
    """Event times: in the years 1 to 9999, and not too far ahead."""
    outside = (times_us < INSTANT_MIN_US) | (times_us > INSTANT_MAX_US)
    verdicts.reject(
        outside, "time", Reason.BAD_TIME, "the time is outside the years 1 to 9999 (are the units right?)"
    )
    ahead = times_us > now_us + limits.event_ahead_days * 86_400_000_000
    verdicts.reject(
        ahead,
        "time",
        Reason.OUTSIDE_WINDOW,
        f"the time is more than {limits.event_ahead_days} days ahead: outside the accepted window",
    )
