"""Configuration: where settings come from, what is refused, what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from headcount_server.config import ServerConfig, is_loopback
from headcount_server.errors import InvalidConfig


def test_without_any_setting_it_listens_on_loopback() -> None:
    config = ServerConfig.load()
    assert (config.listen, config.allow_plaintext, config.data) == ("127.0.0.1:50051", False, None)
    assert (config.request_bytes_max, config.response_bytes_max) == (4 << 20, 16 << 20)


def test_every_setting_is_in_the_documentation() -> None:
    told = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    assert [name for name in ServerConfig.model_fields if f"`{name}`" not in told] == []


def test_how_long_changes_are_kept_is_in_days_and_bytes() -> None:
    options = ServerConfig.load(changes_days=0.5, changes_bytes_max=5 << 20).change_options
    assert (options.kept_us, options.kept_bytes) == (43_200_000_000, 5 << 20)
    with pytest.raises(InvalidConfig, match="changes_days"):
        ServerConfig.load(changes_days=0)


def test_an_argument_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "headcount.toml"
    file.write_text('listen = "127.0.0.1:1"\nthreads = 40\nstreams = 5\n')
    monkeypatch.setenv("HEADCOUNT_CONFIG", str(file))
    monkeypatch.setenv("HEADCOUNT_THREADS", "41")
    monkeypatch.setenv("HEADCOUNT_LISTEN", "127.0.0.1:2")
    config = ServerConfig.load(listen="127.0.0.1:3", data=None)
    assert (config.listen, config.threads, config.streams) == ("127.0.0.1:3", 41, 5)
    assert type(config) is ServerConfig


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        ServerConfig().listen = "127.0.0.1:1"  # type: ignore[misc]


@pytest.mark.parametrize("address", ["0.0.0.0:50051", "[::]:50051", "10.0.0.1:50051", "example.org:50051"])
def test_plaintext_for_others_is_refused_until_it_is_asked_for(address: str) -> None:
    with pytest.raises(InvalidConfig, match="loopback only"):
        ServerConfig.load(listen=address)
    assert ServerConfig.load(listen=address, allow_plaintext=True).listen == address


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])
def test_loopback_needs_no_leave(address: str) -> None:
    assert is_loopback(ServerConfig.load(listen=address).listen)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"listen": "nowhere"}, "listen"),
        ({"listen": "127.0.0.1:70000"}, "listen"),
        ({"listen": ":50051"}, "listen"),
        ({"clock_start": "yesterday"}, "clock_start"),
        ({"default_zone": "Mars/Olympus"}, "default_zone"),
        ({"threads": 0}, "threads"),
        ({"streams": 32}, "configuration"),
        ({"tls_certificate": "a.pem"}, "configuration"),
        ({"metrics_listen": "0.0.0.0:9"}, "configuration"),
        ({"log_level": "loud"}, "log_level"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(settings: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        ServerConfig.load(**settings)
    assert caught.value.setting == named


def test_a_file_that_is_not_there_or_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig):
        ServerConfig.load(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("listen = ")
    with pytest.raises(InvalidConfig):
        ServerConfig.load(broken)


def test_the_clock_of_a_new_store_may_start_on_a_day_or_at_an_instant() -> None:
    assert ServerConfig.load(clock_start="1970-01-02T00:00:00Z").clock_start_us == 86_400_000_000
    assert ServerConfig.load(clock_start="1970-01-01T01:00:00+01:00").clock_start_us == 0


def test_what_is_shown_names_the_key_file_and_not_the_key(tmp_path: Path) -> None:
    chain, key = tmp_path / "server.pem", tmp_path / "server.key"
    chain.write_text("certificate")
    key.write_text("sentinel-of-the-key")
    config = ServerConfig.load(tls_certificate=chain, tls_key=key, listen="0.0.0.0:1")
    assert "sentinel-of-the-key" not in repr(config) + str(config.describe())
    assert config.describe()["tls_key"] == str(key)
