"""Addresses, security, bounds, and what aiokafka's errors mean."""

from pathlib import Path

import aiokafka.errors as kafka_errors
import pytest

from tieup.errors import Fenced, InvalidOutput, LogError, LogFull, LogUnavailable, SettingsError, TopicError
from tieup.log.kafka_client import KafkaBounds, KafkaSecurity, servers_of, translate
from tieup.log.kafka_topics import differences, settings_of
from tieup.log.topics import Topic


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("kafka://localhost:9092", ("localhost:9092",)),
        ("kafka://a.example:1,b-2:65535/", ("a.example:1", "b-2:65535")),
        ("kafka://[::1]:9092", ("[::1]:9092",)),
    ],
)
def test_an_address_names_its_servers(url, servers):
    assert servers_of(url) == servers


@pytest.mark.parametrize(
    "url", ["kafka://", "kafka://host", "kafka://host:0", "kafka://a:65536", "kafka://a:1,,b:2", "a:1", "http://a:1"]
)
def test_a_wrong_address_is_named(url):
    with pytest.raises(SettingsError) as caught:
        servers_of(url)
    assert str(caught.value).startswith(f"{url}:")


class TestSecurity:
    def test_plain_text_needs_nothing(self):
        assert KafkaSecurity().options() == {"security_protocol": "PLAINTEXT"}

    def test_sasl_and_tls_become_options(self):
        options = KafkaSecurity(tls=True, mechanism="SCRAM-SHA-512", username="u", password="p").options()
        assert options.pop("ssl_context").verify_mode.name == "CERT_REQUIRED"
        assert options == {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "u",
            "sasl_plain_password": "p",
        }

    @pytest.mark.parametrize(
        "parts",
        [
            {"mechanism": "PLAIN", "username": "u"},
            {"mechanism": "PLAIN", "password": "p"},
            {"username": "u", "password": "p"},
            {"ca_file": Path("ca.pem")},
            {"cert_file": Path("me.pem")},
        ],
    )
    def test_its_parts_must_fit_together(self, parts):
        with pytest.raises(SettingsError):
            KafkaSecurity(**parts)

    def test_a_missing_certificate_is_named(self, tmp_path):
        with pytest.raises(SettingsError, match=r"nowhere\.pem"):
            KafkaSecurity(tls=True, ca_file=tmp_path / "nowhere.pem").options()

    def test_a_password_is_never_shown(self):
        assert "secret" not in repr(KafkaSecurity(mechanism="PLAIN", username="u", password="secret"))


@pytest.mark.parametrize("bounds", [{"commit_s": 10}, {"commit_s": 12}, {"request_s": 15}, {"transaction_s": 9}])
def test_a_commit_is_shorter_than_a_request_and_that_than_a_transaction(bounds):
    with pytest.raises(SettingsError):
        KafkaBounds(**bounds)


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "meaning"),
        [
            (kafka_errors.ProducerFenced(), Fenced),
            (kafka_errors.InvalidProducerEpoch(), Fenced),
            (kafka_errors.for_code(82)(), Fenced),
            (kafka_errors.for_code(90)(), Fenced),
            (kafka_errors.MessageSizeTooLargeError(), InvalidOutput),
            (kafka_errors.UnknownTopicOrPartitionError(), TopicError),
            (kafka_errors.KafkaStorageError(), LogFull),
            (kafka_errors.TopicAuthorizationFailedError("t"), LogError),
            (kafka_errors.KafkaConnectionError("gone\naway"), LogUnavailable),
            (kafka_errors.IllegalOperation("no"), LogUnavailable),
            (TimeoutError(), LogUnavailable),
            (OSError("no route"), LogUnavailable),
        ],
    )
    def test_each_has_one_meaning_in_one_line(self, error, meaning):
        found = translate(error, "here", fencing=True)
        assert type(found) is meaning
        assert str(found).startswith("here: ")
        assert "\n" not in str(found)

    def test_the_cause_counts_where_aiokafka_wraps(self):
        error = kafka_errors.KafkaError("Unexpected error")
        error.__cause__ = kafka_errors.UnknownError()
        assert type(translate(error, "here", fencing=True)) is Fenced
        assert type(translate(error, "here")) is LogUnavailable


class TestTopicSettings:
    @pytest.mark.parametrize(
        ("topic", "policy", "retention"),
        [
            (Topic("t"), "delete", "-1"),
            (Topic("t", compact=True), "compact", "-1"),
            (Topic("t", retention_ms=5), "delete", "5"),
            (Topic("t", compact=True, retention_ms=5), "compact,delete", "5"),
        ],
    )
    def test_what_is_set_is_what_check_wants(self, topic, policy, retention):
        settings = settings_of(topic, 1, 1)
        assert (settings["cleanup.policy"], settings["retention.ms"]) == (policy, retention)
        assert differences(topic, 4, 4, settings) == ""

    def test_with_three_replicas_two_must_have_a_record(self):
        assert settings_of(Topic("t"), 3, 1)["min.insync.replicas"] == "2"
        assert "min.insync.replicas" not in settings_of(Topic("t"), 1, 1)

    def test_a_batch_fits_even_where_records_are_small(self):
        assert int(settings_of(Topic("t", max_bytes=1_000), 1, 256_000)["max.message.bytes"]) > 256_000
        assert int(settings_of(Topic("t", max_bytes=6_000_000), 1, 256_000)["max.message.bytes"]) > 6_000_000

    def test_tombstones_stay_as_long_as_tasks_count_on(self):
        settings = settings_of(Topic("t", compact=True), 1, 1)
        assert settings["delete.retention.ms"] == "86400000"
        line = differences(Topic("t", compact=True), 1, 1, {**settings, "delete.retention.ms": "1000"})
        assert line == "t: delete.retention.ms is 1000, wanted 86400000 or more"
        assert "delete.retention.ms" not in settings_of(Topic("t"), 1, 1)

    def test_differences_are_one_line(self):
        line = differences(
            Topic("t", single=True, compact=True), 4, 2, {"cleanup.policy": "delete", "retention.ms": "7"}
        )
        assert line == "t: partitions is 2, wanted 1; compact is False, wanted True; retention_ms is 7, wanted None"
