"""A real Apache Kafka on loopback, for tests and local use: `python -m tests.kafka_broker` runs one until Ctrl-C.

The jars come from Maven through deploy/kafka/pom.xml into deploy/kafka/target/libs, once. Each broker is one JVM with a
small heap that keeps its data in a temporary directory, which is removed at the end.
"""

import argparse
import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

HOME = Path(__file__).parent.parent / "deploy" / "kafka"
LIBS = HOME / "target" / "libs"
CLUSTER_ID = "dGlldXAtdGVzdC1rYWZrYQ"  # 16 bytes in base64, as Kafka wants them
PORTS = range(12_000, 32_000)
START_S = 120.0  # of a JVM, on a machine that has other work too
STOP_S = 20.0
MAVEN_S = 300.0
JVM = ("-Xms64m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
LOGGING = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")


class KafkaMissing(Exception):
    """No Kafka can be started here; the message says what is missing."""


def classpath() -> str:
    """The broker's class path; fetches the jars if they are not there. Raises KafkaMissing."""
    if shutil.which("java") is None:
        raise KafkaMissing("no java (17 or newer)")
    pom = HOME / "pom.xml"
    stamp = LIBS / ".ready"
    with pom.open("rb") as lock:  # several test processes may come here at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.stat().st_mtime < pom.stat().st_mtime:
            _fetch(pom)
            stamp.touch()
    return f"{LIBS}/*"


def _fetch(pom: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissing("no jars in deploy/kafka/target/libs and no mvn to fetch them")
    shutil.rmtree(LIBS, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", str(pom), "package"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAVEN_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise KafkaMissing(f"mvn did not fetch the jars within {MAVEN_S:.0f} s") from error
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if "ERROR" in line]
        raise KafkaMissing(f"mvn could not fetch the jars: {lines[0] if lines else done.stderr[:200]}")


def free_port() -> int:
    """A loopback port that nobody listens on now, below those that systems give to connections which leave.

    A broker that is killed comes back on its port; one from the common range could be some connection's by then.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Broker:
    """One JVM, which can be stopped, killed, paused and started again on the same port and data."""

    def __init__(self, home: Path, node_id: int, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self.node_id = node_id
        self._home = home
        self._settings = home / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None

    def format(self, settings: str, java: list[str], options: Sequence[str] = ()) -> None:
        """Write the settings and prepare the data directory."""
        self._java = java
        self._home.mkdir(parents=True)
        self._settings.write_text(settings)
        command = [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._settings), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        if done.returncode != 0:
            raise KafkaMissing(f"the broker's data directory cannot be made: {(done.stderr or done.stdout)[-300:]}")

    def start(self) -> None:
        """Start the JVM; KafkaCluster.wait says when it serves."""
        with (self._home / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self._settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home,
            )

    def stop(self) -> None:
        """End it in order (SIGTERM)."""
        self._signal(signal.SIGTERM)
        self._reap(STOP_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._signal(signal.SIGKILL)
        self._reap(STOP_S)

    def pause(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End the pause."""
        self._signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        """Whether the JVM lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int | None:
        """The JVM's, if it was started."""
        return None if self._process is None else self._process.pid

    def last_words(self) -> str:
        """The end of its log."""
        log = self._home / "broker.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _reap(self, seconds: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class KafkaCluster:
    """One broker, or three with every topic on all of them (min.insync.replicas 2). A context manager.

    `advertised` are the ports that clients are sent to instead of the brokers' own (a proxy's). `listeners` are further
    listeners by protocol (SSL, SASL_SSL, SASL_PLAINTEXT) with their ports, `more` further lines of the settings, and
    `formatting` further options of the storage tool. The last three are for one broker.
    """

    def __init__(
        self,
        brokers: int = 1,
        port: int | None = None,
        *,
        advertised: Sequence[int] = (),
        listeners: Mapping[str, int] | None = None,
        more: Sequence[str] = (),
        formatting: Sequence[str] = (),
    ) -> None:
        self._directory: Path | None = None
        self.ports = [port if port is not None and n == 0 else free_port() for n in range(brokers)]
        self._direct = [free_port() for _ in self.ports]
        self._advertised = list(advertised) or self.ports
        self._listeners = "".join(f",{name}://127.0.0.1:{at}" for name, at in (listeners or {}).items())
        self._more = "\n".join(more)
        self._formatting = list(formatting)
        self.brokers: list[Broker] = []

    @property
    def bootstrap(self) -> str:
        """host:port,host:port,..."""
        return ",".join(f"127.0.0.1:{port}" for port in self._advertised)

    @property
    def direct(self) -> str:
        """The addresses at which no proxy stands between."""
        return ",".join(f"127.0.0.1:{port}" for port in self._direct)

    def start(self) -> "KafkaCluster":
        """Start all brokers and wait until they serve. Raises KafkaMissing."""
        java = ["java", *JVM, *LOGGING, "-cp", classpath()]
        self._directory = Path(tempfile.mkdtemp(prefix="tieup-kafka-"))
        try:
            for broker, settings in self._planned(self._directory):
                broker.format(settings, java, self._formatting)
                self.brokers.append(broker)
            for broker in self.brokers:
                broker.start()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _planned(self, directory: Path) -> list[tuple[Broker, str]]:
        count = len(self.ports)
        controllers = [free_port() for _ in self.ports]
        voters = ",".join(f"{n + 1}@127.0.0.1:{port}" for n, port in enumerate(controllers))
        template = string.Template((HOME / "server.properties").read_text())
        planned = []
        for n, port in enumerate(self.ports):
            home = directory / f"broker-{n + 1}"
            settings = template.substitute(
                node_id=n + 1,
                voters=voters,
                port=port,
                advertised_port=self._advertised[n],
                direct_port=self._direct[n],
                controller_port=controllers[n],
                listeners=self._listeners,
                more=self._more,
                log_dir=home / "data",
                replicas=count,
                min_insync=min(count, 2),
                # a lone controller is gone before it could agree to its own orderly leave
                controlled_shutdown=str(count > 1).lower(),
            )
            planned.append((Broker(home, n + 1, self._direct[n]), settings))
        return planned

    def wait(self, seconds: float = START_S) -> None:
        """Wait until every broker that runs is known to the others. Raises KafkaMissing."""
        wanted = {broker.node_id for broker in self.brokers if broker.running}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for broker in self.brokers:
                if broker.node_id in wanted and not broker.running:
                    raise KafkaMissing(f"the broker ended: {broker.last_words()}")
            if wanted <= self._known():
                return
            time.sleep(0.1)
        raise KafkaMissing(f"no Kafka within {seconds:.0f} s: {self.brokers[0].last_words()}")

    def _known(self) -> set[int]:
        for broker in self.brokers:
            if broker.running and _listens(broker.address):
                admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
                with contextlib.suppress(KafkaException):
                    return set(admin.list_topics(timeout=5).brokers)
        return set()

    def stop(self) -> None:
        """Kill all brokers and remove their data."""
        for broker in self.brokers:
            broker.kill()
        self.brokers = []
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def __enter__(self) -> "KafkaCluster":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _listens(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def main() -> int:
    """Run a Kafka on loopback until Ctrl-C; print its address."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka_broker", description=main.__doc__)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--port", type=int, default=9092, help="the first broker's port; 0 takes a free one")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with KafkaCluster(options.brokers, options.port or None) as cluster:
            print(f"kafka://{cluster.bootstrap}", flush=True)
            print("Ctrl-C ends it and removes its data.", file=sys.stderr, flush=True)
            while all(broker.running for broker in cluster.brokers):
                time.sleep(0.5)
            print(f"the broker ended: {cluster.brokers[0].last_words()}", file=sys.stderr)
    except KafkaMissing as missing:
        print(f"no Kafka: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
