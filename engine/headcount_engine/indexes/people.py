"""Who was merged and who was erased, as plain values: the part of a checkpoint, and of a record of the log."""

from __future__ import annotations

from typing import cast

import numpy as np

from headcount_engine.indexes.identities import Redirects
from headcount_engine.indexes.plain import Plain
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.tombstones import EraseEdit, Grave, Holder, Released
from headcount_engine.model.batches import I64, U8, U32


def released_of(released: Released) -> Plain:
    return [int(released.holder), released.name, released.part, released.numbers, released.digests]


def restore_released(plain: Plain) -> Released:
    holder, name, part, numbers, digests = cast("tuple[int, str, int, I64, U8]", plain)
    return Released(Holder(holder), name, part, numbers, digests)


def erasure_of(edit: EraseEdit) -> Plain:
    """One erasure; digests and ids, no text."""
    released = [released_of(entry) for entry in edit.released]
    return [edit.profile, edit.keys, edit.digests, edit.marks, released, edit.secret, edit.erased_us]


def restore_erasure(plain: Plain) -> EraseEdit:
    profile, keys, digests, marks, released, secret, erased_us = cast(
        "tuple[int, I64, U8, U32, list[Plain], bytes, int]", plain
    )
    parts = tuple(map(restore_released, released))
    return EraseEdit(profile, keys, digests, marks, parts, secret, erased_us)


def dump(indexes: Indexes) -> Plain:
    """What `restore` takes."""
    redirects = indexes.identities.view().redirects
    leads: list[Plain] = [
        [
            name,
            np.fromiter(attribute.leads.keys(), dtype=np.int64),
            np.fromiter(attribute.leads.values(), dtype=np.uint32),
        ]
        for name, attribute in indexes.attributes.all().items()
        if attribute.leads
    ]
    graves: list[Plain] = [[g.version, erasure_of(g.edit)] for g in indexes.tombstones.graves]
    return [redirects.losers, redirects.survivors, leads, indexes.tombstones.completed_version, graves]


def redirects_of(plain: Plain) -> Redirects:
    """Where keys of merged profiles lead."""
    if plain is None:
        return Redirects()
    losers, survivors, *_ = cast("tuple[U32, U32, Plain]", plain)
    return Redirects(losers, survivors)


def restore(indexes: Indexes, plain: Plain) -> None:
    """Fill in what the identities do not hold."""
    if plain is None:
        return
    _, _, leads, *_ = cast("tuple[U32, U32, list[tuple[str, I64, U32]], int, Plain]", plain)
    for name, codes, owners in leads:
        indexes.attributes.all()[name].lead(codes, owners)
    completed, graves = graves_of(plain)
    indexes.tombstones.complete(completed)
    for grave in graves:
        indexes.tombstones.put(grave.edit, grave.version)


def graves_of(plain: Plain) -> tuple[int, list[Grave]]:
    """(the version up to which erasures are completed, all erasures)."""
    if plain is None:
        return 0, []
    *_, completed, graves = cast("tuple[U32, U32, Plain, int, list[tuple[int, Plain]]]", plain)
    return completed, [Grave(restore_erasure(erasure), version) for version, erasure in graves]
