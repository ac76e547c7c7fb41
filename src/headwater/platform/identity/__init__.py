"""Identity: who is asking, and how he came in.

Tables: `auth.users`, `passwords`, `user_providers`, `sessions`, `refresh_tokens`, `ended_sessions`, `api_keys`,
`failed_logins`; functions `auth.uid()`, `role()`, `email()`, `jwt()`, which policies use.
Endpoints: `/api/auth/users`, `sessions`, `refresh`, `logout`, `password`, `profiles`, `public-config`, `tokens/anon`,
`admin/…`; `/api/metadata/api-key` and `anon-key`; `/.well-known/jwks.json`.
Events: `UserCreated` and `UserRemoved` (durable), `ProfileChanged`.
Timers: `identity.remove_expired`, every ten minutes.
Limits: 10 failed sign-ins per account and 100 per network in 15 minutes, whichever door and process they come through.
"""

from headwater.kernel.component import Component
from headwater.platform.identity import errors
from headwater.platform.identity.endpoints import ENDPOINTS
from headwater.platform.identity.events import ProfileChanged, UserCreated, UserRemoved
from headwater.platform.identity.jobs import TIMERS
from headwater.platform.identity.models import IdentitySettings, ProjectKeys
from headwater.platform.identity.operations import Identity

COMPONENT = Component(
    name="identity",
    package=__name__,
    operations=Identity,
    endpoints=ENDPOINTS,
    timers=TIMERS,
    schemas=("auth",),
    events=(UserCreated, UserRemoved, ProfileChanged),
    errors=errors,
)

__all__ = ["COMPONENT", "Identity", "IdentitySettings", "ProjectKeys"]
