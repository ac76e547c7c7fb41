"""The verbs of rows over HTTP."""

from headwater.platform.records.operations.asking import PLATFORM_MOUNT
from headwater.platform.records.operations.batches import Batches
from headwater.platform.records.operations.descriptions import Descriptions
from headwater.platform.records.operations.records import Records

__all__ = ["PLATFORM_MOUNT", "Batches", "Descriptions", "Records"]
