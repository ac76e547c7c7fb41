"""Identity: who is asking, and how he came in.

Tables: `auth.users`, `passwords`, `user_providers`, `sessions`, `refresh_tokens`, `ended_sessions`, `api_keys`,
`failed_logins`, `email_changes`, `email_otps`, `config`; `email.templates`; functions `auth.uid()`, `role()`,
`email()`, `jwt()`, which policies use.
Endpoints: `/api/auth/users`, `sessions`, `refresh`, `logout`, `password`, `profiles`, `account`, `anonymous`,
`public-config`, `config`, `email/…`, `smtp-config`, `email-templates`, `tokens/anon`, `admin/…`; `/api/email/send-raw`;
`/api/secrets/…-key/rotate`; `/api/metadata/api-key` and `anon-key`; `/.well-known/jwks.json`.
Events: `UserCreated`, `UserUpgraded`, `UserBannedUntil`, `EmailChanged`, `UserRemoved` (durable), `ProfileChanged`.
Jobs: `identity.send_code`. Timers: `identity.remove_expired`, every ten minutes; `identity.remove_expired_codes`,
`identity.remove_idle_anonymous`.
Limits: 10 failed sign-ins per account and 100 per network in 15 minutes, whichever door and process they come through;
30 anonymous accounts per network in an hour; 5 letters per network in 15 minutes and one a minute to an address; three
wrong tries of a code, 10 per address and network in 15 minutes.
"""

from headwater.kernel.component import Component, Description, Warming, WarmingStage
from headwater.platform.identity import errors
from headwater.platform.identity.endpoints import ENDPOINTS
from headwater.platform.identity.errors import EmailExists, InvalidCredentials, WeakPassword
from headwater.platform.identity.events import (
    EmailChanged,
    ProfileChanged,
    UserBannedUntil,
    UserCreated,
    UserRemoved,
    UserUpgraded,
)
from headwater.platform.identity.jobs import JOBS, TIMERS
from headwater.platform.identity.models import (
    IdentitySettings,
    Login,
    NewUser,
    ProjectKeys,
    RotatableKey,
    SignedIn,
)
from headwater.platform.identity.operations import (
    Accounts,
    AnonymousUsers,
    Configuration,
    EmailChanges,
    Identity,
    Keys,
    Mailing,
    OwnAccount,
    Sessions,
    Verification,
)

COMPONENT = Component(
    name="identity",
    package=__name__,
    operations=(
        Identity,
        Accounts,
        OwnAccount,
        EmailChanges,
        AnonymousUsers,
        Sessions,
        Keys,
        Verification,
        Mailing,
        Configuration,
    ),
    endpoints=ENDPOINTS,
    jobs=JOBS,
    timers=TIMERS,
    warmings=(
        Warming(name="active sessions", stage=WarmingStage.SESSIONS, operation=Sessions.warm_active),
        Warming(name="configuration", stage=WarmingStage.CONFIGURATION, operation=Configuration.warm_config),
    ),
    descriptions=(Description(name="auth", operation=Configuration.show_public_config),),
    schemas=("auth", "email"),
    events=(UserCreated, UserUpgraded, UserRemoved, UserBannedUntil, EmailChanged, ProfileChanged),
    errors=errors,
)

__all__ = [
    "COMPONENT",
    "EmailExists",
    "Identity",
    "IdentitySettings",
    "InvalidCredentials",
    "Keys",
    "Login",
    "NewUser",
    "ProjectKeys",
    "RotatableKey",
    "SignedIn",
    "UserRemoved",
    "WeakPassword",
]
