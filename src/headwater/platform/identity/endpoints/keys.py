"""Where a signed-in admin rotates keys."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.identity.models import (
    AnonKeyRotation,
    ApiKeyRotation,
    RotatedKey,
    RotatedSigningKey,
    SigningKeyRotation,
)
from headwater.platform.identity.operations import Keys

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/secrets/api-key/rotate",
        operation=Keys.rotate_api_key,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=ApiKeyRotation,
        result=RotatedKey,
    ),
    Endpoint(
        method="POST",
        path="/api/secrets/anon-key/rotate",
        operation=Keys.rotate_anon_key,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=AnonKeyRotation,
        result=RotatedKey,
    ),
    Endpoint(
        method="POST",
        path="/api/secrets/signing-key/rotate",
        operation=Keys.rotate_signing_key,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=SigningKeyRotation,
        result=RotatedSigningKey,
    ),
)
