"""The Postgres logins of the house: each can become one role, and none is a superuser."""

from enum import StrEnum

from headwater.kernel.principal import ADMIN_ROLE, ANON_ROLE, USER_ROLE


class Login(StrEnum):
    """A Postgres login; the value is its name."""

    ANON = "headwater_anon"
    AUTHENTICATED = "headwater_authenticated"
    ADMIN = "headwater_admin"
    OWNER = "headwater_owner"
    """Owns the schemas of kernel and components; operations without a principal run as it."""


LOGIN_OF_ROLE: dict[str, Login] = {
    ANON_ROLE: Login.ANON,
    USER_ROLE: Login.AUTHENTICATED,
    ADMIN_ROLE: Login.ADMIN,
}
ROLE_OF_LOGIN: dict[Login, str] = {login: role for role, login in LOGIN_OF_ROLE.items()}
