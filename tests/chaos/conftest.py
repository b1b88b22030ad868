"""A one-broker Kafka behind a proxy, for the tests of this folder."""

import pytest

from tests.chaos.proxy import Proxy
from tests.conftest import start_cluster
from tests.kafka_broker import free_port


class Proxied:
    """The cluster and the proxy that its clients are sent to."""

    def __init__(self, cluster, proxy):
        self.cluster, self.proxy = cluster, proxy


@pytest.fixture(scope="package")
def proxied_kafka(request):
    """A one-broker KafkaCluster whose clients are sent to a proxy."""
    back = free_port()
    cluster = start_cluster(request.config, 1, advertised=[back])
    with Proxy(cluster.ports[0], back) as proxy:
        yield Proxied(cluster, proxy)
    cluster.stop()
