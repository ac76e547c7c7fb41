"""What stands around each statement of several in one transaction."""

BEGIN_STEP = (
    "savepoint step; set local search_path to default; set local timezone to default; "
    "set local statement_timeout to default; "
    "select set_config('response.status', '', true), set_config('response.headers', '', true)"
)
"""What the statement before has set for the transaction's length holds no longer."""
KEEP_STEP = "release savepoint step"
FORGET_STEP = "rollback to savepoint step; release savepoint step"
"""Ends a step that only reads: that the transaction became read only ends with it."""
