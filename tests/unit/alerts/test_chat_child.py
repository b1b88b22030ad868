"""What the process for chats may do, decided without starting one."""

import os
import sys
from pathlib import Path

import pytest

from tieup.alerts.channels.chat_child import Guard, fitting, hidden


def guard(allow_private: bool = False, **hosts: str) -> Guard:
    found = Guard()
    found.begin(allow_private=allow_private, hosts=hosts)
    return found


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ("socket.connect", ("127.0.0.1", 80)),
        ("socket.connect", ("::ffff:10.0.0.1", 443, 0, 0)),
        ("socket.connect", ("fe80::1%eth0", 443, 0, 2)),
        ("socket.connect", "/var/run/docker.sock"),
        ("socket.connect", b"\0abstract"),
        ("socket.connect", ("localhost", 80)),
        ("socket.sendto", ("169.254.169.254", 514)),
    ],
)
def test_private_places_and_names_are_refused(event: str, place: object) -> None:
    found = guard()
    with pytest.raises(PermissionError):
        found(event, (None, place))
    assert "not asked" in (found.refused or "")


def test_public_places_are_allowed_and_those_that_the_operator_names() -> None:
    found = guard(**{"chat.example": "127.0.0.1:8443"})
    found("socket.connect", (None, ("93.184.215.14", 443)))
    found("socket.connect", (None, ("127.0.0.1", 8443)))
    guard(allow_private=True)("socket.connect", (None, ("127.0.0.1", 80)))
    assert found.refused is None


@pytest.mark.parametrize("event", ["subprocess.Popen", "os.system", "os.exec", "os.fork", "syslog.syslog", "os.remove"])
def test_nothing_is_started_or_removed(event: str) -> None:
    with pytest.raises(PermissionError):
        guard()(event, ())


def test_only_the_interpreter_s_files_are_read(tmp_path: Path) -> None:
    for path, mode, flags in (
        (str(tmp_path / "a"), "r", 0),
        (f"{sys.prefix}/../../etc/passwd", "r", 0),
        (b"/etc/shadow", "rb", 0),
        (f"{sys.prefix}/x", "w", 0),
        (f"{sys.prefix}/x", None, os.O_WRONLY | os.O_CREAT),
    ):
        with pytest.raises(PermissionError):
            guard()("open", (path, mode, flags))
    guard()("open", (os.__file__, "r", 0))
    guard()("open", (3, "w", 0))  # a pipe that it has


def test_no_part_of_an_address_is_told() -> None:
    url = "slack://T12345678/B12345678/abcdefghijklmnop?footer=no"
    line = "Failed to send to https://hooks.slack.com/T12345678/B12345678/abcdefghijklmnop: error=404."
    assert hidden(line, url) == "Failed to send to https://hooks.slack.com/…/…/…: error=404."
    assert hidden("not with pass$word", "json://me:pass%24word@h.example/") == "not with …"


def test_the_fullest_text_that_fits_is_taken() -> None:
    bodies = ["x" * 1_000, "y" * 100, "z"]
    assert [fitting(bodies, room)[0] for room in (2_000, 1_000, 130, 5, 1)] == ["x", "y", "y", "z", "z"]
    assert fitting(["“" * 4_000, "short"], 100_000) == "short"  # six bytes each where a service writes ASCII
