"""What the threads share that append what a run is fed with."""

import threading

from confluent_kafka import KafkaError, Message, Producer


class Appender(threading.Thread):
    """Appends with an idempotent producer until `append_all` ends.

    `sent` says when each article could be had, by the monotonic clock; `failed` is what ended the thread before its
    time (a fault of this harness, not of the service); `refused` is what the brokers did not take.
    """

    def __init__(self, servers: str, **options: object) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self.producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "log_level": 0, **options})
        self.sent: dict[int, float] = {}
        self.failed: BaseException | None = None
        self.refused: list[str] = []

    def run(self) -> None:
        try:
            self.append_all()
            self.producer.flush(120)
        except BaseException as error:  # noqa: BLE001 - told to whoever joins this thread
            self.failed = error

    def append_all(self) -> None:
        """Append everything, each at its time."""
        raise NotImplementedError

    def delivered(self, error: KafkaError | None, _: Message) -> None:
        """Take note of what was refused."""
        if error is not None:
            self.refused.append(str(error))
