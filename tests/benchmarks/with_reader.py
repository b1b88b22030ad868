"""The work done with lemon24/reader: its own storage, its default settings, two workers."""

import logging
import warnings

from reader import make_reader
from tests.benchmarks.phases import Timed, Work, read_work

WORKERS = 2


def run(work: Work) -> Timed:
    """Do the rounds."""
    timed = Timed()
    feeds = make_reader(str(work.folder / "reader.db"), feed_root=None)
    for url in work.urls:
        feeds.add_feed(url)

    def poll(kind: str) -> None:
        with timed.round(kind):
            feeds.update_feeds(workers=WORKERS, scheduled=False)

    for number in range(1, work.rounds + 1):
        work.begin(number, validators=True)
        poll("new")
    work.begin(work.rounds, validators=True)
    poll("not modified")
    work.begin(work.rounds, validators=False)
    poll("same body")
    timed.more["entries"] = feeds.get_entry_counts().total
    return timed


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    run(read_work()).report()
