"""Every statement of identity's mail: codes, the configuration, templates."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.platform.identity.models import (
    ConfigChange,
    ConfigRow,
    Purpose,
    StoredCode,
    Template,
    TemplateChange,
)

_MOMENT = """to_char({0} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as {0}"""
_STAMPS = f"{_MOMENT.format('created_at')}, {_MOMENT.format('updated_at')}"
_CODE = "id, email, purpose, otp_hash, otp_type, expires_at, consumed_at, redirect_to, attempts_count"
_SAID = tuple(field.name for field in msgspec.structs.fields(ConfigChange))
_CONFIG = f"id, {', '.join(_SAID)}, {_STAMPS}"
_TEMPLATE = f"id, template_type, subject, body_html, {_STAMPS}"

PUT_CODE = """
insert into auth.email_otps
  (id, email, purpose, otp_hash, otp_type, expires_at, redirect_to, attempts_count, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8)
on conflict (email, purpose) do update set id = excluded.id, otp_hash = excluded.otp_hash,
  otp_type = excluded.otp_type, expires_at = excluded.expires_at, redirect_to = excluded.redirect_to,
  attempts_count = 0, consumed_at = null, created_at = excluded.created_at, updated_at = excluded.updated_at
"""
LOCK_CODE = f"select {_CODE} from auth.email_otps where email = $1 and purpose = $2 for no key update"
FIND_TOKEN = f"select {_CODE} from auth.email_otps where otp_hash = $1 and purpose = $2 and otp_type = 'HASH_TOKEN'"
LOCK_TOKEN = f"{FIND_TOKEN} for no key update"
COUNT_ATTEMPT = "update auth.email_otps set attempts_count = attempts_count + 1, updated_at = $2 where id = $1"
SPEND_CODE = "update auth.email_otps set consumed_at = $2, updated_at = $2 where id = $1"
REMOVE_CODES = "delete from auth.email_otps where expires_at <= $1"

ADD_CONFIG = """
insert into auth.config (id, created_at, updated_at) values ($1, $2, $2) on conflict (the_only_one) do nothing
"""
FIND_CONFIG = f"select {_CONFIG} from auth.config"
LOCK_CONFIG = "select id from auth.config for no key update"
CHANGE_CONFIG = f"""
update auth.config set
  {", ".join(f"{name} = case when $1::jsonb ? '{name}' then said.{name} else config.{name} end" for name in _SAID)},
  updated_at = $2
from jsonb_populate_record(null::auth.config, $1::jsonb) said
"""

ADD_TEMPLATE = """
insert into email.templates (id, template_type, subject, body_html, created_at, updated_at)
values ($1, $2, $3, $4, $5, $5) on conflict (template_type) do nothing
"""
LIST_TEMPLATES = f"select {_TEMPLATE} from email.templates where template_type = any($1::text[]) order by template_type"
PUT_TEMPLATE = f"""
insert into email.templates (id, template_type, subject, body_html, created_at, updated_at)
values ($1, $2, $3, $4, $5, $5)
on conflict (template_type) do update set subject = excluded.subject, body_html = excluded.body_html,
  updated_at = excluded.updated_at
returning {_TEMPLATE}
"""
VERIFY_EMAIL = "update auth.users set email_verified = true, updated_at = $2 where id = $1 and not email_verified"
FIND_USER_ID = "select id from auth.users where lower(email) = $1"
LOCK_USER_ID = f"{FIND_USER_ID} for no key update"
REMOVE_HASH = "delete from auth.passwords where user_id = $1"
REMOVE_IMPORTED_HASH = "update auth.users set password = null where id = $1 and password is not null"
ADD_VERIFIED_USER = """
insert into auth.users (id, email, email_verified, profile, metadata, created_at, updated_at)
values ($1, $2, true, $3::jsonb, '{}', $4, $4)
on conflict (lower(email)) do nothing
"""


async def put_code(tx: WritingTransaction, code: StoredCode) -> None:
    """Keep a code; one for the same address and purpose is no longer good."""
    await tx.execute(
        PUT_CODE,
        code.id,
        code.email,
        code.purpose,
        code.otp_hash,
        code.otp_type,
        code.expires_at,
        code.redirect_to,
        tx.now,
    )


async def lock_code(tx: WritingTransaction, email: str, purpose: Purpose) -> StoredCode | None:
    """The code of an address, good or not; of two who show it at once the second waits."""
    return _code(await tx.row(LOCK_CODE, email, purpose))


async def find_token(tx: ReadingTransaction, hashed: str, purpose: Purpose) -> StoredCode | None:
    """The token of this hash, good or not."""
    return _code(await tx.row(FIND_TOKEN, hashed, purpose))


async def lock_token(tx: WritingTransaction, hashed: str, purpose: Purpose) -> StoredCode | None:
    """The same; of two who show it at once the second waits."""
    return _code(await tx.row(LOCK_TOKEN, hashed, purpose))


async def count_attempt(tx: WritingTransaction, code_id: UUID) -> None:
    """Count a wrong one."""
    await tx.execute(COUNT_ATTEMPT, code_id, tx.now)


async def spend_code(tx: WritingTransaction, code_id: UUID) -> None:
    """From now on the code, or token, is used up."""
    await tx.execute(SPEND_CODE, code_id, tx.now)


async def remove_codes(tx: WritingTransaction, before: datetime) -> None:
    """Remove codes that expired before a moment."""
    await tx.execute(REMOVE_CODES, before)


async def add_config(tx: WritingTransaction, config_id: UUID) -> None:
    """Add the configuration's row unless it is there."""
    await tx.execute(ADD_CONFIG, config_id, tx.now)


async def find_config(tx: ReadingTransaction) -> ConfigRow | None:
    """What the admin has said."""
    row = await tx.row(FIND_CONFIG)
    return None if row is None else msgspec.convert(dict(row.items()), ConfigRow)


async def lock_config(tx: WritingTransaction) -> None:
    """Let nobody else change the configuration, or what it depends on, until commit."""
    await tx.value(LOCK_CONFIG)


async def change_config(tx: WritingTransaction, changes: Mapping[str, object]) -> None:
    """Lay what the admin says anew, column by column, over what he has said."""
    await tx.execute(CHANGE_CONFIG, msgspec.json.encode(changes).decode(), tx.now)


async def add_template(tx: WritingTransaction, template_id: UUID, template: TemplateChange) -> None:
    """Add a template unless there is one of its type."""
    await tx.execute(ADD_TEMPLATE, template_id, template.template_type, template.subject, template.body_html, tx.now)


async def list_templates(tx: ReadingTransaction, types: list[str]) -> list[Template]:
    """The templates of these types."""
    return [_template(row) for row in await tx.rows(LIST_TEMPLATES, types)]


async def put_template(tx: WritingTransaction, template_id: UUID, template: TemplateChange) -> Template:
    """Keep a template, in place of the one of its type."""
    rows = await tx.rows(
        PUT_TEMPLATE, template_id, template.template_type, template.subject, template.body_html, tx.now
    )
    return _template(rows[0])


async def verify_email(tx: WritingTransaction, user_id: UUID) -> None:
    """From now on the address is known to be the user's."""
    await tx.execute(VERIFY_EMAIL, user_id, tx.now)


async def find_user_id(tx: ReadingTransaction, email: str) -> UUID | None:
    """Whose address it is."""
    return await tx.value(FIND_USER_ID, email)


async def lock_user_id(tx: WritingTransaction, email: str) -> UUID | None:
    """The same, the account locked."""
    return await tx.value(LOCK_USER_ID, email)


async def clear_password(tx: WritingTransaction, user_id: UUID) -> None:
    """From now on no password opens the account."""
    await tx.execute(REMOVE_HASH, user_id)
    await tx.execute(REMOVE_IMPORTED_HASH, user_id)


async def add_verified_user(tx: WritingTransaction, user_id: UUID, email: str, profile: dict[str, object]) -> bool:
    """Add an account without a password, whose address is its owner's; False if the address is taken meanwhile."""
    encoded = msgspec.json.encode(profile).decode()
    return await tx.execute(ADD_VERIFIED_USER, user_id, email, encoded, tx.now) == 1


def _code(row: Row | None) -> StoredCode | None:
    return None if row is None else StoredCode(**dict(row.items()))


def _template(row: Row) -> Template:
    return Template(**dict(row.items()))
