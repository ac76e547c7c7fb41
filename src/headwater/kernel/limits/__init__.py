"""How often is too often."""

from headwater.kernel.limits.gcra import Allowance, Limit, Limiter, MemoryLimiter

__all__ = ["Allowance", "Limit", "Limiter", "MemoryLimiter"]
