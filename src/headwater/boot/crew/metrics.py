"""The metrics of all processes, whichever of them is asked."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from typing_extensions import override

from headwater.kernel.observe import MetricsListener

LABEL = "process"
_PATIENCE = 1.0
_NAME = "metrics-{}.sock"


class CrewMetrics(MetricsListener):
    """Renders the metrics of every process of a crew, each sample with the `process` it is of.

    They ask each other over unix sockets in their meeting place, at the moment of a scrape. One that does not answer
    within a second is left out: its counters go on at the next scrape.
    """

    def __init__(self, meeting_place: Path, number: int) -> None:
        super().__init__()
        self._place = meeting_place
        self._number = number

    @override
    async def scrape(self) -> bytes:
        names = sorted(path for path in self._place.glob(_NAME.format("*")) if path != self._socket(self._number))
        told = await asyncio.gather(*map(_ask, names))
        rendered = {str(self._number): self.render().decode()}
        rendered |= {_number_in(path): text for path, text in zip(names, told, strict=True) if text is not None}
        return generate_latest(_Joined(merged(rendered)))

    @asynccontextmanager
    async def told(self) -> AsyncGenerator[None]:
        """Tell the others when they ask, for the length of a block."""
        socket = self._socket(self._number)
        self._place.mkdir(mode=0o700, exist_ok=True)
        socket.unlink(missing_ok=True)  # of an earlier process with this number, which was killed
        server = await asyncio.start_unix_server(self._tell, socket)
        try:
            yield
        finally:
            server.close()
            socket.unlink(missing_ok=True)
            with suppress(OSError):
                self._place.rmdir()  # the last one, if whoever made it was killed

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.render())
        writer.close()

    def _socket(self, number: int) -> Path:
        return self._place / _NAME.format(number)


def merged(rendered: Mapping[str, str]) -> Iterable[Metric]:
    """The families of several texts in Prometheus' format, each sample labelled with the name of its text."""
    families: dict[str, Metric] = {}
    for name, text in rendered.items():
        for family in text_string_to_metric_families(text):
            joined = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                joined.add_sample(sample.name, {**sample.labels, LABEL: name}, sample.value)
    return families.values()


class _Joined(NamedTuple):
    """Something to scrape."""

    families: Iterable[Metric]

    def collect(self) -> Iterator[Metric]:
        """What there is."""
        return iter(self.families)


async def _ask(socket: Path) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                return (await reader.read()).decode()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None


def _number_in(path: Path) -> str:
    return path.stem.rpartition("-")[2]
