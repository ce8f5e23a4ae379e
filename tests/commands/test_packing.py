"""What loading packs is what the server reads, row for row."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pyarrow as pa
import pytest

from headcount_engine.model.batches import Column, EventBatch, Texts
from headcount_server.loading.batches import FileLoad, ReadyBatch
from headcount_server.loading.options import LoadOptions
from headcount_server.loading.tables import TableReader
from headcount_server.loading.wire import packing
from headcount_server.loading.wire.packing import messages, text_column
from headcount_server.wire.columns import event_batch, packed_texts, profile_batch


def ready(table: pa.Table, options: LoadOptions) -> list[ReadyBatch]:
    load = FileLoad(TableReader(table), options, {})
    load.settle()
    return list(load.batches())


@pytest.mark.parametrize(
    "texts",
    [
        pa.array(["a", "", "åäö", "x" * 500]),
        pa.array(["skipped", "b", "c", "d"]).slice(1, 2),
        pa.array([random.Random(1).choice(["GROCERY", "MEAT", ""]) for _ in range(5_000)]),
        pa.array(["x", "y", "x", "z"]).dictionary_encode().slice(1, 3),
        pa.array([f"only{n}" for n in range(5_000)]).dictionary_encode(),
        pa.array([], pa.string()),
    ],
    ids=["few", "sliced", "repeating", "coded", "coded but distinct", "none"],
)
def test_texts_come_out_as_they_went_in(texts: pa.Array) -> None:
    assert packed_texts(text_column(texts), "keys").to_list() == texts.to_pylist()


def test_few_texts_travel_as_codes_and_many_do_not() -> None:
    few = text_column(pa.array(["GROCERY", "MEAT"] * 2_000))
    assert len(few.codes) == 16_000 and few.utf8 == b"GROCERYMEAT"
    assert not text_column(pa.array([f"{n}" for n in range(4_000)])).codes


def test_events_in_several_messages_are_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MESSAGE_BYTES", 20_000)
    rng = random.Random(7)
    rows = [
        {
            "who": f"p{rng.randrange(50)}",
            "at": rng.randrange(10**15),
            "kind": rng.choice(["buy", "view"]),
            "n": rng.choice([None, rng.randrange(100)]),
            "flag": rng.choice([None, True, False]),
            "word": rng.choice([None, "", "abc", "å"]),
            "set": rng.choice([None, [], ["a"], ["b", "c"]]),
        }
        for _ in range(3_000)
    ]
    table = pa.Table.from_pylist(rows).set_column(
        1, "at", pa.array([row["at"] for row in rows], pa.timestamp("us"))
    )
    (batch,) = ready(table, LoadOptions(key="who", time="at", name_column="kind"))
    got, sizes = list[dict[str, object]](), list[int]()
    for start, message in messages(batch):
        assert start == len(got)
        sizes.append(message.ByteSize())
        got += events(event_batch(message.events, "events", create=True, all_or_nothing=False))
    assert len(sizes) > 3 and max(sizes) <= 20_000
    assert got == [{name: value for name, value in row.items() if value is not None} for row in rows]


def events(batch: EventBatch) -> list[dict[str, object]]:
    names = [batch.names] * len(batch) if isinstance(batch.names, str) else batch.names.to_list()
    rows: list[dict[str, object]] = [
        {"who": key, "at": int(time), "kind": name}
        for key, time, name in zip(batch.keys.to_list(), batch.times_us, names, strict=True)
    ]
    for column in batch.properties:
        for index, value in enumerate(values(column)):
            if column.present is None or column.present[index]:
                rows[index][column.name] = bool(value) if column.name == "flag" else value
    return rows


def values(column: Column) -> list[object]:
    if not isinstance(column.values, Texts):
        return list(column.values.tolist())
    texts = column.values.to_list()
    if column.element_offsets is None:
        return list(texts)
    ends = column.element_offsets.tolist()
    return [texts[a:b] for a, b in itertools.pairwise(ends)]


def test_profiles_keep_roles_and_nulls(tmp_path: Path) -> None:
    table = pa.table(
        {"id": ["a", "b"], "mail": ["a@x", None], "t": [["x"], None], "c": [["email"], []], "n": [1, None]}
    )
    options = LoadOptions(key="id", identifiers=frozenset({"mail"}), tags="t", channels="c")
    (batch,) = ready(table, options)
    ((_, message),) = messages(batch)
    made = profile_batch(message.profiles, "profiles", create=True, all_or_nothing=False)
    found = {column.name: (column.change.value, column.is_identifier) for column in made.columns}
    assert found == {
        "n": ("set", False), "mail": ("set", True), "$tags": ("add", False), "$channels": ("add", False),
    }  # fmt: skip
    present = {
        column.name: None if column.present is None else column.present.tolist() for column in made.columns
    }
    assert present == {"n": [True, False], "mail": [True, False], "$tags": [True, False], "$channels": None}
