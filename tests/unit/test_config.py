"""Settings: one table, four sources, and no typo without a word."""

from dataclasses import fields
from pathlib import Path

import pytest

from tieup.alerts.settings import AlertSettings, MailSettings
from tieup.api.settings import ApiSettings
from tieup.config import MASK, Settings, load_settings, table
from tieup.errors import SettingsError
from tieup.feeds.settings import FetchSettings, WebSubSettings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(settings: Settings, name: str) -> tuple[object, str]:
    (one,) = [one for one in settings.effective if one.setting.name == name]
    return one.shown, one.source


def test_sources_rise_in_weight() -> None:
    assert shown(load_settings({}), "group") == ("tieup", "default")
    Path("tieup.toml").write_text('group = "file"', "utf-8")
    assert shown(load_settings({}), "group") == ("file", "tieup.toml")
    environ = {"TIEUP_GROUP": "variable"}
    assert shown(load_settings(environ), "group") == ("variable", "TIEUP_GROUP")
    assert shown(load_settings(environ, {"group": "flag"}), "group") == ("flag", "flag")


def test_sections_lists_and_types_of_the_file() -> None:
    Path("tieup.toml").write_text(
        'log = "kafka://a:9092,b:9092"\n[kafka]\nreplication_factor = 3\n'
        '[feeds]\njitter = 0\nallow_private = true\n[feeds.hosts]\n"a.example" = "127.0.0.1:80"\n',
        "utf-8",
    )
    settings = load_settings({})
    assert settings.bootstrap_servers == ("a:9092", "b:9092")
    assert settings.sqlite_path is None
    assert settings.kafka.replication_factor == 3
    assert (settings.feeds.jitter, settings.feeds.allow_private) == (0.0, True)
    assert dict(settings.feeds.hosts) == {"a.example": "127.0.0.1:80"}


def test_partitions_follow_the_log_unless_given() -> None:
    assert load_settings({}).partitions == 1
    assert load_settings({"TIEUP_LOG": "kafka://a:1"}).partitions == 8
    assert load_settings({"TIEUP_LOG": "kafka://a:1", "TIEUP_PARTITIONS": "3"}).partitions == 3


def test_variables_are_read_by_kind() -> None:
    environ = {
        "TIEUP_FEEDS_HOSTS": "a.example=127.0.0.1:80, b.example=127.0.0.1:81",
        "TIEUP_FEEDS_ALLOW_PRIVATE": "Yes",
        "TIEUP_FEEDS_TOTAL_S": "2.5",
        "TIEUP_GAZETTEER": "more.toml",
        "TIEUP_HTTP": "off",
        "TIEUP_LOG_LEVEL": "DEBUG",
    }
    settings = load_settings(environ)
    assert dict(settings.feeds.hosts) == {"a.example": "127.0.0.1:80", "b.example": "127.0.0.1:81"}
    assert (settings.feeds.allow_private, settings.feeds.total_s) == (True, 2.5)
    assert (settings.gazetteer, settings.http, settings.log_level) == (Path("more.toml"), None, "debug")


def test_an_empty_variable_unsets() -> None:
    Path("tieup.toml").write_text('group = "file"', "utf-8")
    assert shown(load_settings({"TIEUP_GROUP": ""}), "group") == ("tieup", "TIEUP_GROUP")


def test_secrets_are_masked_and_not_printed() -> None:
    settings = load_settings({"TIEUP_KAFKA_SASL_PASSWORD": "hunter2"})
    assert settings.kafka.sasl_password == "hunter2"
    assert shown(settings, "kafka.sasl_password") == (MASK, "TIEUP_KAFKA_SASL_PASSWORD")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(settings.effective)


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"TIEUP_LGO": "x"}, "TIEUP_LGO: no such setting; did you mean TIEUP_LOG?"),
        ({"TIEUP_ZZZZZZZZ": "x"}, "TIEUP_ZZZZZZZZ: no such setting"),
        ({"TIEUP_PARTITIONS": "two"}, "TIEUP_PARTITIONS: partitions: 'two' is not a whole number (partitions)"),
        ({"TIEUP_PARTITIONS": "0"}, "TIEUP_PARTITIONS: partitions: 0 is not between 1 and 1000 partitions"),
        ({"TIEUP_FEEDS_JITTER": "nan"}, "TIEUP_FEEDS_JITTER: feeds.jitter: nan is not between 0 and 1 share"),
        ({"TIEUP_FEEDS_ALLOW_PRIVATE": "perhaps"}, "TIEUP_FEEDS_ALLOW_PRIVATE: feeds.allow_private: 'perhaps' is not"),
        ({"TIEUP_LOG": "redis://x"}, "TIEUP_LOG: log: 'redis://x' is not sqlite:///FILE or kafka://HOST:PORT,..."),
        ({"TIEUP_LOG": "kafka://"}, "TIEUP_LOG: log: 'kafka://' is not"),
        ({"TIEUP_LOG": "kafka://u:secret@a:1"}, "TIEUP_LOG: log: 'kafka://…' is not"),
        ({"TIEUP_LOG_LEVEL": "loud"}, "TIEUP_LOG_LEVEL: log_level: 'loud' is not debug or info or warning or error"),
        ({"TIEUP_FEEDS_HOSTS": "a"}, "TIEUP_FEEDS_HOSTS: feeds.hosts: 'a' is not a table of texts"),
        ({"TIEUP_KAFKA_SECURITY_PROTOCOL": "sasl_ssl"}, "kafka.security_protocol: SASL needs kafka.sasl_username"),
        ({"TIEUP_KAFKA_SSL_CERTFILE": "c.pem"}, "kafka.ssl_certfile: needs kafka.ssl_keyfile"),
        ({"TIEUP_FEEDS_MAX_SEEN": "5"}, "feeds.max_seen: must be at least feeds.max_entries"),
        ({"TIEUP_CONFIG": "none.toml"}, "none.toml: cannot be read"),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert str(caught.value).startswith(line)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("grup = 'x'", "tieup.toml: grup: no such setting; did you mean group?"),
        ("[feeds]\ncontct = 'x'", "tieup.toml: feeds.contct: no such setting; did you mean feeds.contact?"),
        ("[feed]\ncontact = 'x'", "tieup.toml: feed.contact: no such setting; did you mean feeds.contact?"),
        ("[feed]", "tieup.toml: [feed]: no such section; did you mean feeds?"),
        ("feeds = 1", "tieup.toml: feeds: a section ([feeds]), not a value"),
        ("partitions = '2'", "tieup.toml: partitions: '2' is not a whole number (partitions)"),
        ("partitions = true", "tieup.toml: partitions: True is not a whole number (partitions)"),
        ("batch_records = 1.5", "tieup.toml: batch_records: 1.5 is not a whole number (records)"),
        ("group = 'a\\u0007'", "tieup.toml: group: "),
        ("[feeds]\nhosts = {a = 1}", "tieup.toml: feeds.hosts: {'a': 1} is not a table of texts"),
        ("group = ", "tieup.toml: not TOML"),
        ("[kafka]\nsasl_password = 7", "tieup.toml: kafka.sasl_password: ******** is not"),
    ],
)
def test_a_wrong_file_is_named(text: str, line: str) -> None:
    Path("tieup.toml").write_text(text.replace("'a\\u0007'", '"a\\u0007"'), "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings({})
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_wrong_flag_is_named() -> None:
    with pytest.raises(SettingsError, match=r"flag: grup: no such setting; did you mean group\?"):
        load_settings({}, {"grup": "x"})


def test_variables_of_the_tests_are_not_settings() -> None:
    assert load_settings({"TIEUP_TEST_KAFKA": "localhost:9092", "PATH": "/bin"}).group == "tieup"


def test_every_setting_has_a_field_and_a_reason_and_every_field_a_setting() -> None:
    sections = {"kafka", "feeds", "articles", "alerts", "mail", "api", "websub", "effective"}
    own = {field.name for field in fields(Settings)} - sections
    assert own == {name for name in table() if "." not in name}
    sorts = {"feeds": FetchSettings, "alerts": AlertSettings, "mail": MailSettings, "api": ApiSettings}
    for section, kind in (*sorts.items(), ("websub", WebSubSettings)):
        rows = {name.removeprefix(f"{section}.") for name in table() if name.startswith(f"{section}.")}
        assert {field.name for field in fields(kind)} == rows
    assert all(setting.reason.endswith(".") and setting.unit for setting in table().values())
    assert all(setting.low is not None for setting in table().values() if setting.kind in {"integer", "decimal"})


def test_the_table_s_defaults_are_those_of_the_sections() -> None:
    assert load_settings({}).feeds == FetchSettings()
    assert load_settings({}).alerts == AlertSettings()
    assert load_settings({}).mail == MailSettings()
    assert load_settings({}).api == ApiSettings()
    assert load_settings({}).websub == WebSubSettings()


def test_a_short_master_key_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="TIEUP_MASTER_KEY: master_key: shorter than 32") as caught:
        load_settings({"TIEUP_MASTER_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http", "abc"),
        ("http", "127.0.0.1:65536"),
        ("http", ":80"),
        ("suffix", "a b/ü"),
        ("group", "-x"),
        ("group", "a" * 61),
        ("websub.public_url", "ftp://me.example"),
        ("websub.public_url", "https://me.example/?a=1"),
        ("websub.listen", "9465"),
        ("api.listen", "9466"),
        ("api.public_url", f"https://{'x' * 151}"),
        ("api.public_url", "https://me.example/alerts?x"),
        ("mail.host", "smtp://mail.example"),
        ("mail.sender", "nobody"),
    ],
)
def test_a_text_that_does_not_fit_its_pattern_is_refused_at_once(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^flag: {name}: "):
        load_settings({}, {name: value})


@pytest.mark.parametrize("value", ["off", "127.0.0.1:0", "[::1]:9464", "0.0.0.0:65535", "localhost:80"])
def test_addresses_to_serve_at(value: str) -> None:
    assert load_settings({}, {"http": value}).http == (None if value == "off" else value)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"sender": ""}, "mail.sender: not set; mail.host needs"),
        ({"sender": "A, B <a@b.example>"}, "mail.sender: "),
        ({"password": "hunter2"}, "mail.username: needs mail.password"),
        ({"username": "me", "password": "hunter2", "security": "none"}, "mail.security: none: a password"),
        ({"security": "ssl"}, "is not starttls or tls or none"),
    ],
)
def test_mail_that_cannot_work_is_refused_at_once(changed: dict[str, str], line: str) -> None:
    given = {"host": "mail.example", "sender": "Alerts <a@b.example>", **changed}
    flags = {f"mail.{name}": value for name, value in given.items()}
    with pytest.raises(SettingsError, match=line) as caught:
        load_settings({}, flags)
    assert "hunter2" not in str(caught.value)
