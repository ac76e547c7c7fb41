"""Observations as Prometheus metrics."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from headwater.kernel.observe.components import ComponentObservation, MetricOf
from headwater.kernel.observe.observations import (
    BackupFailed,
    BackupMade,
    CatalogLoaded,
    ConnectionClosed,
    ConnectionOpened,
    ConsumerFailed,
    DatabaseLost,
    DatabaseReturned,
    EventConsumed,
    JobFailed,
    JobFinished,
    JobsCounted,
    MailFailed,
    MailSent,
    MessageAnswered,
    Observation,
    OutboundAnswered,
    OutboundFailed,
    RedisLost,
    RedisReturned,
    RequestAnswered,
    SocketClosed,
    SocketOpened,
    TransactionRetried,
    WorkerGivenUp,
)
from headwater.kernel.observe.tending import CacheAlertEnded, CacheAlertRaised, CacheTended, CacheWarmed

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class _Requests(Collector):
    """Times of requests and of their stages, counted in plain lists: the library's own cost 10 µs a request."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], list[int]] = {}
        self._sums: dict[tuple[str, str, int], float] = {}
        self._stages: dict[str, list[float]] = {}

    def count(self, answered: RequestAnswered) -> None:
        """Take in one answer."""
        key = (answered.method, answered.route, answered.status)
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = [0] * (len(_BUCKETS) + 1)
            self._sums[key] = 0.0
        counts[bisect_left(_BUCKETS, answered.seconds)] += 1
        self._sums[key] += answered.seconds
        for stage, seconds in answered.stages:
            sums = self._stages.get(stage)
            if sums is None:
                sums = self._stages[stage] = [0, 0.0]
            sums[0] += 1
            sums[1] += seconds

    @override
    def collect(self) -> Iterator[Metric]:
        """Both families, for a scrape."""
        requests = HistogramMetricFamily(
            "headwater_request_seconds", "Time to answer", labels=("method", "route", "status")
        )
        bounds = [*map(str, _BUCKETS), "+Inf"]
        for (method, route, status), counts in self._counts.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            requests.add_metric((method, route, str(status)), buckets, self._sums[method, route, status])
        yield requests
        stages = SummaryMetricFamily("headwater_stage_seconds", "Time in a stage", labels=("stage",))
        for stage, (count, seconds) in self._stages.items():
            stages.add_metric((stage,), int(count), seconds)
        yield stages


class _Queue(Collector):
    """The latest count of jobs and timers."""

    def __init__(self) -> None:
        self.counted = JobsCounted((), ())

    @override
    def collect(self) -> Iterator[Metric]:
        """Depth, age and failures by job, and how late each timer is, for a scrape."""
        depth = GaugeMetricFamily("headwater_jobs", "Jobs by state", labels=("job", "state"))
        oldest = GaugeMetricFamily(
            "headwater_job_oldest_seconds", "For how long the longest queued job could have run", labels=("job",)
        )
        for count in self.counted.jobs:
            states = (("queued", count.queued), ("waiting", count.waiting), ("running", count.running))
            for state, rows in (*states, ("failed", count.failed)):
                depth.add_metric((count.job, state), rows)
            oldest.add_metric((count.job,), count.oldest)
        lag = GaugeMetricFamily("headwater_timer_lag_seconds", "How late a timer is", labels=("timer",))
        for timer, seconds in self.counted.timer_lags:
            lag.add_metric((timer,), seconds)
        yield from (depth, oldest, lag)


class MetricsListener:
    """Counts observations in a registry of its own and renders them for a scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = _Requests()
        self.registry.register(self._requests)
        self._refusals = self._counter("headwater_refusals", "Refusals by code", "code")
        self._retries = self._counter("headwater_transaction_retries", "Transactions tried again", "reason")
        self._sockets = Gauge("headwater_sockets", "Open sockets", ["path"], registry=self.registry)
        self._closings = self._counter("headwater_sockets_closed", "Sockets closed, by why", "reason")
        self._message_times: dict[str, Histogram] = {}
        self._messages = Histogram(
            "headwater_message_seconds",
            "Time of a socket's message",
            ["message"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._connections = Gauge("headwater_connections", "Open connections", ["login"], registry=self.registry)
        self._jobs = Histogram(
            "headwater_job_seconds", "Time of a job's attempt", ["job"], buckets=_BUCKETS, registry=self.registry
        )
        self._job_failures = self._counter("headwater_job_failures", "Failed attempts", "job", "final")
        self._queue = _Queue()
        self.registry.register(self._queue)
        self._given_up = self._counter("headwater_workers_given_up", "Workers that were silent for too long")
        self._events = self._counter("headwater_events_consumed", "Durable events taken in", "consumer")
        self._event_failures = self._counter("headwater_consumer_failures", "Failures of a consumer", "consumer")
        self._outbound = self._counter("headwater_outbound_calls", "Requests to others", "outcome")
        self._mail = self._counter("headwater_mail", "Letters, by what became of them", "route", "outcome")
        self._brought: dict[type[ComponentObservation], list[tuple[MetricOf, Gauge | Counter]]] = {}
        self._backups = self._counter("headwater_backups", "Backups the house made of itself", "outcome")
        self._backup_size = Gauge("headwater_backup_bytes", "Size of the latest backup", registry=self.registry)
        self._catalog = Gauge("headwater_catalog_version", "Version of the catalog", registry=self.registry)
        self._away = self._gauge("headwater_away", "Whether Postgres or Redis is away from a part", "what", "part")
        self._cache_alerts = self._gauge("headwater_cache_alert", "Whether an alert is on", "alert", "family")
        self._cache_reactions = self._counter("headwater_cache_reactions", "What alerts made us do", "reaction")
        self._warmed = self._gauge("headwater_cache_warmed_items", "What the latest warming loaded")
        self._warming = self._gauge("headwater_cache_warming_seconds", "How long the latest warming took")
        self._warming_failures = self._counter("headwater_cache_warming_failures", "Parts that could not be warmed")

    def __call__(self, observation: Observation) -> None:
        """Count it where it counts."""
        match observation:
            case RequestAnswered(code=code):
                self._requests.count(observation)
                if code is not None:
                    self._refusals.labels(code).inc()
            case MessageAnswered() | SocketOpened() | SocketClosed():
                self._count_sockets(observation)
            case TransactionRetried(reason=reason):
                self._retries.labels(reason).inc()
            case ConnectionOpened(login=login):
                self._connections.labels(login).inc()
            case ConnectionClosed(login=login):
                self._connections.labels(login).dec()
            case CatalogLoaded(version=version):
                self._catalog.set(version)
            case _:
                self._count_jobs(observation)

    def _count_sockets(self, observation: MessageAnswered | SocketOpened | SocketClosed) -> None:
        match observation:
            case MessageAnswered(message=message, seconds=seconds, code=code):
                self._time_of(message).observe(seconds)
                if code is not None:
                    self._refusals.labels(code).inc()
            case SocketOpened(path=path):
                self._sockets.labels(path).inc()
            case SocketClosed(path=path, reason=reason):
                self._sockets.labels(path).dec()
                self._closings.labels(reason).inc()

    def _time_of(self, message: str) -> Histogram:
        """Where a message's time is counted; kept, because finding it takes longer than counting."""
        time = self._message_times.get(message)
        if time is None:
            time = self._message_times[message] = self._messages.labels(message)
        return time

    def _count_jobs(self, observation: Observation) -> None:
        match observation:
            case JobFinished(job=job, seconds=seconds):
                self._jobs.labels(job).observe(seconds)
            case JobFailed(job=job, final=final):
                self._job_failures.labels(job, str(final).lower()).inc()
            case JobsCounted():
                self._queue.counted = observation
            case WorkerGivenUp():
                self._given_up.inc()
            case _:
                self._count_others(observation)

    def _count_others(self, observation: Observation) -> None:
        match observation:
            case EventConsumed(consumer=consumer, count=count):
                self._events.labels(consumer).inc(count)
            case ConsumerFailed(consumer=consumer):
                self._event_failures.labels(consumer).inc()
            case OutboundAnswered(status=status):
                self._outbound.labels(str(status)).inc()
            case OutboundFailed(reason=reason):
                self._outbound.labels(reason).inc()
            case MailSent(route=route):
                self._mail.labels(route, "sent").inc()
            case MailFailed(route=route):
                self._mail.labels(route, "failed").inc()
            case BackupMade(size=size):
                self._backups.labels("made").inc()
                self._backup_size.set(size)
            case BackupFailed():
                self._backups.labels("failed").inc()
            case _:
                self._count_caches(observation)

    def _count_caches(self, observation: Observation) -> None:
        match observation:
            case CacheAlertRaised(alert=alert, family=family):
                self._cache_alerts.labels(alert, family).set(1)
            case CacheAlertEnded(alert=alert, family=family):
                self._cache_alerts.labels(alert, family).set(0)
            case CacheTended(reaction=reaction):
                self._cache_reactions.labels(reaction).inc()
            case CacheWarmed(items=items, seconds=seconds, failed=failed):
                self._warmed.set(items)
                self._warming.set(seconds)
                self._warming_failures.inc(len(failed))
            case _:
                self._count_absences(observation)

    def _count_absences(self, observation: Observation) -> None:
        match observation:
            case DatabaseLost(part=part):
                self._away.labels("postgres", part).set(1)
            case DatabaseReturned(part=part):
                self._away.labels("postgres", part).set(0)
            case RedisLost(part=part):
                self._away.labels("redis", part).set(1)
            case RedisReturned(part=part):
                self._away.labels("redis", part).set(0)
            case ComponentObservation():
                self._count_brought(observation)
            case _:
                pass

    def bring(self, kinds: Iterable[type[ComponentObservation]]) -> None:
        """From now on tell the metrics of what components observe; raises `ValueError` for a name that is taken."""
        for kind in set(kinds) - self._brought.keys():
            made = {"gauge": self._gauge, "counter": self._counter}
            self._brought[kind] = [
                (metric, made[metric.kind](f"headwater_{metric.name}", metric.text, *metric.labels))
                for metric in kind.metrics
            ]

    def _count_brought(self, observation: ComponentObservation) -> None:
        for metric, counted in self._brought.get(type(observation), ()):
            labels = [str(getattr(observation, label)) for label in metric.labels]
            child = counted.labels(*labels) if labels else counted
            value: float = getattr(observation, metric.value)
            if isinstance(child, Gauge):
                child.set(value)
            else:
                child.inc(value)

    def render(self) -> bytes:
        """Every metric of this process in Prometheus' text format."""
        return generate_latest(self.registry)

    async def scrape(self) -> bytes:
        """What a scrape is answered: the metrics of this process, or of all that answer at its address."""
        return self.render()

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)
