"""What the server is made of: the table against the contract, and who may know what."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool

import headcount_server
from headcount_server.calls import BidirectionalStream, ClientStream, ServerStream, Unary
from headcount_server.context import Role
from headcount_server.guards.metrics import Metrics
from headcount_server.methods import method_table
from headcount_server.phase import PhaseHolder
from headcount_server.wire import messages
from headcount_server.wire.status import ProcessFacts

ROOT = Path(headcount_server.__file__).parent
TABLE = method_table(None, PhaseHolder(), Metrics(), ProcessFacts(0, "", "", ""))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_method_of_the_table_is_one_of_the_contract_with_its_types_and_kind(name: str) -> None:
    method = TABLE[name]
    _, service, short = name.split("/")
    assert service in messages.SERVICES
    declared = descriptor_pool.Default().FindServiceByName(service).methods_by_name[short]
    kinds = {
        (False, False): Unary,
        (False, True): ServerStream,
        (True, False): ClientStream,
        (True, True): BidirectionalStream,
    }
    assert type(method) is kinds[declared.client_streaming, declared.server_streaming]
    assert method.signature.request.DESCRIPTOR is declared.input_type
    assert method.signature.answer.DESCRIPTOR is declared.output_type


def test_what_writes_needs_the_role_to_write() -> None:
    writing = {name.split("/")[2] for name, m in TABLE.items() if m.signature.role >= Role.WRITE}
    assert writing == {
        "AddMembers",
        "BatchUpsertProfiles",
        "Checkpoint",
        "CreateSegment",
        "DeclareAttributes",
        "DeclareEvents",
        "DeleteSegment",
        "DuplicateSegment",
        "EraseProfile",
        "ImportMembers",
        "IngestStream",
        "KeepAudience",
        "MergeProfiles",
        "RemoveMembers",
        "TrackEvents",
        "UpdateSegment",
        "UpdateSettings",
    }


def imports(file: Path) -> set[str]:
    """Top names of the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def files_that_import(prefix: str) -> set[str]:
    """Folders of the serving side; the command line and the loading of files are a client of it."""
    return {
        str(file.relative_to(ROOT).parent)
        for file in ROOT.rglob("*.py")
        if file.relative_to(ROOT).parts[0] not in ("commands", "loading")
        and any(name == prefix or name.startswith(f"{prefix}.") for name in imports(file))
    }


def test_only_the_wire_knows_protobuf_and_the_generated_code() -> None:
    assert files_that_import("google") == {"wire"}
    assert files_that_import("headcount.v1") == {"wire"}


def test_only_the_listeners_know_grpc() -> None:
    assert files_that_import("grpc") == {"listeners"}
