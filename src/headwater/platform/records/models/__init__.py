"""The values of the records dialect: what is asked, what is meant, what is run."""

from headwater.platform.records.models.asked import (
    Aggregate,
    Asked,
    Column,
    Condition,
    Embed,
    Field,
    Logic,
    Ordered,
    OrderTerm,
    PathStep,
    ResourcePath,
    Scoped,
    SelectItem,
    Star,
)
from headwater.platform.records.models.planned import (
    Comparison,
    Conflict,
    Expression,
    Filter,
    Junction,
    Ordering,
    Output,
    Plan,
    Source,
    Writing,
    Written,
)
from headwater.platform.records.models.preferences import (
    MediaType,
    Preferences,
)
from headwater.platform.records.models.settings import (
    RecordsSettings,
)
from headwater.platform.records.models.shape import EVERYTHING, Parameter, Shape, Window
from headwater.platform.records.models.statement import (
    COUNTED,
    Outcome,
    Prepared,
    Statement,
)

__all__ = [
    "COUNTED",
    "EVERYTHING",
    "Aggregate",
    "Asked",
    "Column",
    "Comparison",
    "Condition",
    "Conflict",
    "Embed",
    "Expression",
    "Field",
    "Filter",
    "Junction",
    "Logic",
    "MediaType",
    "OrderTerm",
    "Ordered",
    "Ordering",
    "Outcome",
    "Output",
    "Parameter",
    "PathStep",
    "Plan",
    "Preferences",
    "Prepared",
    "RecordsSettings",
    "ResourcePath",
    "Scoped",
    "SelectItem",
    "Shape",
    "Source",
    "Star",
    "Statement",
    "Window",
    "Writing",
    "Written",
]
