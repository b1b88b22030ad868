"""The process that sends to chats and phones through Apprise: one task a line on its input, one answer a line.

Apprise opens its own connections, so the address guard stands where none can be made without it: at the interpreter's
own audit events (PEP 578), which `socket.connect` and its kin raise for every library with the very address that is
meant, before anything is sent. A hook cannot be taken away again, hence the process of its own. It also keeps Apprise
from starting programs, from writing files and from reading any but the interpreter's (some services take the name of a
file in their address and would send it), and the process may be killed when it takes too long.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from tieup.errors import DataError
from tieup.outside.guard import AddressGuard

if TYPE_CHECKING:
    from apprise import AppriseAsset

MAX_LINE: Final = 200_000
MAX_PAYLOAD_BYTES: Final = 16_000  # of 20 kB with the title and what services put around it
MARGIN: Final = 0.8  # of a service's room: escaping makes a text longer

_CONNECTING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_FORBIDDEN: Final = frozenset({
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.startfile",
    "syslog.openlog", "syslog.syslog", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "shutil.rmtree",
    "ctypes.dlopen", "pty.spawn",
})  # fmt: skip
_STATUS: Final = re.compile(r"error=(\d{3})\b")
_SECRETS: Final = re.compile(r"[^/@:?&=,;\s]{5,}")
_SYSTEM: Final = (
    "/usr/share/", "/usr/lib/", "/etc/ssl/", "/etc/mime.types", "/etc/localtime", "/dev/null", "/dev/urandom",
)  # fmt: skip
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Guard:
    """The audit hook. What a task may reach is set before each; what was refused is kept for its answer.

    A connection that was `refused` is a failure whatever the library says; something else that was `denied` need not
    matter, as when a table of media types is not read.
    """

    def __init__(self) -> None:
        self.refused: str | None = None
        self.denied: str | None = None
        self._guard = AddressGuard(allow_private=False, hosts={})
        own = {sys.prefix, sys.base_prefix, *(one for one in sys.path if one)}
        self._readable = (*_SYSTEM, *(f"{os.path.realpath(one)}/" for one in sorted(own)))

    def begin(self, *, allow_private: bool, hosts: Mapping[str, str]) -> None:
        """Begin a task."""
        self.refused = self.denied = None
        self._guard = AddressGuard(allow_private=allow_private, hosts=hosts)

    def __call__(self, event: str, details: tuple[Any, ...]) -> None:
        """Raise PermissionError, which libraries take for a failure of the system, for what must not happen."""
        if event in _CONNECTING:
            self._connecting(details[-1] if event == "socket.sendmsg" else details[1])
        elif event in _FORBIDDEN or (event == "open" and not self._opens(details)):
            self.denied = self.denied or f"{event}: not allowed to the library of chats"
            raise PermissionError(self.denied)

    def _connecting(self, place: object) -> None:
        if not (isinstance(place, tuple) and len(place) >= 2):
            self._refuse("not an internet address; not asked")
            return
        try:
            allowed = self._guard.allows(str(place[0]), int(place[1]))
        except ValueError:
            allowed = False
        if not allowed:
            self._refuse(f"{place[0]}: not a public address; not asked")

    def _opens(self, details: tuple[Any, ...]) -> bool:
        """Whether a file may be opened; the event has path (or descriptor), mode and flags."""
        path, mode, flags = details
        if isinstance(path, int):
            return True
        writes = any(one in mode for one in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
        return not writes and os.path.realpath(os.fsdecode(path)).startswith(self._readable)

    def _refuse(self, why: str) -> None:
        self.refused = self.refused or why
        raise PermissionError(why)


class _Said(logging.Handler):
    """The last warnings of the library, which are all that it tells of what went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines = [*self.lines, record.getMessage()][-3:]


def perform(task: Mapping[str, Any], guard: Guard, said: _Said) -> dict[str, object]:
    """Send one message and return what came of it: `delivered`, `status`, `error`. Without bodies only the address is
    looked at."""
    import apprise

    said.lines = []
    guard.begin(allow_private=bool(task.get("allow_private")), hosts=task.get("hosts", {}))
    asset = apprise_asset(float(task.get("total_s", 1.0)))
    service = apprise.Apprise.instantiate(task["url"], asset=asset, suppress_exceptions=True)
    if not isinstance(service, apprise.NotifyBase):
        return {"delivered": False, "error": "Apprise does not know the service, or its address lacks something"}
    if "bodies" not in task:
        return {"delivered": True}
    service.socket_connect_timeout = float(task["connect_s"])
    service.socket_read_timeout = float(task["total_s"])
    service.redirects = False  # whatever the address says
    service.overflow_mode = apprise.OverflowMode.TRUNCATE
    sent = service.notify(
        title=task["title"], body=fitting(task["bodies"], service.body_maxlen), body_format=apprise.NotifyFormat.TEXT
    )
    if sent and guard.refused is None:
        return {"delivered": True}
    line = guard.refused or guard.denied or hidden(" ".join(said.lines), task["url"])
    found = _STATUS.search(line)
    return {"delivered": False, "status": int(found[1]) if found else None, "error": line or "not taken"}


def apprise_asset(total_s: float) -> "AppriseAsset":
    """Return the library's settings: no redirects, no files, no templates, no retries of its own, no icons of others.

    Retries are the lanes' business: two places that retry send twice.
    """
    import apprise

    return apprise.AppriseAsset(
        app_id="tieup",
        app_desc="tieup",
        app_url="",
        image_url_mask=False,
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        default_service_retry=0,
        service_timeout=total_s,
        allow_templates=False,
        secure_logging=True,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        pgp_autogen=False,
        pem_autogen=False,
    )


def fitting(bodies: list[str], room: int) -> str:
    """Return the fullest of the bodies that a service, and our own bound, has room for; the least one if none."""
    fit = (body for body in bodies if len(body) <= room * MARGIN and len(json.dumps(body)) <= MAX_PAYLOAD_BYTES)
    return next(fit, bodies[-1])


def hidden(line: str, url: str) -> str:
    """Return a line of the library's without any part of the address, which holds tokens."""
    place = url.partition("://")[2]
    for part in sorted({*_SECRETS.findall(place), *_SECRETS.findall(unquote(place))}, key=len, reverse=True):
        line = line.replace(part, "…")
    return " ".join(line.split())[:300]


def main() -> None:
    """Serve until the input ends."""
    logger = logging.getLogger("apprise")
    said, guard = _Said(), Guard()
    logger.handlers, logger.propagate = [said], False
    logger.setLevel(logging.WARNING)
    import apprise  # before the hook: loading writes caches and asks the system

    apprise.Apprise.instantiate("json://localhost", asset=apprise_asset(1.0))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.addaudithook(guard)
    answers.write("ready\n")
    answers.flush()
    while line := sys.stdin.readline(MAX_LINE):
        try:
            answer = perform(json.loads(line), guard, said)
        except (DataError, OSError, ValueError, KeyError, TypeError) as error:
            answer = {"delivered": False, "error": guard.refused or guard.denied or type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
