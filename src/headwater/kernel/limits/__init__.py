"""How often is too often."""

from headwater.kernel.limits.gcra import Allowance, Limit, Limiter, MemoryLimiter
from headwater.kernel.limits.shared import RedisLimiter

__all__ = ["Allowance", "Limit", "Limiter", "MemoryLimiter", "RedisLimiter"]
