"""The error tree: every error that tieup raises on purpose is one of these.

    TieupError
    ├── SettingsError       a setting is misspelt, missing or out of bounds
    ├── UsageError          the command was called wrongly
    ├── BadInput            what came from outside cannot be used; its whole input is kept
    │   ├── BadRecord       a record on a topic cannot be read (topic, partition, offset)
    │   ├── BadFeed         a feed cannot be read (URL)
    │   └── BadFile         a file given by the user cannot be read (path, line)
    ├── InvalidOutput       a record of our own breaks its schema or its bound
    ├── DataError           a data file of our own (gazetteer, lexicon, schema) is wrong
    ├── StateVersionError   a state record is newer or older than this code can read
    ├── FetchError          one request failed (URL); the feed is asked again later
    │   ├── HostBusy        it got no turn at its host in time: our own politeness, nobody's fault
    │   ├── TooManyRedirects    it was sent on more often than the bound
    │   └── ProcessEnded    the process that was to read the answer ended
    ├── DeliveryError       a message did not reach its endpoint, or cannot
    └── LogError            the log cannot do what was asked
        ├── LogUnavailable  the log is away; trying again may help
        ├── LogBusy         another runner owns the embedded log
        ├── LogFull         no space left, or a read-only disk
        ├── LogCorrupt      the embedded log's file is damaged
        ├── TopicError      a topic is missing or differs from what is wanted
        └── Fenced          another owner has taken the task over; this one must end

Each message is one line and names the offending thing. Foreign errors are translated where the foreign code is called.
"""


class TieupError(Exception):
    """The root of the tree."""


class SettingsError(TieupError):
    """A setting is misspelt, missing or out of bounds."""


class UsageError(TieupError):
    """The command was called wrongly (exit code 2)."""


class BadInput(TieupError):
    """What came from outside cannot be used; its whole input is kept."""


class BadRecord(BadInput):
    """A record on a topic cannot be read."""


class BadFeed(BadInput):
    """A feed's body cannot be read."""


class BadFile(BadInput):
    """A file given by the user cannot be read."""


class InvalidOutput(TieupError):
    """A record of our own breaks its schema or its bound."""


class DataError(TieupError):
    """A data file of our own is wrong."""


class StateVersionError(TieupError):
    """A state record was written by a version of the code that this one cannot read."""


class FetchError(TieupError):
    """One request failed."""


class HostBusy(FetchError):
    """A request got no turn at its host or address in time."""


class TooManyRedirects(FetchError):
    """A request was sent on more often than its bound."""


class ProcessEnded(FetchError):
    """A process that works apart ended without an answer."""


class DeliveryError(TieupError):
    """A message did not reach its endpoint, or cannot."""


class LogError(TieupError):
    """The log cannot do what was asked."""


class LogUnavailable(LogError):
    """The log is away; trying again may help."""


class LogBusy(LogError):
    """Another runner owns the embedded log."""


class LogFull(LogError):
    """No space is left, or the disk is read-only."""


class LogCorrupt(LogError):
    """The embedded log's file is damaged."""


class TopicError(LogError):
    """A topic is missing or differs from what is wanted."""


class Fenced(LogError):
    """Another owner has taken the task over."""
