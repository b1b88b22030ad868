"""What all tests share: one real Kafka, started when the first test asks for it.

Without Java, Maven or the jars the tests that need it are skipped and one loud closing line says so; with CI=true they
fail. `TIEUP_TEST_KAFKA=host:port` names a running Kafka (a throw-away one: tests leave topics behind).
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.kafka_broker import KafkaCluster, KafkaMissing, classpath

# No test is timed, on a busy machine least of all, and none leaves anything behind.
settings.register_profile("tieup", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tieup")

MISSING = pytest.StashKey[str]()
LONGEST_FIRST = ("tests/chaos", "tests/e2e", "tests/integration", "tests/contract")


def in_ci() -> bool:
    """Whether a missing Kafka is a failure."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def start_cluster(config: pytest.Config, brokers: int, **more: object) -> KafkaCluster:
    """Start a cluster, or skip the test (CI: fail it) and note the reason for the closing line."""
    if MISSING not in config.stash:  # what was missing once is not looked for again
        try:
            return KafkaCluster(brokers, **more).start()
        except KafkaMissing as missing:
            config.stash[MISSING] = str(missing)
    if in_ci():
        pytest.fail(f"no Kafka: {config.stash[MISSING]}", pytrace=False)
    pytest.skip(f"no Kafka: {config.stash[MISSING]}")


def need_kafka(config: pytest.Config) -> None:
    """Return if a Kafka can be started here; else skip the test (CI: fail it), as `start_cluster` does."""
    try:
        classpath()
    except KafkaMissing as missing:
        config.stash[MISSING] = str(missing)
        start_cluster(config, 1)


@pytest.fixture(scope="session")
def kafka(request):
    """The bootstrap address of a Kafka that all tests share."""
    running = os.environ.get("TIEUP_TEST_KAFKA")
    if running:
        yield running.removeprefix("kafka://")
        return
    cluster = start_cluster(request.config, 1)
    yield cluster.bootstrap
    cluster.stop()


@pytest.fixture(scope="module")
def own_kafka(request):
    """A one-broker KafkaCluster that the tests of one module may stop, pause and start again."""
    cluster = start_cluster(request.config, 1)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def three_kafkas(request):
    """A KafkaCluster of three brokers that the tests of one module may kill and start again."""
    cluster = start_cluster(request.config, 3)
    yield cluster
    cluster.stop()


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that all processes of tests end at about the same time; the order is random
    apart from that (pytest-randomly has shuffled before)."""
    items.sort(
        key=lambda item: next((n for n, part in enumerate(LONGEST_FIRST) if part in item.nodeid), len(LONGEST_FIRST))
    )


def pytest_sessionfinish(session):
    """Hand what was missing to the process that prints (pytest-xdist), if this one does not print itself."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = session.config.stash.get(MISSING, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a process of tests found missing."""
    missing = getattr(node, "workeroutput", {}).get("missing")
    if missing:
        node.config.stash[MISSING] = missing


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter, config):
    """Say loudly, after all else, that Kafka was not tested."""
    result = yield
    if MISSING in config.stash:
        word = "FAILED" if in_ci() else "SKIPPED"
        line = f"KAFKA TESTS {word}, the Kafka log is NOT tested: {config.stash[MISSING]}"
        terminalreporter.write_line(line.replace("\n", " "), red=True, bold=True)
    return result
