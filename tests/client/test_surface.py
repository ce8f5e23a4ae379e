"""What the package promises as a whole: light to import, a fixed set of names, and two clients that are one."""

from __future__ import annotations

import inspect
import subprocess
import sys

import headcount
from headcount import AsyncClient, AsyncIngestWriter, Client, IngestWriter, errors

NAMES = """
AsyncChecker Checker Checkpoint SegmentsAfter
ElementCategory ImportMode ImportReceipt RuleElement Template TemplatePlace
AsyncMembershipWatch ChangeBatch ChangeCause ChangeKind MembershipChange MembershipWatch
Affinity Breakdown Breakdowns By BY_CHANNELS BY_EVENTS BY_SEGMENTS BY_TAGS Overlap SegmentStatistics by_attribute
by_event Audience AudienceName FilePiece FrequencyCap Holdout LimitOrder Members Preview Stage StageKind by_highest
by_lowest by_sample
Aborted AlreadyExists Answer AsyncClient AsyncIngestWriter Attribute Cancelled Client Comparison Count
DeadlineExceeded Event EventColumns Explanation FailedPrecondition HeadcountError Identifier IngestOptions
IngestSummary IngestWriter InvalidArgument InvalidRule MemberReceipt Membership MembershipTable Memberships
NotFound OutOfRange ParsedRule PermissionDenied Plan Point Profile ProfileColumns ProfileUpdate RejectedRow
Relation ResourceExhausted Rule Schema Segment SegmentKind SegmentState ServerError Status Tls Unauthenticated
Unavailable Unimplemented Window WriteReceipt active_days all_of any_of at_least attribute avg_of bottom bucket
channel connect consent count_of did distinct_of everyone exactly first_did first_of key_in known last_event last_of
max_of min_of never_did none_of prop raw same sample segment sum_of tag top
""".split()


def test_the_exported_names_are_these() -> None:
    assert sorted(headcount.__all__) == sorted(NAMES)
    assert all(hasattr(headcount, name) for name in NAMES)


def test_importing_the_client_takes_grpcio_protobuf_and_the_standard_library_only() -> None:
    # What grpcio itself imports is its own affair.
    script = """
import sys, importlib
import grpc, grpc.aio, google.protobuf
from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2
from google.protobuf.internal import builder
before = set(sys.modules)
import headcount
roots = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(roots - set(sys.stdlib_module_names) - {"headcount", "grpc", "google"}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def public(kind: type) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: inspect.signature(member) for name, member in found if not name.startswith("_")}


def test_both_clients_have_the_same_calls_with_the_same_parameters() -> None:
    for one, other in ((Client, AsyncClient), (IngestWriter, AsyncIngestWriter)):
        sync_calls, async_calls = public(one), public(other)
        assert sync_calls.keys() == async_calls.keys()
        for name, signature in sync_calls.items():
            assert signature.parameters == async_calls[name].parameters, name


def test_both_clients_say_the_same_about_their_calls() -> None:
    for name, _ in public(Client).items():
        if name != "ingest":
            assert getattr(Client, name).__doc__ == getattr(AsyncClient, name).__doc__, name


def test_every_error_is_drawn_in_the_tree_and_below_its_root() -> None:
    drawn = errors.__doc__ or ""
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert issubclass(kind, errors.HeadcountError)
            assert name in drawn, name
