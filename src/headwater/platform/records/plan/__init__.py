"""What a request means in this database."""

from headwater.platform.records.plan.relations import choose_schema, find_relation
from headwater.platform.records.plan.request import plan

__all__ = ["choose_schema", "find_relation", "plan"]
