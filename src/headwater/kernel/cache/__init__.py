"""What was worked out once and holds for a while: memory of this process over Redis, with one loader for each key."""

from headwater.kernel.cache.cache import Cache
from headwater.kernel.cache.family import CacheFamily
from headwater.kernel.cache.models import MISSING, CacheSettings, Missing

__all__ = ["MISSING", "Cache", "CacheFamily", "CacheSettings", "Missing"]
