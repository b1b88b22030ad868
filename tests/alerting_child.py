"""The alerting workers in a process of their own, forked from one that has everything loaded: made to be killed."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.alerting import alert_settings, alerting
from tieup.alerts.settings import NO_MAIL, MailSettings
from tieup.companies.gazetteer import load_gazetteer
from tieup.events.validate import SchemaValidator

SPEED = 10.0
_GAZETTEER, _VALIDATOR = load_gazetteer(), SchemaValidator()


def serve(path: Path, since: datetime, mail: MailSettings) -> None:
    """Match and deliver until killed; the clock runs so fast that a failed attempt comes again within the second, and
    from one moment on, so that no process is behind the one before.
    """
    told = {"gazetteer": _GAZETTEER, "validator": _VALIDATOR, "mail": mail, "since": since}
    asyncio.run(alerting(path, alert_settings(total_s=20.0), lambda: False, speed=SPEED, within_s=600.0, **told))


@contextmanager
def serving(path: Path, since: datetime, mail: MailSettings = NO_MAIL) -> Iterator[ForkServerProcess]:
    """Run the workers in another process until the block ends; it is killed with SIGKILL."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.alerting_child"])
    process = context.Process(target=serve, args=(path, since, mail))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
        process.close()
