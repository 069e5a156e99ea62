"""What an operator sets, and what is said when it cannot be used."""

import stat
from dataclasses import fields
from pathlib import Path

import pytest

from service.settings import VARIABLES, BadSetting, Settings, token_secret_bytes


def test_an_empty_environment_means_servers_of_our_own_on_loopback():
    settings = Settings.from_environment({"HOME": "/home/someone"})

    assert settings.database_url is None
    assert settings.redis_url is None
    assert settings.listen_address == "127.0.0.1:7420"
    assert settings.data_folder == Path("/home/someone/.local/share/slotcast")


def test_every_setting_has_a_variable_and_every_variable_a_setting():
    assert set(VARIABLES) == {field.name for field in fields(Settings)}
    names = [variable for variable, _ in VARIABLES.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("DATABASE_URL", "postgresql://a@b/c", "database_url", "postgresql://a@b/c"),
        ("REDIS_URL", "rediss://cache:6380/1", "redis_url", "rediss://cache:6380/1"),
        ("SLOTCAST_LISTEN", "[::1]:7000", "listen_address", "[::1]:7000"),
        ("SLOTCAST_WORKERS", " 4 ", "workers", 4),
        ("SLOTCAST_WORKERS", "", "workers", 1),
        ("SLOTCAST_HEARTBEAT_SECONDS", "0.5", "heartbeat_seconds", 0.5),
        ("SLOTCAST_CHANGE_RETENTION_HOURS", "1.5", "change_retention_hours", 1.5),
        ("SLOTCAST_JANITOR_INTERVAL_SECONDS", "5", "janitor_interval_seconds", 5.0),
        ("SLOTCAST_REFLECTION", "off", "reflection_enabled", False),
        ("SLOTCAST_LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ],
)
def test_a_variable_sets_its_field(variable, text, field, value):
    settings = Settings.from_environment({"HOME": "/home/someone", variable: text})

    assert getattr(settings, field) == value


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("DATABASE_URL", "mysql://a@b/c", "must start with postgresql://"),
        ("REDIS_URL", "localhost:6379", "must start with redis://"),
        ("SLOTCAST_LISTEN", "7420", "must be host:port"),
        ("SLOTCAST_LISTEN", "127.0.0.1:70000", "must be host:port"),
        ("SLOTCAST_WORKERS", "none", "must be a whole number"),
        ("SLOTCAST_WORKERS", "0", "must be from 1 to 64"),
        ("SLOTCAST_HEARTBEAT_SECONDS", "6", "must be from 0.05 to 5 seconds"),
        ("SLOTCAST_HEARTBEAT_SECONDS", "nan", "must be from 0.05 to 5 seconds"),
        ("SLOTCAST_REFLECTION", "maybe", "must be true or false"),
        ("SLOTCAST_LOG_LEVEL", "loud", "must be one of DEBUG"),
        ("SLOTCAST_TOKEN_SECRET", "short", "at least 32 characters"),
        ("SLOTCAST_STALE_AFTER_SECONDS", "3", "at least twice the heartbeat"),
        ("SLOTCAST_REQUEST_RETENTION_HOURS", "23", "must be from 24"),
        ("SLOTCAST_CHANGE_RETENTION_HOURS", "0.5", "must be from 1 to 8760 hours"),
        ("SLOTCAST_CHANGE_RETENTION_HOURS", "a day", "must be a number of hours"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_of_its_variable(variable, text, reason):
    with pytest.raises(BadSetting, match=reason) as refusal:
        Settings.from_environment({"HOME": "/home/someone", variable: text})

    assert refusal.value.variable == variable
    assert str(refusal.value).startswith(f"{variable}: ")


def test_a_refused_value_that_may_hold_a_password_is_not_repeated():
    with pytest.raises(BadSetting) as refusal:
        Settings.from_environment({"HOME": "/", "DATABASE_URL": "mysql://a:hunter2@b/c"})

    assert "hunter2" not in str(refusal.value)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("")

    with pytest.raises(BadSetting, match="must be a folder"):
        Settings.from_environment({"SLOTCAST_DATA": str(path)})


def test_the_token_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    settings = Settings(data_folder=tmp_path / "new" / "folder")

    first = token_secret_bytes(settings)

    assert len(first) >= 32
    assert token_secret_bytes(settings) == first
    kept = list(settings.data_folder.iterdir())
    assert [path.name for path in kept] == ["token_secret"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600


def test_a_token_secret_that_is_set_is_used_and_nothing_is_written(tmp_path):
    settings = Settings(data_folder=tmp_path, token_secret="0123456789abcdef0123456789abcdef")

    assert token_secret_bytes(settings) == b"0123456789abcdef0123456789abcdef"
    assert list(tmp_path.iterdir()) == []
