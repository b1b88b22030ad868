"""The link to a real broker that asks who is there: SASL PLAIN and SCRAM, TLS with client certificates, ACLs."""

import asyncio
import contextlib
import ipaddress
import tomllib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.conftest import start_cluster
from tests.contract.reading import at, drain, record, values
from tests.kafka_broker import HOME, free_port
from tests.sagas import saga_records
from tests.service import environment, tieup

from tieup.bootstrap import WORKERS, utc_now, worker_specs
from tieup.config import load_settings
from tieup.errors import LogError, SettingsError, TieupError
from tieup.log.base import TaskId, TopicPartition
from tieup.log.kafka import KafkaBounds, KafkaLog, KafkaSecurity
from tieup.log.topics import ARTICLES, BY_NAME, CATALOGUE, DEAD_LETTERS, EVENTS, RELATIONS, Topic

pytestmark = pytest.mark.kafka

PASSWORD = "correct horse"  # of a broker that lives as long as these tests
QUICK = KafkaBounds(connect_s=4, commit_s=3, request_s=4, transaction_s=6, stop_s=0.5)
USERS = ("admin", "fetch", "extract", "story", "match", "deliver")


class Authority:
    """A certificate authority of this test run, and the files that it signs (PEM)."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._builder(self.name, self.key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.ca_file = folder / f"{name}.pem"
        self.ca_file.write_bytes(_pem(own.sign(self.key, hashes.SHA256())))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def signs(self, name: str) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 under that name, and its key; the key's file holds both."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = self._builder(subject, key).add_extension(names, False).sign(self.key, hashes.SHA256())
        cert_file, key_file = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        cert_file.write_bytes(_pem(certificate))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key_file.write_bytes(private + _pem(certificate))
        return cert_file, key_file


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Secured:
    """The broker and its listeners."""

    def __init__(self, cluster, authority, listeners):
        self.cluster, self.authority, self.listeners = cluster, authority, listeners

    def url(self, listener):
        return f"kafka://127.0.0.1:{self.listeners[listener]}"


@pytest.fixture(scope="module")
def secured(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    authority = Authority(folder, "authority")
    _, key_file = authority.signs("broker")
    listeners = {name: free_port() for name in ("SSL", "SASL_SSL", "SASL_PLAINTEXT")}
    plain = " ".join(f'user_{name}="{PASSWORD}"' for name in USERS)
    module = f"org.apache.kafka.common.security.plain.PlainLoginModule required {plain};"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    mechanisms = ("SCRAM-SHA-256", "SCRAM-SHA-512")
    more = [
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={key_file}",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={authority.ca_file}",
        "listener.name.ssl.ssl.client.auth=required",
        "listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.sasl_plaintext.sasl.enabled.mechanisms=PLAIN",
        f"listener.name.sasl_ssl.plain.sasl.jaas.config={module}",
        f"listener.name.sasl_plaintext.plain.sasl.jaas.config={module}",
        *(f"listener.name.sasl_ssl.{one.lower()}.sasl.jaas.config={scram}" for one in mechanisms),
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:ANONYMOUS;User:admin;User:CN=admin",
    ]
    formatting = [part for one in mechanisms for part in ("--add-scram", f"{one}=[name=admin,password={PASSWORD}]")]
    cluster = start_cluster(request.config, 1, listeners=listeners, more=more, formatting=formatting)
    yield Secured(cluster, authority, listeners)
    cluster.stop()


async def round_trip(url, security):
    topic = Topic(f"secured.{uuid.uuid4().hex}.v1", single=True)
    async with await KafkaLog.open(url, security=security, bounds=QUICK) as log:
        await log.create([topic])
        hold = await log.open_task(TaskId(uuid.uuid4().hex, "w", 0))
        await hold.commit([record(topic, b"k", b"v")], {at(topic): 1})
        assert values(await drain(log, [at(topic)])) == [b"v"]
        assert await hold.committed([at(topic)]) == {at(topic): 1}


def login(mechanism="PLAIN", username="admin", password=PASSWORD, **more):
    return KafkaSecurity(mechanism=mechanism, username=username, password=password, **more)


async def test_a_password_without_tls(secured):
    await round_trip(secured.url("SASL_PLAINTEXT"), login())


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_password_over_tls(secured, mechanism):
    await round_trip(secured.url("SASL_SSL"), login(mechanism, tls=True, ca_file=secured.authority.ca_file))


async def test_a_client_certificate(secured):
    cert_file, key_file = secured.authority.signs("admin")
    own = {"cert_file": cert_file, "key_file": key_file}
    await round_trip(secured.url("SSL"), KafkaSecurity(tls=True, ca_file=secured.authority.ca_file, **own))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_wrong_password_is_refused_in_one_line_that_does_not_hold_it(secured, mechanism):
    security = login(mechanism, password="wrong pony", tls=True, ca_file=secured.authority.ca_file)
    with pytest.raises(LogError) as caught:
        await KafkaLog.open(secured.url("SASL_SSL"), security=security, bounds=QUICK)
    said = str(caught.value)
    assert secured.url("SASL_SSL") in said
    assert "\n" not in said
    assert "wrong pony" not in said


async def test_without_a_certificate_or_with_a_strangers_the_broker_refuses(secured, tmp_path):
    cert_file, key_file = Authority(tmp_path, "stranger").signs("admin")
    for own in ({}, {"cert_file": cert_file, "key_file": key_file}):
        security = KafkaSecurity(tls=True, ca_file=secured.authority.ca_file, **own)
        with pytest.raises(LogError):
            await KafkaLog.open(secured.url("SSL"), security=security, bounds=QUICK)


async def test_a_broker_that_a_stranger_vouches_for_is_not_spoken_to(secured, tmp_path):
    security = login(tls=True, ca_file=Authority(tmp_path, "stranger").ca_file)
    with pytest.raises(LogError):
        await KafkaLog.open(secured.url("SASL_SSL"), security=security, bounds=QUICK)


def test_a_certificate_that_cannot_be_read_is_a_wrong_setting(tmp_path):
    with pytest.raises(SettingsError, match="missing"):
        KafkaSecurity(tls=True, ca_file=tmp_path / "missing.pem").options()


def granted():
    return tomllib.loads((HOME / "acls.toml").read_text())


def test_the_acls_are_what_the_workers_read_and_write():
    wanted = {}
    for spec in worker_specs(load_settings({}), (), utc_now):
        read = {*spec.streams, *spec.tables, *spec.global_tables, *spec.state}
        wanted[spec.name] = {"read": read, "write": {*spec.out, *spec.state, DEAD_LETTERS}}
    found = {name: {what: set(topics) for what, topics in one.items()} for name, one in granted().items()}
    assert {name: found.get(name) for name in wanted} == wanted


def bindings(user):
    group, rights = f"tieup-{user}", granted()[user]

    def allow(kind, name, pattern, operation):
        return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)

    literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
    return [
        allow(ResourceType.TOPIC, "tieup.", prefixed, AclOperation.DESCRIBE),
        allow(ResourceType.GROUP, group, literal, AclOperation.READ),
        allow(ResourceType.TRANSACTIONAL_ID, f"{group}-", prefixed, AclOperation.WRITE),
        allow(ResourceType.TRANSACTIONAL_ID, f"{group}-", prefixed, AclOperation.DESCRIBE),
        *(allow(ResourceType.TOPIC, topic, literal, AclOperation.READ) for topic in rights["read"]),
        *(allow(ResourceType.TOPIC, topic, literal, AclOperation.WRITE) for topic in rights["write"]),
    ]


async def test_the_broker_allows_every_worker_its_own_topics_and_no_others(secured):
    admin = AdminClient({"bootstrap.servers": secured.cluster.direct})
    for done in admin.create_acls([binding for user in granted() for binding in bindings(user)]).values():
        done.result(10)
    async with await KafkaLog.open(secured.url("SASL_PLAINTEXT"), security=login(), partitions=1) as log:
        await log.create(CATALOGUE)
    for user, rights in granted().items():
        allowed = await asyncio.to_thread(allowed_to, secured, user)
        assert allowed == {"read": set(rights["read"]), "write": set(rights["write"])}, user


def allowed_to(secured, user):
    """What the broker itself says that this user may do."""
    link = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "PLAIN"}
    admin = AdminClient(
        {
            "bootstrap.servers": f"127.0.0.1:{secured.listeners['SASL_PLAINTEXT']}",
            **link,
            "sasl.username": user,
            "sasl.password": PASSWORD,
        }
    )
    topics = TopicCollection([topic.name for topic in CATALOGUE])
    answers = admin.describe_topics(topics, include_authorized_operations=True)
    operations = {topic: set(answer.result(20).authorized_operations) for topic, answer in answers.items()}
    return {
        name: {topic for topic, found in operations.items() if operation in found}
        for name, operation in (("read", AclOperation.READ), ("write", AclOperation.WRITE))
    }


@pytest.mark.slow
async def test_each_worker_does_its_own_work_and_nothing_else(secured, tmp_path):
    admin = AdminClient({"bootstrap.servers": secured.cluster.direct})
    wanted = [binding for user in WORKERS for binding in bindings(user)]
    for done in admin.create_acls(wanted).values():
        done.result(10)
    async with await KafkaLog.open(secured.url("SASL_PLAINTEXT"), security=login(), partitions=1) as log:
        await log.create(CATALOGUE)
        await log.append(saga_records(8))
        for user in WORKERS:
            env = environment(
                log=secured.url("SASL_PLAINTEXT"),
                partitions="1",
                kafka_security_protocol="SASL_PLAINTEXT",
                kafka_sasl_username=user,
                kafka_sasl_password=PASSWORD,
            )
            done = await asyncio.to_thread(tieup, ["run", user, "--once"], env, tmp_path)
            assert done.returncode == 0, done.stderr
            assert PASSWORD not in done.stderr
        assert await drain(log, [at(BY_NAME[RELATIONS])])
        assert await drain(log, [at(BY_NAME[EVENTS])])
    async with await KafkaLog.open(
        secured.url("SASL_PLAINTEXT"), security=login(username="extract"), bounds=QUICK
    ) as log:
        await refused(log.open_task(TaskId("tieup-story", "story", 0)))
        own = await log.open_task(TaskId("tieup-extract", "extract", 0))
        await refused(own.commit([record(BY_NAME[EVENTS], b"k", b"{}")], {TopicPartition(ARTICLES, 0): 1}))
        reader = await log.reader({at(BY_NAME[EVENTS]): 0})
        await refused(reader.poll(1, 3.0))
        await reader.close()


async def refused(work):
    with pytest.raises(TieupError) as caught:
        async with asyncio.timeout(20):
            await work
    assert "\n" not in str(caught.value)
    with contextlib.suppress(AttributeError):
        assert "AuthorizationFailed" in str(caught.value) or "refused" in str(caught.value), caught.value
