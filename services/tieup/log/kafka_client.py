"""How the Kafka log reaches its brokers: address, security, time-outs, and what aiokafka's errors mean in our words."""

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.helpers import create_ssl_context

from tieup.errors import Fenced, InvalidOutput, LogError, LogFull, LogUnavailable, SettingsError, TieupError, TopicError

logger = logging.getLogger(__name__)

SCHEME: Final = "kafka://"
_SERVER: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """SASL and TLS. `ca_file` None: the system's authorities; `cert_file` and `key_file`: a client certificate (PEM).

    Raises SettingsError if the parts do not fit together.
    """

    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = field(default=None, repr=False)
    mechanism: Mechanism | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.mechanism is not None and not (self.username and self.password):
            raise SettingsError(f"Kafka: {self.mechanism} needs a username and a password")
        if self.mechanism is None and (self.username or self.password):
            raise SettingsError("Kafka: a username or a password needs a SASL mechanism")
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise SettingsError("Kafka: certificates are given, but TLS is off")

    def options(self) -> dict[str, Any]:
        """The options of every aiokafka client. Raises SettingsError if a file cannot be used."""
        protocol = ("SASL_" if self.mechanism else "") + ("SSL" if self.tls else "PLAINTEXT")
        options: dict[str, Any] = {"security_protocol": protocol}
        if self.tls:
            options["ssl_context"] = self._context()
        if self.mechanism:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options

    def _context(self) -> ssl.SSLContext:
        names = {"cafile": self.ca_file, "certfile": self.cert_file, "keyfile": self.key_file}
        files = {name: str(path) for name, path in names.items() if path is not None}
        try:
            context: ssl.SSLContext = create_ssl_context(**files, password=self.key_password)
        except OSError as error:  # ssl.SSLError too
            raise SettingsError(f"Kafka: TLS with {files or 'the system authorities'}: {error}") from error
        return context


@dataclass(frozen=True, slots=True)
class KafkaBounds:
    """All time-outs, in seconds, and sizes, in bytes.

    `connect_s`: the first contact. `request_s`: one request, and one question to the cluster with its repetitions.
    `commit_s`: a transaction with its sends; shorter than `request_s`, so that aiokafka never repeats an EndTxn whose
    answer is late (that could commit the next transaction in two parts). `transaction_s`: after that the broker aborts
    what a dead owner left open. `session_s`, `heartbeat_s`, `rebalance_s`: the group. A dead member is missed after
    `session_s`, and a rebalance waits for it as long, so it is as short as brokers allow by default. `join_s`: how long
    `join` waits for the first assignment (it goes on in the background up to `rebalance_s` + `session_s`). `settle_s`:
    how long `end_offsets` waits for transactions that are being ended. `silence_s`: a reader that hears of no broker
    for so long gives up. `stop_s`: one client's orderly end. `request_bytes`: the largest request, so the largest
    record.
    """

    connect_s: float = 10.0
    request_s: float = 10.0
    commit_s: float = 8.0
    transaction_s: float = 15.0
    session_s: float = 6.0
    heartbeat_s: float = 1.0
    rebalance_s: float = 20.0
    join_s: float = 3.0
    settle_s: float = 1.0
    silence_s: float = 20.0
    stop_s: float = 2.0
    request_bytes: int = 8 * 1024 * 1024
    batch_bytes: int = 256 * 1024
    fetch_bytes: int = 4 * 1024 * 1024

    def __post_init__(self) -> None:
        if not self.commit_s < self.request_s < self.transaction_s:
            raise SettingsError("Kafka: the commit must be shorter than the request, that shorter than the transaction")


@dataclass(frozen=True, slots=True)
class Brokers:
    """The cluster, and how to make clients for it. `address` is for messages."""

    servers: tuple[str, ...]
    security: KafkaSecurity
    bounds: KafkaBounds

    @property
    def address(self) -> str:
        """kafka://host:port,host:port."""
        return SCHEME + ",".join(self.servers)

    def _common(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": list(self.servers),
            "client_id": "tieup",
            "request_timeout_ms": millis(self.bounds.request_s),
            **self.security.options(),
        }

    def admin(self) -> AIOKafkaAdminClient:
        """A client for topics and groups, not started."""
        return AIOKafkaAdminClient(**self._common())

    def producer(self, transactional_id: str) -> AIOKafkaProducer:
        """A transactional producer, not started: starting it fences the former one of that id."""
        return AIOKafkaProducer(
            **self._common(),
            transactional_id=transactional_id,
            transaction_timeout_ms=millis(self.bounds.transaction_s),
            max_request_size=self.bounds.request_bytes,
            max_batch_size=self.bounds.batch_bytes,
        )

    def consumer(self, **options: object) -> AIOKafkaConsumer:
        """A consumer that commits nothing by itself, not started."""
        return AIOKafkaConsumer(
            **self._common(),
            enable_auto_commit=False,
            max_partition_fetch_bytes=self.bounds.fetch_bytes,
            **{"isolation_level": "read_committed", "auto_offset_reset": "none", **options},
        )


def servers_of(url: str) -> tuple[str, ...]:
    """The servers of `kafka://host:port,host:port`. Raises SettingsError."""
    servers = tuple(url.removeprefix(SCHEME).rstrip("/").split(","))
    for server in servers:
        match = _SERVER.fullmatch(server)
        if not url.startswith(SCHEME) or match is None or not 0 < int(match[2]) < 65536:
            raise SettingsError(f"{url}: a Kafka log is given as kafka://host:port,host:port")
    return servers


def millis(seconds: float) -> int:
    """Whole milliseconds."""
    return round(seconds * 1000)


FOREIGN: Final = (
    kafka_errors.KafkaError,
    kafka_errors.IllegalOperation,
    kafka_errors.ConsumerStoppedError,
    AssertionError,  # aiokafka's way to say that a producer is past use
    OSError,  # TimeoutError too
)

_FENCING: Final = (
    kafka_errors.ProducerFenced,
    kafka_errors.InvalidProducerEpoch,
    kafka_errors.InvalidProducerIdMapping,
    kafka_errors.UnknownError,  # aiokafka 0.14 does not know the codes 82 and 90, both of which fence
)

_MEANINGS: Final[tuple[tuple[tuple[type[Exception], ...], type[TieupError], str], ...]] = (
    (
        (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError, kafka_errors.RecordTooLargeError),
        InvalidOutput,
        "a record is larger than its topic takes",
    ),
    (
        (kafka_errors.UnknownTopicOrPartitionError, kafka_errors.InvalidTopicError),
        TopicError,
        "there is no such topic or partition",
    ),
    ((kafka_errors.KafkaStorageError,), LogFull, "a broker cannot write to its disk"),
    (
        (
            kafka_errors.AuthenticationFailedError,
            kafka_errors.AuthenticationMethodNotSupported,
            kafka_errors.SaslAuthenticationFailed,
            kafka_errors.UnsupportedSaslMechanismError,
            kafka_errors.TopicAuthorizationFailedError,
            kafka_errors.GroupAuthorizationFailedError,
            kafka_errors.ClusterAuthorizationFailedError,
            kafka_errors.TransactionalIdAuthorizationFailed,
        ),
        LogError,
        "refused",
    ),
    ((TimeoutError, kafka_errors.KafkaTimeoutError), LogUnavailable, "no answer in time"),
)


def translate(error: BaseException, what: str, *, fencing: bool = False) -> TieupError:
    """What an error of aiokafka means, in one line that begins with `what`.

    With `fencing`, errors (or their causes: aiokafka wraps them) that mean a newer owner are Fenced.
    """
    chain = list(_chain(error))
    if fencing and any(isinstance(one, _FENCING) for one in chain):
        return Fenced(f"{what}: another owner has taken the task over")
    for one in chain:
        for kinds, meaning, words in _MEANINGS:
            if isinstance(one, kinds):
                return meaning(f"{what}: {words} ({one_line(one)})")
    return LogUnavailable(f"{what}: {one_line(chain[-1])}")


def one_line(error: BaseException) -> str:
    """An error's name and words without line breaks."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300].removesuffix(":")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


async def within(work: Awaitable[object], seconds: float) -> bool:
    """Await, at most so long; return whether it ended by itself. What it raises is only noted: it is on its way out."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)
    elif not task.cancelled() and task.exception() is not None:
        logger.debug("a client ended with: %s", task.exception())
    return bool(done)


async def stop_consumer(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Leave and close; with brokers away aiokafka's stop() waits for ever, so what is left then is cancelled."""
    if not await within(consumer.stop(), seconds):
        logger.warning("a Kafka consumer did not stop within %s s and is dropped", seconds)
    client = consumer._client  # noqa: SLF001 - there is no public way to drop a client
    await _close_client(client, seconds, consumer._coordinator, consumer._fetcher)  # noqa: SLF001


async def drop_producer(producer: AIOKafkaProducer, seconds: float) -> None:
    """Close the producer unflushed: its open transaction, if any, is left to the next owner, who aborts it.

    stop() would flush first, and wait for ever with brokers away.
    """
    producer._closed = True  # noqa: SLF001 - else its finalizer warns
    sender = producer._sender  # noqa: SLF001
    if sender.sender_task is not None:
        sender.sender_task.cancel()
        await asyncio.wait({sender.sender_task}, timeout=0.2)
    await _close_client(producer.client, seconds, sender)
    for broken in _futures_of(producer):
        if broken is not None and broken.done() and not broken.cancelled():
            broken.exception()  # seen: the commit that it broke has told, the loop need not


def _futures_of(producer: AIOKafkaProducer) -> "Iterator[asyncio.Future[Any] | None]":
    yield producer._sender.sender_task  # noqa: SLF001
    yield producer._txn_manager._transaction_waiter  # noqa: SLF001
    for batches in producer._message_accumulator._batches.values():  # noqa: SLF001
        for batch in batches:
            yield batch.future
            yield batch._drain_waiter  # noqa: SLF001


async def _close_client(client: AIOKafkaClient, seconds: float, *owners: object) -> None:
    await within(client.close(), seconds)
    if await _cancel_tasks_of(client, *owners):
        await within(client.close(), seconds)  # one of them may have connected meanwhile


async def _cancel_tasks_of(*owners: object) -> bool:
    """Cancel what aiokafka's objects still run: they do not hand out their tasks, so the frames tell whose they are."""
    kept = [owner for owner in owners if owner is not None]
    left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task() and _owner(task) in kept}
    found = bool(left)
    for _ in range(3):
        if not left:
            break
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.2)
    return found


def _owner(task: "asyncio.Task[Any]") -> object:
    frame = getattr(task.get_coro(), "cr_frame", None)
    return None if frame is None else frame.f_locals.get("self")
