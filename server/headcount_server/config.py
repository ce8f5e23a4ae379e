"""Everything an operator may set, in one place: frozen, from arguments, the environment (HEADCOUNT_*) and a
TOML file.

The first of these that names a setting wins. The file is the one that HEADCOUNT_CONFIG or the argument names.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from headcount_engine.changes.options import ChangeOptions
from headcount_engine.errors import InvalidValue
from headcount_engine.limits import MICROSECONDS_PER_DAY
from headcount_engine.model.answers import Settings
from headcount_engine.model.durability import DurabilityOptions, SyncMode
from headcount_engine.model.instants import parse_instant, zone
from headcount_server.errors import InvalidConfig

MEBIBYTE = 1 << 20
CONFIG_VARIABLE = "HEADCOUNT_CONFIG"


class ServerConfig(BaseSettings):
    """What the server runs with. Units stand last in a name; no bound means "none"."""

    model_config = SettingsConfigDict(
        env_prefix="HEADCOUNT_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    listen: str = "127.0.0.1:50051"
    """HOST:PORT; port 0 takes a free one. Without TLS only loopback, unless `allow_plaintext`."""
    allow_plaintext: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    """With it, callers must show a certificate that it signed."""
    tokens: Path | None = None
    """A file of tokens, one of which every call must then carry; see `headcount tokens`."""

    data: Path | None = None
    """The store's directory; None keeps everything in memory and forgets it."""
    clock_start: str | None = None
    """ISO 8601: where the clock of a new store begins, for historical data."""
    sync: Literal["each_commit", "interval", "operating_system"] = "each_commit"
    """When a write is acknowledged: on the medium, or with the operating system, which puts it there every
    `sync_interval_s` seconds, or when it likes."""
    sync_interval_s: float = Field(default=0.1, gt=0, le=60)
    checkpoint_log_bytes: int = Field(default=256 * MEBIBYTE, ge=MEBIBYTE)
    """A checkpoint is made when the log since the last one is this long,"""
    checkpoint_every_s: float = Field(default=900, gt=0, le=7 * 86_400)
    """or this time has passed and something was written."""
    default_zone: str = "UTC"
    week_starts_on: int = Field(default=0, ge=0, le=6)
    """0 = Monday."""
    infers_schema: bool = True
    tick_ms: int = Field(default=250, ge=1, le=3_600_000)
    """How often the clock is looked at for who joins or leaves by time alone."""

    changes_days: float = Field(default=7, gt=0, le=3_650)
    """How long joins and leaves are kept for listeners to go on from, by the store's clock ..."""
    changes_bytes_max: int = Field(default=1 << 30, ge=MEBIBYTE)
    """... and how much of them in memory; whichever ends first."""

    threads: int = Field(default=32, ge=4, le=1_024)
    streams: int = Field(default=16, ge=1, le=1_000)
    """Open streams; each keeps a thread, so they are fewer than `threads`."""
    calls: int = Field(default=1_024, ge=1, le=100_000)
    """Calls at one time, waiting ones included; more get RESOURCE_EXHAUSTED."""
    request_bytes_max: int = Field(default=4 * MEBIBYTE, ge=1_024, le=64 * MEBIBYTE)
    response_bytes_max: int = Field(default=16 * MEBIBYTE, ge=1_024, le=256 * MEBIBYTE)
    deadline_s: float = Field(default=30, gt=0, le=3_600)
    """For calls that come without one."""
    stream_deadline_s: float = Field(default=3_600, gt=0, le=7 * 86_400)
    grace_s: float = Field(default=10, ge=0, le=600)
    """For calls that run when the server is told to stop."""
    reflection: bool = True

    metrics_listen: str | None = None
    """HOST:PORT of Prometheus' page; loopback only. None: no page."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"

    @classmethod
    def load(cls, file: Path | None = None, **overrides: object) -> ServerConfig:
        """The configuration; None among the overrides means not given. Raises InvalidConfig."""
        chosen = file or (Path(named) if (named := os.environ.get(CONFIG_VARIABLE)) else None)
        if chosen is not None and not chosen.is_file():
            raise InvalidConfig("config", f"there is no file {chosen}")

        class WithFile(cls):  # type: ignore[misc, valid-type]
            model_config = SettingsConfigDict(toml_file=chosen)

        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            loaded = (WithFile if chosen else cls)(**given)  # type: ignore[arg-type]
            return cls.model_construct(**loaded.model_dump())
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"]) or "configuration"
            raise InvalidConfig(name, first["msg"].removeprefix("Value error, ")) from None
        except ValueError as error:
            raise InvalidConfig("config", "the file is not TOML") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("listen", "metrics_listen")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            host, port = split_address(value)
            if not host or not port.isdecimal() or int(port) > 65_535:
                raise ValueError("an address is HOST:PORT")
        return value

    @field_validator("clock_start")
    @classmethod
    def _is_instant(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse_instant(value, default_zone="UTC")
            except InvalidValue as error:
                raise ValueError(error.message) from error
        return value

    @field_validator("default_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            zone(value)
        except InvalidValue as error:
            raise ValueError(error.message) from error
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TLS takes both a certificate and a key")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("a client authority goes with TLS")
        for path in (self.tls_certificate, self.tls_key, self.tls_client_ca):
            if path is not None and not path.is_file():
                raise ValueError(f"there is no file {path}")
        if self.tokens is not None and not self.tokens.is_file():
            raise ValueError(f"there is no file {self.tokens}; `headcount tokens create` makes it")
        if self.tls_certificate is None and not self.allow_plaintext and not is_loopback(self.listen):
            raise ValueError("without TLS the server listens on loopback only; set TLS up or allow plaintext")
        if self.metrics_listen is not None and not is_loopback(self.metrics_listen):
            raise ValueError("metrics are served on loopback only")
        if self.streams >= self.threads:
            raise ValueError("streams must be fewer than threads")
        return self

    @property
    def clock_start_us(self) -> int | None:
        """`clock_start` in microseconds; without an offset it is read as UTC."""
        return None if self.clock_start is None else parse_instant(self.clock_start, default_zone="UTC").us

    @property
    def change_options(self) -> ChangeOptions:
        return ChangeOptions(
            kept_us=int(self.changes_days * MICROSECONDS_PER_DAY), kept_bytes=self.changes_bytes_max
        )

    @property
    def durability(self) -> DurabilityOptions:
        return DurabilityOptions(
            SyncMode(self.sync), self.sync_interval_s, self.checkpoint_log_bytes, self.checkpoint_every_s
        )

    @property
    def workspace_settings(self) -> Settings:
        return Settings(self.default_zone, self.week_starts_on, self.infers_schema)

    def describe(self) -> dict[str, str]:
        """Every setting as text, for the log. Paths of keys are given, never what is in them."""
        return {name: str(value) for name, value in self.model_dump().items()}


def split_address(address: str) -> tuple[str, str]:
    """Host and port; brackets of an IPv6 address are taken off."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), port


def is_loopback(address: str) -> bool:
    """Whether nobody outside this machine can reach it."""
    host, _ = split_address(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
