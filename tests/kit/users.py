"""Two users who have signed up, for tests of what belongs to whom."""

from uuid import uuid4

import pytest

from headwater.kernel.database import Database
from headwater.kernel.principal import Principal, principal_from_claims

ADD_USER = "insert into auth.users (id, email, created_at) values ($1, $2, $3)"


async def add_user(database: Database, email: str) -> Principal:
    """A row of `auth.users`, and the principal that the user's token stands for."""
    user_id = uuid4()
    await database.writing(lambda tx: tx.execute(ADD_USER, user_id, email, tx.now))
    return principal_from_claims({"sub": str(user_id), "role": "authenticated", "email": email})


@pytest.fixture
async def user(database: Database) -> Principal:
    """A user."""
    return await add_user(database, "user@example.com")


@pytest.fixture
async def other_user(database: Database) -> Principal:
    """Another user, who has no business with the first one's rows."""
    return await add_user(database, "other@example.com")
