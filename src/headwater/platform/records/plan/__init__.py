"""What a request means in this database."""

from headwater.platform.records.plan.call import SCALAR, find_functions, plan_call
from headwater.platform.records.plan.relations import choose_schema, find_relation
from headwater.platform.records.plan.relationships import KnownRelationships, Relationships
from headwater.platform.records.plan.request import plan
from headwater.platform.records.plan.scopes import Scope, whole_scope
from headwater.platform.records.plan.sources import Sources
from headwater.platform.records.plan.unknown import unknown_column

__all__ = [
    "SCALAR",
    "KnownRelationships",
    "Relationships",
    "Scope",
    "Sources",
    "choose_schema",
    "find_functions",
    "find_relation",
    "plan",
    "plan_call",
    "unknown_column",
    "whole_scope",
]
