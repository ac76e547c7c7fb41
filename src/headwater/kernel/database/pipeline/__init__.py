"""Quick reads of many callers on few connections, one after the other without waiting (docs/decisions/0007)."""

from headwater.kernel.database.pipeline.pipe import Elsewhere
from headwater.kernel.database.pipeline.pool import Pipelines

__all__ = ["Elsewhere", "Pipelines"]
