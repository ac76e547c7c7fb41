"""What components observe: the one open kind among observations, each with metrics of its own."""

from typing import ClassVar, Literal

import msgspec


class MetricOf(msgspec.Struct, frozen=True, kw_only=True):
    """How a field of an observation is counted: the latest value is the gauge's, or the counter grows by each.

    `name` is without `headwater_` and a counter's without `_total`; `labels` are fields of the observation too.
    """

    name: str
    text: str
    kind: Literal["gauge", "counter"]
    value: str
    labels: tuple[str, ...] = ()


class ComponentObservation(msgspec.Struct, frozen=True):
    """Something that a component saw; its card names the class, so that its metrics are told from the start on."""

    metrics: ClassVar[tuple[MetricOf, ...]] = ()
