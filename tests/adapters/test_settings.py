"""Settings: what goes before what, and what is said about one that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.settings import Settings, read_settings, unknown_variables
from schemas.errors import OptionError


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    file = tmp_path / "stenocast.toml"
    file.write_text('port = 9000\nmodels = "gpu"\n')

    settings = read_settings({"STENOCAST_CONFIG": str(file), "STENOCAST_PORT": "9001"})

    assert (settings.port, settings.models, settings.host) == (9001, "gpu", "127.0.0.1")


def test_an_empty_variable_is_none() -> None:
    assert read_settings({"STENOCAST_PORT": "", "STENOCAST_MODELS": ""}) == read_settings({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("LEASE_SECONDS", "long"),
        ("DEVICE", "tpu"),
        ("DEVICES", "cuda:0,gpu1"),
        ("LOG_FORMAT", "xml"),
        ("KAFKA_BOOTSTRAP", "kafka"),
        ("KAFKA_BOOTSTRAP", "one:9092, two:"),
        ("KAFKA_SECURITY", "tls"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI"),
        ("RECONCILE_SECONDS", "0"),
        ("S3_TIMEOUT_SECONDS", "-1"),
        ("METRICS_PORT", "70000"),
        ("HEARTBEAT_SECONDS", "20"),
        ("KNOWN_VOICES", "perhaps"),
        ("PORT", "99999"),
        ("THREADS", "-3"),
        ("MAX_UPLOAD_BYTES", "0"),
        ("MAX_AUDIO_SECONDS", "-1.0"),
        ("DECODE_MEMORY_BYTES", "0"),
        ("DECODE_TIMEOUT_SECONDS", "0"),
        ("KAFKA_SESSION_SECONDS", "-1.0"),
        ("SCRIPTED_WINDOW", "0"),
        ("SCRIPTED_SECONDS", "-1.0"),
        ("GRACE_SECONDS", "-5.0"),
        ("BACK_OFF_SECONDS", "nan"),
        ("GARBAGE_SECONDS", "-1.0"),
        ("OUTWARD_NETWORKS", "10.0.0.0/8, intranet"),
        ("OUTWARD_NETWORKS", "10.0.0.1/8"),
        ("LINK_TIMEOUT_SECONDS", "0"),
        ("LINK_REDIRECTS", "21"),
        ("LINK_REDIRECTS", "-1"),
    ],
)
def test_an_impossible_value_stops_the_start_and_is_named(name: str, value: str) -> None:
    with pytest.raises(OptionError) as raised:
        read_settings({f"STENOCAST_{name}": value})

    assert raised.value.code == "bad_setting"
    assert raised.value.field == name.lower()
    assert raised.value.message.startswith(f"STENOCAST_{name}=")
    assert value in raised.value.message


@pytest.mark.parametrize("value", ["kafka:9092", "one:9092, two:9092,", "[::1]:9092", ""])
def test_brokers_are_named_by_host_and_port(value: str) -> None:
    assert read_settings({"STENOCAST_KAFKA_BOOTSTRAP": value}).kafka_bootstrap == value


def test_a_login_without_a_user_is_refused() -> None:
    with pytest.raises(OptionError, match="STENOCAST_KAFKA_SECURITY=sasl_ssl needs one"):
        read_settings({"STENOCAST_KAFKA_BOOTSTRAP": "kafka:9092", "STENOCAST_KAFKA_SECURITY": "sasl_ssl"})


def test_a_secret_is_not_shown_when_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "stenocast.toml"
    file.write_text("kafka_password = 271828\n")

    with pytest.raises(OptionError) as raised:
        read_settings({}, file)

    assert raised.value.field == "kafka_password"
    assert "271828" not in raised.value.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'pport = "9000"\n', "pport is not a setting"),
        (b"port = \n", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_is_wrong(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "stenocast.toml"
    file.write_bytes(content)

    with pytest.raises(OptionError) as raised:
        read_settings({}, file)

    assert raised.value.code == "bad_setting"
    assert raised.value.message.startswith(f"{file}: ")
    assert said in raised.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"none\.toml: cannot be read as settings"):
        read_settings({"STENOCAST_CONFIG": str(tmp_path / "none.toml")})


def test_a_misspelt_variable_is_told_with_the_setting_that_was_meant() -> None:
    environ = {
        "STENOCAST_KAFKA_BOOTSTRP": "kafka:9092",
        "STENOCAST_COLOUR": "red",
        "STENOCAST_PORT": "1",
        "PORT": "2",
    }

    assert unknown_variables(environ) == {
        "STENOCAST_COLOUR": None,
        "STENOCAST_KAFKA_BOOTSTRP": "STENOCAST_KAFKA_BOOTSTRAP",
    }


def test_what_tests_and_examples_are_told_is_no_misspelt_setting() -> None:
    names = ("CONFIG", "API", "TEST_KAFKA", "TEST_S3_EVENTS", "REQUIRE_MODELS", "DEV_SERVERS", "CHAOS_SEED")

    assert unknown_variables({f"STENOCAST_{name}": "x" for name in names}) == {}


def test_every_setting_has_a_default_that_works() -> None:
    assert read_settings({}) == Settings()
