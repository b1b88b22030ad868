"""The settings: one table (settings.toml), and four places they come from, rising in weight.

    default ─▶ tieup.toml ─▶ TIEUP_* ─▶ flags

A misspelt name is an error in each of them, which gives the closest right one. `feeds.contact` is `[feeds] contact` in
the file, `TIEUP_FEEDS_CONTACT` in the environment, `--set feeds.contact=…` as a flag.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from tieup.alerts.settings import AlertSettings, MailSettings
from tieup.api.settings import ApiSettings
from tieup.articles.settings import ArticleSettings
from tieup.errors import DataError, SettingsError
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.keys import MIN_KEY_CHARS

DEFAULT_FILE: Final = "tieup.toml"
PREFIX: Final = "TIEUP_"
FILE_VARIABLE: Final = "TIEUP_CONFIG"
FOREIGN_PREFIXES: Final = ("TIEUP_TEST_",)
MASK: Final = "********"
MAX_FILE_BYTES: Final = 1_000_000

SQLITE_SCHEME: Final = "sqlite:///"
KAFKA_SCHEME: Final = "kafka://"
SQLITE_PARTITIONS: Final = 1
KAFKA_PARTITIONS: Final = 8

Value = str | int | float | bool | Path | Mapping[str, str] | None
SettingKind = Literal["text", "integer", "decimal", "switch", "file", "table"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    `name` is dotted; `low` and `high` bound a number, `choices` or `pattern` (which it must match as a whole) a text.
    """

    name: str
    kind: SettingKind
    unit: str
    reason: str
    default: str | int | float | bool | None = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    secret: bool = False

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.replace(".", "_").upper()


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting's value in force and where it comes from."""

    setting: Setting
    value: Value = field(repr=False)
    source: str

    @property
    def shown(self) -> str | int | float | bool | dict[str, str] | None:
        """The value as it may be shown: a secret is masked."""
        if self.value is not None and self.setting.secret:
            return MASK
        if isinstance(self.value, Path):
            return str(self.value)
        return dict(self.value) if isinstance(self.value, Mapping) else self.value


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How the Kafka brokers are spoken to, in Kafka's own words."""

    replication_factor: int | None = None
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force; the units are those of the table. `http` None: nothing is served."""

    log: str
    partitions: int
    group: str
    batch_records: int
    commit_deadline_s: float
    shutdown_s: float
    start_wait_s: float
    suffix: str | None
    http: str | None
    gazetteer: Path | None
    log_level: str
    master_key: str | None = field(repr=False)
    kafka: KafkaSettings
    feeds: FetchSettings
    articles: ArticleSettings
    alerts: AlertSettings
    mail: MailSettings
    api: ApiSettings
    websub: WebSubSettings
    effective: tuple[Effective, ...] = field(default=(), repr=False, compare=False)

    @property
    def sqlite_path(self) -> Path | None:
        """The embedded log's file, None on Kafka."""
        return Path(self.log.removeprefix(SQLITE_SCHEME)) if self.log.startswith(SQLITE_SCHEME) else None

    @property
    def bootstrap_servers(self) -> tuple[str, ...]:
        """The Kafka brokers as host:port, none on SQLite."""
        if not self.log.startswith(KAFKA_SCHEME):
            return ()
        return tuple(self.log.removeprefix(KAFKA_SCHEME).rstrip("/").split(","))


@cache
def table() -> Mapping[str, Setting]:
    """Return all settings by name, in the table's order. Raises DataError if the table is wrong."""
    try:
        rows = tomllib.loads(files("tieup").joinpath("settings.toml").read_text("utf-8"))
        return MappingProxyType({name: msgspec.convert({"name": name, **row}, Setting) for name, row in rows.items()})
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, TypeError) as error:
        raise DataError(f"settings.toml: {error}") from error


def load_settings(
    environ: Mapping[str, str], flags: Mapping[str, str] | None = None, file: Path | None = None
) -> Settings:
    """Return the settings in force.

    `flags` are setting names and their text. `file` must exist if given, here or as TIEUP_CONFIG; else `tieup.toml` in
    the working folder is read if it is there. Raises SettingsError naming the place, the setting and, where one is
    close, the right name.
    """
    given = file or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    found = {one.name: Effective(one, one.default, "default") for one in table().values()}
    for source in (_of_file(given), _of_environment(environ), _of_flags(flags or {})):
        found.update((one.setting.name, one) for one in source)
    return _settings(found)


def _of_file(given: Path | None) -> Iterator[Effective]:
    path = given or Path(DEFAULT_FILE)
    if given is None and not path.exists():
        return
    for name, value in _flattened(_read(path), str(path)):
        setting = _known(name, str(path), [one.name for one in table().values()])
        yield Effective(setting, _checked(setting, value, str(path)), str(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SettingsError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error


def _flattened(rows: Mapping[str, Any], place: str) -> Iterator[tuple[str, object]]:
    sections = {name.partition(".")[0] for name in table() if "." in name}
    for name, value in rows.items():
        if name in sections and not isinstance(value, dict):
            raise SettingsError(f"{place}: {name}: a section ([{name}]), not a value")
        if isinstance(value, dict) and name not in table():
            yield from ((f"{name}.{key}", one) for key, one in value.items())
            if not value:
                _known_section(name, place, sections)
        else:
            yield name, value


def _known_section(name: str, place: str, sections: set[str]) -> None:
    if name not in sections:
        raise SettingsError(f"{place}: [{name}]: no such section{_hint(name, sorted(sections))}")


def _of_environment(environ: Mapping[str, str]) -> Iterator[Effective]:
    variables = {setting.variable: setting for setting in table().values()}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name.startswith(FOREIGN_PREFIXES) or name == FILE_VARIABLE:
            continue
        if name not in variables:
            raise SettingsError(f"{name}: no such setting{_hint(name, [*variables, FILE_VARIABLE])}")
        setting = variables[name]
        yield Effective(setting, _from_text(setting, environ[name], name), name)


def _of_flags(flags: Mapping[str, str]) -> Iterator[Effective]:
    for name, text in flags.items():
        setting = _known(name, "flag", list(table()))
        yield Effective(setting, _from_text(setting, text, "flag"), "flag")


def _known(name: str, place: str, names: list[str]) -> Setting:
    if name not in table():
        raise SettingsError(f"{place}: {name}: no such setting{_hint(name, names)}")
    return table()[name]


def _hint(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _from_text(setting: Setting, text: str, place: str) -> Value:
    """Read a value from a variable or a flag. An empty text unsets."""
    text = text.strip()
    if not text:
        return setting.default
    try:
        return _checked(setting, _parsed(setting, text), place)
    except ValueError as error:
        raise _wrong(setting, place, text) from error


def _parsed(setting: Setting, text: str) -> object:
    match setting.kind:
        case "integer":
            return int(text)
        case "decimal":
            return float(text)
        case "switch":
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
                text.lower(), text
            )
        case "table":
            return dict(_pair(one) for one in text.split(","))
        case _:
            return text


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not (name.strip() and value.strip()):
        raise ValueError("not name=value")
    return name.strip(), value.strip()


def _checked(setting: Setting, value: object, place: str) -> Value:
    checked = _typed(setting, value)
    if checked is None:
        raise _wrong(setting, place, value)
    if isinstance(checked, int | float) and not isinstance(checked, bool):
        _check_bounds(setting, checked, place)
    if setting.choices and checked not in setting.choices:
        raise _wrong(setting, place, value)
    if setting.pattern and isinstance(checked, str) and not re.fullmatch(setting.pattern, checked):
        raise _wrong(setting, place, value)
    return checked


def _typed(setting: Setting, value: object) -> Value:
    """Return the value as the setting's kind holds it, or None if it is of another kind."""
    match value:
        case bool():
            return value if setting.kind == "switch" else None
        case int() | float():
            return _number(setting.kind, value)
        case str():
            return _text(setting, value)
        case dict():
            return _texts(value) if setting.kind == "table" else None
        case _:
            return None


def _number(kind: SettingKind, value: float) -> Value:
    if kind == "decimal":
        return float(value)
    return value if kind == "integer" and isinstance(value, int) else None


def _text(setting: Setting, value: str) -> Value:
    if not (value and value.isprintable()):
        return None
    if setting.kind == "file":
        return Path(value).expanduser()
    same = (choice for choice in setting.choices if choice.lower() == value.lower())
    return next(same, value) if setting.kind == "text" else None


def _texts(value: dict[str, object]) -> Value:
    pairs = {name: one for name, one in value.items() if isinstance(one, str) and one}
    return pairs if len(pairs) == len(value) else None


def _check_bounds(setting: Setting, value: float, place: str) -> None:
    low, high = setting.low, setting.high
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise SettingsError(f"{place}: {setting.name}: {value} is not between {low:g} and {high:g} {setting.unit}")


def _wrong(setting: Setting, place: str, value: object) -> SettingsError:
    shown = MASK if setting.secret else repr(value)
    wanted = " or ".join(setting.choices) if setting.choices else f"{_KIND_WORDS[setting.kind]} ({setting.unit})"
    return SettingsError(f"{place}: {setting.name}: {shown} is not {wanted}")


_KIND_WORDS: Final[dict[SettingKind, str]] = {
    "text": "one line of text",
    "integer": "a whole number",
    "decimal": "a number",
    "switch": "a switch",
    "file": "a path",
    "table": "a table of texts",
}


def _settings(found: dict[str, Effective]) -> Settings:
    log = found["log"]
    if found["partitions"].value is None:
        found["partitions"] = Effective(table()["partitions"], _partitions(log), "default")
    else:
        _partitions(log)
    kafka = KafkaSettings(**_section(found, "kafka", KafkaSettings))
    _check_kafka(kafka)
    feeds = FetchSettings(**_section(found, "feeds", FetchSettings))
    articles = ArticleSettings(**_section(found, "articles", ArticleSettings))
    alerts = AlertSettings(**_section(found, "alerts", AlertSettings))
    mail = MailSettings(**_section(found, "mail", MailSettings))
    api = ApiSettings(**_section(found, "api", ApiSettings))
    websub = WebSubSettings(**_section(found, "websub", WebSubSettings))
    _check_key(found["master_key"])
    own: dict[str, Any] = {name: one.value for name, one in found.items() if "." not in name}
    if own["http"] == "off":
        own["http"] = None
    return Settings(
        **own,
        kafka=kafka,
        feeds=feeds,
        articles=articles,
        alerts=alerts,
        mail=mail,
        api=api,
        websub=websub,
        effective=tuple(found.values()),
    )


def _partitions(log: Effective) -> int:
    """The default for the sort of log. Raises SettingsError if it is neither."""
    url = str(log.value)
    if url.startswith(SQLITE_SCHEME) and len(url) > len(SQLITE_SCHEME):
        return SQLITE_PARTITIONS
    brokers = url.removeprefix(KAFKA_SCHEME).rstrip("/").split(",")
    if url.startswith(KAFKA_SCHEME) and all(map(_is_broker, brokers)):
        return KAFKA_PARTITIONS
    shown = f"{url.partition('://')[0]}://…" if "@" in url else url
    raise SettingsError(f"{log.source}: log: {shown!r} is not sqlite:///FILE or kafka://HOST:PORT,...")


def _is_broker(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return (
        bool(host) and "@" not in host and "/" not in host and port.isascii() and port.isdigit() and int(port) < 65_536
    )


def _section(found: Mapping[str, Effective], section: str, kind: type) -> dict[str, Any]:
    """The section's values by field name; what is unset is left to the record's own default."""
    names = {one.name: found[f"{section}.{one.name}"].value for one in fields(kind) if f"{section}.{one.name}" in found}
    return {name: value for name, value in names.items() if value is not None}


def _check_key(key: Effective) -> None:
    if isinstance(key.value, str) and len(key.value) < MIN_KEY_CHARS:
        raise SettingsError(f"{key.source}: master_key: shorter than {MIN_KEY_CHARS} characters; `tieup key` makes one")


def _check_kafka(kafka: KafkaSettings) -> None:
    if kafka.security_protocol.startswith("SASL") and not (kafka.sasl_username and kafka.sasl_password):
        raise SettingsError("kafka.security_protocol: SASL needs kafka.sasl_username and kafka.sasl_password")
    if (kafka.ssl_certfile is None) != (kafka.ssl_keyfile is None):
        raise SettingsError("kafka.ssl_certfile: needs kafka.ssl_keyfile, and the other way round")
