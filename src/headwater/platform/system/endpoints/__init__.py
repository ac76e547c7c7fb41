"""The endpoints by which the system tells of itself, and those of its jobs."""

from headwater.platform.system.endpoints.jobs import JOB_ENDPOINTS
from headwater.platform.system.endpoints.system import SYSTEM_ENDPOINTS, tell_health, tell_readiness

ENDPOINTS = (*SYSTEM_ENDPOINTS, *JOB_ENDPOINTS)

__all__ = ["ENDPOINTS", "tell_health", "tell_readiness"]
