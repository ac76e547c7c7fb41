"""Why Redis did nothing."""

from headwater.kernel.errors import Refusal


class RedisUnavailable(Refusal):
    """Redis cannot be reached just now. What was under way may have been done, or not."""

    code = "REDIS_UNAVAILABLE"
    status = 503
    sentence = "Redis is not available: try again shortly"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})
