"""What a running tieup counts, for Prometheus. Names follow its conventions: unit as suffix, `_total` on counters."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LOOP_LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
COMMIT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0)


class Metrics:
    """Every metric of a process, on one registry that is passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.records_in = Counter("tieup_records_in_total", "Records processed", ["worker", "topic"], registry=registry)
        self.records_out = Counter(
            "tieup_records_out_total", "Records appended", ["worker", "topic"], registry=registry
        )
        self.dead_letters = Counter(
            "tieup_dead_letters_total", "Inputs put to the dead letters", ["worker"], registry=registry
        )
        self.bad_table_records = Counter(
            "tieup_bad_table_records_total", "Table records passed over", ["worker", "topic"], registry=registry
        )
        self.records_gone = Counter(
            "tieup_records_gone_total", "Records that retention removed unread", ["worker", "topic"], registry=registry
        )
        self.commits = Histogram(
            "tieup_commit_seconds", "Time of one transaction", ["worker"], buckets=COMMIT_BUCKETS_S, registry=registry
        )
        self.task_failures = Counter(
            "tieup_task_failures_total", "Tasks that ended by an error", ["worker", "error"], registry=registry
        )
        self.lag = Gauge("tieup_lag_records", "Records still to read", ["worker", "partition"], registry=registry)
        self.tasks = Gauge("tieup_tasks_running", "Tasks past their restore", ["worker"], registry=registry)
        self.acts_in_flight = Gauge(
            "tieup_acts_in_flight", "Acts under way outside", ["worker", "partition"], registry=registry
        )
        self.outcomes_waiting = Gauge(
            "tieup_outcomes_waiting", "Outcomes of acts not yet taken in", ["worker", "partition"], registry=registry
        )
        self.restore = Gauge(
            "tieup_restore_seconds", "Time of a task's last restore", ["worker", "partition"], registry=registry
        )
        self.loop_lag = Histogram(
            "tieup_event_loop_lag_seconds", "Timers behind their time", buckets=LOOP_LAG_BUCKETS_S, registry=registry
        )
