"""Why tokens are not trusted at all."""

from headwater.kernel.errors import Refusal


class WeakJwtSecret(Refusal):
    """Whoever guesses the secret signs in as anybody."""

    code = "WEAK_JWT_SECRET"
    status = 500
    sentence = "HEADWATER_JWT_SECRET must be at least {shortest} characters long"


class InvalidIssuers(Refusal):
    """Whose tokens are believed must be said without doubt; told to whoever starts the server."""

    code = "INVALID_ISSUERS"
    status = 500
    sentence = "HEADWATER_ISSUERS: {reason}"
