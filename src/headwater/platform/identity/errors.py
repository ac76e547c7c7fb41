"""The refusals of identity."""

from headwater.kernel.errors import Refusal


class InvalidCredentials(Refusal):
    """The address and the password do not belong together; which of them is wrong is not told."""

    code = "AUTH_UNAUTHORIZED"
    status = 401
    sentence = "Invalid credentials"


class WrongPassword(Refusal):
    """The current password is not this; not AUTH_UNAUTHORIZED, at which clients would refresh and ask again."""

    code = "AUTH_INVALID_CREDENTIALS"
    status = 401
    sentence = "The current password is wrong"


class InvalidAdminCredentials(Refusal):
    """The admin's name and password do not belong together, or none are configured."""

    code = "AUTH_UNAUTHORIZED"
    status = 401
    sentence = "Invalid admin credentials"


class EmailExists(Refusal):
    """The address has an account already."""

    code = "AUTH_EMAIL_EXISTS"
    status = 409
    sentence = "User already exists"


class SignupDisabled(Refusal):
    """Only the admin makes accounts here."""

    code = "AUTH_SIGNUP_DISABLED"
    status = 403
    sentence = "Sign-up is disabled"


class WeakPassword(Refusal):
    """The password is shorter than this installation allows."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "Password must contain at least {minimum} characters long"


class UserNotFound(Refusal):
    """No account has this id."""

    code = "AUTH_USER_NOT_FOUND"
    status = 404
    sentence = "User not found"


class SessionNotFound(Refusal):
    """The caller has no such session."""

    code = "NOT_FOUND"
    status = 404
    sentence = "Session not found"


class NoSession(Refusal):
    """The refresh token is unknown, expired, used up or missing; a cookie that held it is taken back."""

    code = "AUTH_UNAUTHORIZED"
    status = 401
    sentence = "Invalid or expired refresh token"


class NoRefreshToken(Refusal):
    """A client that is no browser brings its refresh token in the body, and this one did not."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "refreshToken: Required"


class InvalidCsrfToken(Refusal):
    """A cookie came without the `X-CSRF-Token` that belongs to it: another site may have sent the request."""

    code = "FORBIDDEN"
    status = 403
    sentence = "Invalid CSRF token"


class OriginNotAllowed(Refusal):
    """A page of this origin may not use cookies here."""

    code = "FORBIDDEN"
    status = 403
    sentence = "Origin {origin} is not allowed to use cookies: list it in HEADWATER_FLOW_ALLOWED_ORIGINS"


class CodesNotAvailable(Refusal):
    """Codes come by mail, and this installation sends none."""

    code = "NOT_IMPLEMENTED"
    status = 400
    sentence = "Sign-in by one-time code is not available here: use method password"


class KeysNotMade(Refusal):
    """The keys are made when the server first starts."""

    code = "NOT_FOUND"
    status = 404
    sentence = "The keys are made when the server first starts"


class WeakSecret(Refusal):
    """A configured password or key could be guessed; told to whoever starts the server."""

    code = "WEAK_SECRET"
    status = 500
    sentence = "{setting} must have at least {shortest} characters"
