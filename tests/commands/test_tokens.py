"""Tokens from the command line to a server and back: who may do what, until when, and what is kept of them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from headcount import Client, PermissionDenied, Unauthenticated
from headcount_server.app import RunningServer, build
from headcount_server.commands.exits import Exit
from headcount_server.commands.main import main
from headcount_server.config import ServerConfig
from headcount_server.context import Role
from headcount_server.errors import InvalidConfig
from headcount_server.guards.tokens import Token, TokenAuthenticator, digest_of, read_tokens, write_tokens
from tests.commands.conftest import CommandLine, Ran

Run = Callable[..., Ran]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command line that talks to no server."""
    monkeypatch.delenv("HEADCOUNT_TOKEN", raising=False)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    return run


@pytest.fixture
def tokens(run: Run, file: Path) -> dict[str, str]:
    """One token a role, by role."""
    return {
        role: run("tokens", "create", f"a {role}er", "--role", role, "--file", file).out.strip()
        for role in ("read", "write", "admin")
    }


@pytest.fixture
def guarded(tokens: dict[str, str], file: Path) -> Iterator[RunningServer]:
    with build(ServerConfig(listen="127.0.0.1:0", tokens=file, grace_s=1)) as running:
        yield running


def test_a_role_may_do_what_those_below_it_may(guarded: RunningServer, tokens: dict[str, str]) -> None:
    for role, may_write, may_administer in (
        ("read", False, False),
        ("write", True, False),
        ("admin", True, True),
    ):
        with Client(guarded.address, token=tokens[role]) as client:
            client.count("everyone")
            for may, call in (
                (may_write, lambda c=client: c.upsert_profiles([{"key": "a"}])),
                (may_administer, lambda c=client: c.update_settings(first_day_of_week=6)),
            ):
                if may:
                    call()
                else:
                    with pytest.raises(PermissionDenied):
                        call()


@pytest.mark.parametrize("token", [None, "", "hc_made-up", "Bearer", "\u00e9"])
def test_without_a_token_that_holds_nothing_is_answered(guarded: RunningServer, token: str | None) -> None:
    with grpc.insecure_channel(guarded.address) as channel:
        for path in ("/headcount.v1.AudienceService/CountAudience", "/headcount.v1.AdminService/GetStatus"):
            metadata = [] if token is None else [("authorization-bin" if token == "\u00e9" else "authorization",
                        token.encode() if token == "\u00e9" else f"Bearer {token}")]  # fmt: skip
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(path)(b"", timeout=10, metadata=metadata)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    with Client(guarded.address, token="hc_made-up") as client, pytest.raises(Unauthenticated):
        client.count("everyone")


def test_health_is_open_and_reflection_is_not(guarded: RunningServer, tokens: dict[str, str]) -> None:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    with grpc.insecure_channel(guarded.address) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.ServerReflectionInfo(iter([request]), timeout=10))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        metadata = [("authorization", f"bearer {tokens['read']}")]
        (found,) = stub.ServerReflectionInfo(iter([request]), timeout=10, metadata=metadata)
        assert "headcount.v1.AudienceService" in {s.name for s in found.list_services_response.service}


def test_a_revoked_token_is_refused_within_two_seconds(
    guarded: RunningServer, tokens: dict[str, str], run: Run, file: Path
) -> None:
    with (
        Client(guarded.address, token=tokens["write"]) as client,
        Client(guarded.address, token=tokens["read"]) as other,
    ):
        client.count("everyone")
        assert run("tokens", "revoke", "a writeer", "--file", file).code == Exit.DONE
        time.sleep(1.1)
        with pytest.raises(Unauthenticated):
            client.count("everyone")
        other.count("everyone")


def test_a_file_that_cannot_be_read_leaves_tokens_as_they_are(
    guarded: RunningServer, tokens: dict[str, str], file: Path
) -> None:
    with Client(guarded.address, token=tokens["read"]) as client:
        file.write_text("{")
        time.sleep(1.1)
        client.count("everyone")


def test_a_token_ends_at_its_instant(file: Path) -> None:
    write_tokens(file, [Token("guest", Role.READ, digest_of("hc_1"), 0, 2_000_000)])
    now = 1.999
    authenticator = TokenAuthenticator(file, lambda: now)
    assert authenticator.authenticate("Bearer hc_1").name == "guest"
    now = 2.0
    from headcount_server.errors import Unauthenticated as Refused

    with pytest.raises(Refused):
        authenticator.authenticate("Bearer hc_1")


def test_the_file_has_digests_alone_and_is_for_its_owner(tokens: dict[str, str], file: Path) -> None:
    written = file.read_text()
    assert all(
        token not in written and token.startswith("hc_") and len(token) > 40 for token in tokens.values()
    )
    assert file.stat().st_mode & 0o077 == 0
    assert {token.digest for token in read_tokens(file)} == {digest_of(token) for token in tokens.values()}


def test_tokens_are_listed_and_a_name_has_one(tokens: dict[str, str], run: Run, file: Path) -> None:
    listed = json.loads(run("tokens", "list", "--file", file, "--json").out)
    assert [(row["name"], row["role"], row["expires"]) for row in listed] == [
        ("a adminer", "admin", None), ("a reader", "read", None), ("a writeer", "write", None),
    ]  # fmt: skip
    assert "a writeer" in run("tokens", "list", "--file", file).out
    again = run("tokens", "create", "a reader", "--role", "read", "--file", file)
    assert again.code == Exit.REFUSED and again.out == "" and "revoke it first" in again.err
    assert run("tokens", "revoke", "nobody", "--file", file).code == Exit.NOT_FOUND
    assert run("tokens", "create", "x", "--role", "root", "--file", file).code == Exit.INVALID
    assert (
        run("tokens", "create", "x", "--role", "read", "--expires", "soon", "--file", file).code
        == Exit.INVALID
    )


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[]",
        '{"tokens": []}',
        '{"tokens": [{"name": "a"}]}',
        '{"tokens": [{"name": "a", "role": "read", "sha256": "00", "created": "2024-01-01T00:00:00Z"}]}',
        '{"tokens": [{"name": "a", "role": "god", "sha256": "%s", "created": "2024-01-01T00:00:00Z"}]}'
        % ("0" * 64),
    ],
)
def test_a_server_does_not_start_with_a_file_that_lets_nobody_in(file: Path, content: str | None) -> None:
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidConfig, match="tokens"):
        build(ServerConfig.load(listen="127.0.0.1:0", tokens=file)).stop()


def test_the_command_line_calls_with_the_token_of_the_environment(
    guarded: RunningServer,
    tokens: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    headcount = CommandLine(guarded.address, capsys)
    monkeypatch.delenv("HEADCOUNT_TOKEN", raising=False)
    refused = headcount("count", "everyone")
    assert refused.code == Exit.REFUSED and "credentials" in refused.err
    people = tmp_path / "people.csv"
    people.write_text("key,age\na,30\nb,40\n")
    monkeypatch.setenv("HEADCOUNT_TOKEN", tokens["write"])
    assert headcount("load", "profiles", people, "--key", "key").code == Exit.DONE
    assert headcount("count", "age > 35").out.split()[0] == "1"


def test_the_command_line_trusts_the_authority_of_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, chain = tmp_path / "server.key", tmp_path / "server.pem"
    asked = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    try:
        subprocess.run(
            ["openssl", *asked.split(), "-keyout", str(key), "-out", str(chain)],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl, which makes the certificate, is not installed")
    config = ServerConfig(listen="127.0.0.1:0", tls_certificate=chain, tls_key=key, grace_s=1)
    people = tmp_path / "people.csv"
    people.write_text("key\na\n")
    with build(config) as server:
        headcount = CommandLine(f"localhost:{server.port}", capsys)
        monkeypatch.setenv("HEADCOUNT_TLS_CA", str(chain))
        assert headcount("load", "profiles", people, "--key", "key").code == Exit.DONE
        assert headcount("count", "everyone").out.split()[0] == "1"
        monkeypatch.setenv("HEADCOUNT_TLS_CA", str(tmp_path / "absent.pem"))
        assert headcount("count", "everyone").code == Exit.INVALID
