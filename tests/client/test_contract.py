"""The contract itself: its conventions, its mirror of the engine's conditions, and the code made from it."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import shutil
import subprocess
import sys
import typing
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from headcount.channel import READS, REPEATABLE_WRITES
from headcount.v1 import audience_service_pb2, condition_pb2, errors_pb2, rule_pb2, window_pb2
from headcount_engine.conditions import tree, windows

ROOT = Path(__file__).resolve().parents[2]
PROTOS = sorted((ROOT / "proto/headcount/v1").glob("*.proto"))
MODULES = [importlib.import_module(f"headcount.v1.{path.stem}_pb2") for path in PROTOS]
SERVICES = [s for module in MODULES for s in module.DESCRIPTOR.services_by_name.values()]
METHODS = [method for service in SERVICES for method in service.methods]
# A question on a stream wraps the answer of the unary method.
WRAPPED = {"StreamCheckMembershipResponse"}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_answer_begins_with_version_now_and_engine_us(method: MethodDescriptor) -> None:
    answer = method.output_type
    if answer.name in WRAPPED:
        answer = answer.fields_by_name["answer"].message_type
    found = [(answer.fields_by_number[n].name, answer.fields_by_number[n].type) for n in (1, 2, 3)]
    assert found == [
        ("version", FieldDescriptor.TYPE_UINT64),
        ("now", FieldDescriptor.TYPE_MESSAGE),
        ("engine_us", FieldDescriptor.TYPE_UINT32),
    ]


def test_there_are_the_services_and_methods_of_the_design() -> None:
    found = {service.name: {method.name for method in service.methods} for service in SERVICES}
    assert found == {
        "SchemaService": {"GetSchema", "DeclareAttributes", "DeclareEvents"},
        "ProfileService": {
            "BatchUpsertProfiles", "GetProfile", "ListProfiles", "LookupProfiles", "MergeProfiles", "EraseProfile",
        },
        "EventService": {"TrackEvents", "IngestStream"},
        "SegmentService": {
            "CreateSegment", "GetSegment", "ListSegments", "UpdateSegment", "DeleteSegment", "DuplicateSegment",
            "AddMembers", "RemoveMembers", "ImportMembers", "GetStatistics", "ListTemplates", "ListRuleElements",
        },
        "AudienceService": {
            "CountAudience", "CheckMembership", "BatchCheckMembership", "StreamCheckMembership", "ListMemberships",
            "CreateAudience", "ReadAudience", "PreviewAudience", "ExplainMembership", "CompareRules", "ParseRule",
            "ExplainPlan", "GetOverlap", "GetBreakdown", "GetAffinity", "ExportAudience", "KeepAudience",
            "DeleteAudience",
        },
        "ChangeService": {"WatchMemberships"},
        "AdminService": {"GetStatus", "GetSettings", "UpdateSettings", "Checkpoint"},
    }  # fmt: skip


def test_what_may_be_tried_again_exists_and_is_a_read_or_carries_a_request_id() -> None:
    known = {(s.name, m.name): m for s in SERVICES for m in s.methods}
    for service, methods in READS.items():
        for name in methods:
            assert not known[service, name].client_streaming
    for service, methods in REPEATABLE_WRITES.items():
        for name in methods:
            assert "request_id" in known[service, name].input_type.fields_by_name, name


@pytest.mark.skipif(
    not shutil.which("buf", path=str(Path(sys.executable).parent)), reason="buf is not installed"
)
def test_the_contract_passes_its_lint() -> None:
    buf = shutil.which("buf", path=str(Path(sys.executable).parent))
    done = subprocess.run([str(buf), "lint"], cwd=ROOT / "proto", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_committed_code_is_what_the_contract_makes() -> None:
    pytest.importorskip("grpc_tools")
    script = ROOT / "proto/generate.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_details_of_errors_have_the_wire_shape_of_googles() -> None:
    shapes = {
        "RpcStatus": {"code": 1, "message": 2, "details": 3},
        "ErrorInfo": {"reason": 1, "domain": 2, "metadata": 3},
        "BadRequest": {"field_violations": 1},
        "RetryInfo": {"retry_delay": 1},
    }
    for name, numbers in shapes.items():
        fields = errors_pb2.DESCRIPTOR.message_types_by_name[name].fields
        assert {field.name: field.number for field in fields} == numbers


# -------------------------------------------------------------------------------------- the mirror of conditions

NODES = {kind.__name__: kind for kind in typing.get_args(tree.Condition)}
# Where a node's field travels under another name or on the node itself.
ON_THE_NODE = {"child", "children", "within"}
RENAMED = {("Frequency", "period"): {"span", "calendar_unit"}, ("Same", "condition"): set()}


def nodes_on_the_wire() -> dict[str, Descriptor]:
    descriptor = condition_pb2.Condition.DESCRIPTOR
    return {field.message_type.name: field.message_type for field in descriptor.oneofs_by_name["node"].fields}


def test_every_node_of_the_engine_is_a_message_and_the_other_way_round() -> None:
    assert nodes_on_the_wire().keys() == NODES.keys()


@pytest.mark.parametrize("name", sorted(NODES))
def test_a_node_travels_with_all_its_fields(name: str) -> None:
    expected: set[str] = set()
    for field in dataclasses.fields(NODES[name]):
        if field.name in ON_THE_NODE and name != "Sequence":
            continue
        expected |= RENAMED.get((name, field.name), {field.name})
    assert set(nodes_on_the_wire()[name].fields_by_name) == expected


def test_every_window_of_the_engine_is_a_message() -> None:
    kinds = {kind.__name__ for kind in typing.get_args(windows.Window)}
    wire = window_pb2.Window.DESCRIPTOR.oneofs_by_name["kind"].fields
    assert {field.message_type.name for field in wire} == kinds


@pytest.mark.parametrize(
    ("engine", "wire", "renamed"),
    [
        (tree.Op, condition_pb2.Comparison, {}),
        (tree.Fold, condition_pb2.TextFold, {"ACCENTS": "CASE_AND_ACCENTS"}),
        (tree.TextOp, condition_pb2.TextComparison, {}),
        (tree.SetOp, condition_pb2.SetComparison, {}),
        (tree.Function, condition_pb2.AggregateFunction, {}),
        (tree.End, condition_pb2.RankEnd, {}),
        (tree.NameKind, condition_pb2.EventNameKind, {}),
        (windows.Unit, window_pb2.TimeUnit, {}),
        (windows.CalendarUnit, window_pb2.CalendarUnit, {}),
        (windows.Shift, window_pb2.CalendarShift, {}),
    ],
)  # fmt: skip
def test_every_choice_of_the_engine_is_an_enum_value(
    engine: type[enum.Enum], wire: EnumTypeWrapper, renamed: dict[str, str]
) -> None:
    named = {
        value.split("_", prefix_length(wire))[-1]
        for value in wire.DESCRIPTOR.values_by_name
        if wire.Value(value)
    }
    assert named == {renamed.get(choice.name, choice.name) for choice in engine}
    assert wire.Name(0).endswith("_UNSPECIFIED")


def prefix_length(wire: EnumTypeWrapper) -> int:
    """Words in the common prefix of an enum's values."""
    return int(wire.Name(0).removesuffix("_UNSPECIFIED").count("_")) + 1


def test_the_deepest_rule_allowed_fits_into_a_message() -> None:
    root = condition_pb2.Condition(everyone={})
    for _ in range(63):
        root = condition_pb2.Condition(not_of={}, children=[root])
    request = audience_service_pb2.CreateAudienceRequest(includes=[rule_pb2.Rule(condition=root)])
    assert audience_service_pb2.CreateAudienceRequest.FromString(request.SerializeToString()) == request


def test_hot_answers_stay_small() -> None:
    answer = audience_service_pb2.CheckMembershipResponse(
        version=10**9, now={"seconds": 1_704_110_400, "nanos": 123_456_000}, engine_us=15,
        member_bits=b"\x01", exists=True,
    )  # fmt: skip
    assert len(answer.SerializeToString()) <= 32
