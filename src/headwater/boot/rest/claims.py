"""Where in a token's claims the role stands."""

import re
from typing import cast

from headwater.boot.errors import InvalidSetting

_STEP = re.compile(
    r"""\.(?P<name>[\w$@-]+) | \.?"(?P<quoted>[^"]+)" | \[(?P<index>\d+)\] | \[(?P<mark>['"])(?P<key>.+?)(?P=mark)\]""",
    re.VERBOSE,
)
Step = str | int


def read_path(text: str) -> tuple[Step, ...]:
    """The steps of a path such as `.role`, `.app."https://x".roles[0]` or `$.role` (RFC 9535, without filters).

    Raises `InvalidSetting`.
    """
    rest = text.strip().removeprefix("$")
    steps: list[Step] = []
    place = 0
    while place < len(rest):
        found = _STEP.match(rest, place)
        if found is None:
            break
        index = found["index"]
        steps.append(int(index) if index is not None else found["name"] or found["quoted"] or found["key"])
        place = found.end()
    if not steps or place < len(rest):
        raise InvalidSetting(
            name="PGRST_JWT_ROLE_CLAIM_KEY", reason="must be a path such as .role, .app.roles[0] or $.role"
        )
    return tuple(steps)


def find_text(claims: object, path: tuple[Step, ...]) -> str | None:
    """The text at the end of the path; None where there is none."""
    value = claims
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = cast("dict[str, object]", value).get(step)
        elif isinstance(step, int) and isinstance(value, list):
            several = cast("list[object]", value)
            value = several[step] if step < len(several) else None
        else:
            return None
    return value if isinstance(value, str) else None
