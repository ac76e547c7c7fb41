"""What the advisor says, and what it is silent about."""

from collections.abc import Sequence
from uuid import UUID

from headwater.platform.database.models import Advice, Suppression


def silenced_by(finding: Advice, suppressions: Sequence[Suppression]) -> UUID | None:
    """The first suppression that speaks of a finding; a table's own name counts as its table."""
    about = finding.object
    table = about.name if about.kind in {"table", "view"} else about.table
    for suppression in suppressions:
        if (
            suppression.code == finding.code
            and suppression.schema in {None, about.schema}
            and suppression.table in {None, table}
            and suppression.name in {None, about.name}
        ):
            return suppression.id
    return None
