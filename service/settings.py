"""What an operator can set. The only reader of the environment."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

HEARTBEAT_SECONDS_MAX = 5.0
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
TOKEN_SECRET_LENGTH_MIN = 32
MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")


class BadSetting(Exception):
    """A variable of the environment has a value that cannot be used."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be set; `None` for a URL means a server of our own."""

    data_folder: Path
    database_url: str | None = None
    redis_url: str | None = None
    listen_address: str = "127.0.0.1:7420"
    # Of the loopback address; None: no gateway.
    gateway_port: int | None = None
    # Whose pages may call through the gateway; none: pages of this machine.
    origins: tuple[str, ...] = ()
    # A folder of built pages that the gateway serves.
    pages: Path | None = None
    workers: int = 1
    # None: made once and kept in the data folder, see `token_secret_bytes`.
    token_secret: str | None = None
    # Where letters are handed over, and from whom they come; None: no letters are sent.
    smtp_url: str | None = None
    mail_sender: str = ""
    # Where the gateway is reached from outside: links in letters and feeds begin with it.
    public_url: str | None = None
    letters_per_recipient_per_day_max: int = 50
    consumer_lag_hours_max: int = 336
    # Feeds and webhooks may be on private addresses: for tests and demos.
    outbound_private: bool = False
    log_level: str = "INFO"
    reflection_enabled: bool = True

    lane_batch_max: int = 256
    lane_queue_max: int = 4096
    transaction_attempts_max: int = 8
    pool_size: int = 8

    request_retention_hours: int = 24
    change_retention_hours: float = 24.0
    janitor_interval_seconds: float = 60.0

    heartbeat_seconds: float = 2.5
    stale_after_seconds: float = 12.0
    verify_seconds: float = 1.0
    stream_age_seconds_max: int = 1800
    web_stream_age_seconds_max: int = 300
    drain_seconds: int = 10

    message_bytes_max: int = 1_048_576
    metadata_bytes_max: int = 16_384
    concurrent_streams_max: int = 1000

    key_cache_seconds: int = 10
    # The limit that holds: a key is given, and cannot be made up.
    rate_limit_per_key_per_minute: int = 600_000
    # Between the clients of one key, and no protection from them: a client that sends another
    # x-client-id is another client.
    rate_limit_per_client_per_minute: int = 60_000

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the variables that `VARIABLES` names; raise BadSetting, which names the culprit."""
        environ = os.environ if environ is None else environ
        given: dict[str, Any] = {}
        for field, (variable, parse) in VARIABLES.items():
            # An empty variable is one that was not set: compose files pass those on as "".
            if text := environ.get(variable, "").strip():
                given[field] = _parse(variable, text, parse)
        given.setdefault("data_folder", _default_data_folder(environ))
        settings = cls(**given)
        settings._check()
        return settings

    def _check(self) -> None:
        if self.stale_after_seconds < 2 * self.heartbeat_seconds:
            raise BadSetting(
                VARIABLES["stale_after_seconds"][0],
                f"must be at least twice the heartbeat of {self.heartbeat_seconds:g} s, "
                "or a single late frame makes every view stale",
            )
        if self.smtp_url is not None and not self.mail_sender:
            raise BadSetting(
                VARIABLES["mail_sender"][0],
                "must be the address that letters come from, for there is a "
                + VARIABLES["smtp_url"][0],
            )


def token_secret_bytes(settings: Settings) -> bytes:
    """Return the secret that tokens are signed with; make and keep one where none is set.

    Servers that share a database must share the secret: set it on each of them.
    """
    if settings.token_secret is not None:
        return settings.token_secret.encode()
    path = settings.data_folder / "token_secret"
    settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _write_once(path, secrets.token_hex(32))
    return path.read_text().strip().encode()


def _write_once(path: Path, secret: str) -> None:
    """Let the first of several processes win; a reader never sees half a secret."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secret}\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _default_data_folder(environ: Mapping[str, str]) -> Path:
    if data_home := environ.get("XDG_DATA_HOME"):
        return Path(data_home) / "slotcast"
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".local" / "share" / "slotcast"


def _parse(variable: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise BadSetting(variable, f"{error} (it is {_shown(variable, text)})") from None


def _shown(variable: str, text: str) -> str:
    """Quote the value, but for those that may hold a password."""
    return "not shown" if variable.endswith(("_URL", "_SECRET")) else repr(text[:80])


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not least <= value <= most:
            raise ValueError(f"must be from {least} to {most}")
        return value

    return parse


def _number_of(unit: str, least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"must be a number of {unit}") from None
        if not least <= value <= most:
            raise ValueError(f"must be from {least:g} to {most:g} {unit}")
        return value

    return parse


_seconds = partial(_number_of, "seconds")
_hours = partial(_number_of, "hours")


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be true or false")


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError("must be a folder")
    return path.absolute()


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return parse


def _mailbox(text: str) -> str:
    if not MAILBOX.fullmatch(text):
        raise ValueError("must be an address such as bookings@example.com")
    return text


def _public_url(text: str) -> str:
    if not ORIGIN.fullmatch(text.rstrip("/")):
        raise ValueError("must be an origin such as https://book.example.com")
    return text.rstrip("/")


def host_and_port(text: str) -> tuple[str, int]:
    """Read an address; ValueError says what it must be."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) <= 65535):
        raise ValueError("must be host:port")
    return host.strip("[]"), int(port)


def _address(text: str) -> str:
    host_and_port(text)
    return text


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise ValueError("must be a port")
    return int(text)


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(filter(None, (part.strip() for part in text.split(","))))
    if not all(ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("must be origins such as https://example.com, separated by commas")
    return origins


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _secret(text: str) -> str:
    if len(text) < TOKEN_SECRET_LENGTH_MIN:
        raise ValueError(f"must have at least {TOKEN_SECRET_LENGTH_MIN} characters")
    return text


# Field -> the variable that sets it, and how its text is read.
VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "database_url": ("DATABASE_URL", _url("postgresql", "postgres")),
    "redis_url": ("REDIS_URL", _url("redis", "rediss", "unix")),
    "data_folder": ("SLOTCAST_DATA", _folder),
    "listen_address": ("SLOTCAST_LISTEN", _address),
    "gateway_port": ("SLOTCAST_GATEWAY_PORT", _port),
    "origins": ("SLOTCAST_ORIGINS", _origins),
    "pages": ("SLOTCAST_PAGES", _folder),
    "workers": ("SLOTCAST_WORKERS", _whole(1, 64)),
    "token_secret": ("SLOTCAST_TOKEN_SECRET", _secret),
    "smtp_url": ("SLOTCAST_SMTP_URL", _url("smtp", "smtp+starttls", "smtps")),
    "mail_sender": ("SLOTCAST_MAIL_SENDER", _mailbox),
    "public_url": ("SLOTCAST_PUBLIC_URL", _public_url),
    "letters_per_recipient_per_day_max": (
        "SLOTCAST_LETTERS_PER_RECIPIENT_PER_DAY_MAX",
        _whole(1, 100_000),
    ),
    "consumer_lag_hours_max": ("SLOTCAST_CONSUMER_LAG_HOURS_MAX", _whole(24, 8760)),
    "outbound_private": ("SLOTCAST_OUTBOUND_PRIVATE", _flag),
    "log_level": ("SLOTCAST_LOG_LEVEL", _log_level),
    "reflection_enabled": ("SLOTCAST_REFLECTION", _flag),
    "lane_batch_max": ("SLOTCAST_LANE_BATCH_MAX", _whole(1, 10_000)),
    "lane_queue_max": ("SLOTCAST_LANE_QUEUE_MAX", _whole(1, 1_000_000)),
    "transaction_attempts_max": ("SLOTCAST_TRANSACTION_ATTEMPTS_MAX", _whole(1, 100)),
    "pool_size": ("SLOTCAST_POOL_SIZE", _whole(2, 1000)),
    # Exactly-once is promised for 24 hours at least.
    "request_retention_hours": ("SLOTCAST_REQUEST_RETENTION_HOURS", _whole(24, 8760)),
    "change_retention_hours": ("SLOTCAST_CHANGE_RETENTION_HOURS", _hours(1, 8760)),
    "janitor_interval_seconds": ("SLOTCAST_JANITOR_INTERVAL_SECONDS", _seconds(1, 3600)),
    # A frame at least every 5 s is promised to every stream.
    "heartbeat_seconds": ("SLOTCAST_HEARTBEAT_SECONDS", _seconds(0.05, HEARTBEAT_SECONDS_MAX)),
    "stale_after_seconds": ("SLOTCAST_STALE_AFTER_SECONDS", _seconds(0.1, 300)),
    "verify_seconds": ("SLOTCAST_VERIFY_SECONDS", _seconds(0.02, 2)),
    "stream_age_seconds_max": ("SLOTCAST_STREAM_AGE_SECONDS_MAX", _whole(1, 86_400)),
    "web_stream_age_seconds_max": (
        "SLOTCAST_WEB_STREAM_AGE_SECONDS_MAX",
        _whole(1, 86_400),
    ),
    "drain_seconds": ("SLOTCAST_DRAIN_SECONDS", _whole(0, 600)),
    "message_bytes_max": ("SLOTCAST_MESSAGE_BYTES_MAX", _whole(1024, 64 * 1024 * 1024)),
    "metadata_bytes_max": ("SLOTCAST_METADATA_BYTES_MAX", _whole(1024, 1024 * 1024)),
    "concurrent_streams_max": ("SLOTCAST_CONCURRENT_STREAMS_MAX", _whole(1, 1_000_000)),
    "key_cache_seconds": ("SLOTCAST_KEY_CACHE_SECONDS", _whole(0, 3600)),
    "rate_limit_per_key_per_minute": (
        "SLOTCAST_RATE_LIMIT_PER_KEY_PER_MINUTE",
        _whole(1, 1_000_000_000),
    ),
    "rate_limit_per_client_per_minute": (
        "SLOTCAST_RATE_LIMIT_PER_CLIENT_PER_MINUTE",
        _whole(1, 1_000_000_000),
    ),
}
