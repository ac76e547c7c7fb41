"""How long the values of each family hold, and by how much longer than declared."""

from headwater.kernel.cache.family import AnyFamily

_STEP = 1.5


class Lifetimes:
    """A family's `ttl`, until it is lengthened in steps of a half, up to what the family allows."""

    def __init__(self) -> None:
        self._lengthened: dict[str, float] = {}

    def of(self, family: AnyFamily) -> float:
        """Seconds for which a value holds that is loaded now."""
        return self._lengthened.get(family.name, family.ttl)

    def lengthen(self, family: AnyFamily) -> float | None:
        """One step; the new lifetime, or None where the family allows no more."""
        present = self.of(family)
        longer = min(present * _STEP, family.longest_ttl)
        if longer <= present:
            return None
        self._lengthened[family.name] = longer
        return longer
