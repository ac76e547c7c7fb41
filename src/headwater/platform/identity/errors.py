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
    """The password is shorter or plainer than this installation allows."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "Password must contain at least {lacking}"


class BreachedPassword(Refusal):
    """The password is in a list of those that leaked elsewhere: it would be among the first to be tried."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "This password has appeared in a data breach: choose another"


class UserBanned(Refusal):
    """The account is kept out; told only to who has shown that it is his."""

    code = "AUTH_USER_BANNED"
    status = 403
    sentence = "This account is banned"


class AnonymousNotAllowed(Refusal):
    """Everyone must say who he is here."""

    code = "AUTH_ANONYMOUS_DISABLED"
    status = 403
    sentence = "Anonymous users are not allowed here: set HEADWATER_IDENTITY_ALLOW_ANONYMOUS"


class NotAnonymous(Refusal):
    """The account has an address or a password, or another issuer, already."""

    code = "ALREADY_EXISTS"
    status = 409
    sentence = "Only an anonymous account can be upgraded"


class PasswordNeeded(Refusal):
    """What is asked cannot be undone, and the session is not fresh enough to stand for the password."""

    code = "AUTH_REAUTHENTICATION_NEEDED"
    status = 403
    sentence = "Send the password, or sign in again and repeat this within {minutes} minutes"


class AccountReferredTo(Refusal):
    """Rows of the developer's own tables refer to the account, and their foreign key does not let them go with it."""

    code = "DATABASE_CONSTRAINT_VIOLATION"
    status = 409
    sentence = "Rows of {table} refer to this account: let their foreign key say on delete cascade or set null"


class AdminSessionNeeded(Refusal):
    """A key never makes a key: who rotates them is signed in as the admin."""

    code = "FORBIDDEN"
    status = 403
    sentence = "Keys are rotated by a signed-in admin, or on the server by `headwater keys rotate`"


class NoEmailChange(Refusal):
    """No change of address is waiting, or its time is over, or too many wrong codes were sent."""

    code = "NOT_FOUND"
    status = 404
    sentence = "No change of address is waiting to be confirmed: ask for it again"


class WrongEmailCode(Refusal):
    """The code is not the one that was sent."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{field}: Invalid or expired code"


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


class VerificationNeeded(Refusal):
    """The password is right, and the address has not been shown to be the user's."""

    code = "FORBIDDEN"
    status = 403
    sentence = "Email verification required"


class InvalidCode(Refusal):
    """The code is wrong, used up, too old, or none was sent: which of them is not told."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "Invalid or expired verification code"


class InvalidVerificationToken(Refusal):
    """The token of a link, or the exchanged one, is wrong, used up or too old."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "Invalid or expired verification token"


class RedirectNotAllowed(Refusal):
    """A letter's link may lead only where the admin has said."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "redirectTo: {url} is not allowed: add it to allowedRedirectUrls of /api/auth/config"


class RedirectNeeded(Refusal):
    """A link in a letter must lead somewhere at last."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "redirectTo: Required while letters hold links"


class VerificationNeedsMail(Refusal):
    """Nobody could verify his address where no mail is sent."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "requireEmailVerification: No mail can be sent: configure SMTP first"


class MailNeededForVerification(Refusal):
    """Without mail nobody who signs up could verify his address, and it is required."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "enabled: Addresses must be verified here, and no other way to send mail is left: end that first"


class VerificationMailNotDelivered(Refusal):
    """The account was made, and the letter that verifies its address was not sent; it can be asked for again."""

    code = "AUTH_VERIFICATION_EMAIL_DELIVERY_FAILED"
    status = 500
    sentence = "The account was made, but its verification mail could not be sent: ask for it again"


class VerificationMailPostponed(Refusal):
    """The account was made, and the address, or the network, was sent too many letters just now."""

    code = "AUTH_VERIFICATION_EMAIL_DELIVERY_FAILED"
    status = 429
    sentence = "The account was made, but its verification mail must wait: ask for it in {seconds} s"


class InvalidTemplate(Refusal):
    """A letter's template does more than fill in its placeholders, or less."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{field}: {reason}"


class SenderNotSignedIn(Refusal):
    """Letters in one's own words are for signed-in users."""

    code = "AUTH_INVALID_CREDENTIALS"
    status = 401
    sentence = "A signed-in user's token is needed here"


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


class OutsiderNotAdmitted(Refusal):
    """Another issuer vouches for someone who has no account here, and sign-up is disabled."""

    code = "AUTH_SIGNUP_DISABLED"
    status = 401
    sentence = "Sign-up is disabled, and this issuer's user has no account here"


class BreachedListUnusable(Refusal):
    """The configured list of leaked passwords is none; told to whoever starts the server."""

    code = "BREACHED_LIST_UNUSABLE"
    status = 500
    sentence = "HEADWATER_IDENTITY_BREACHED_PASSWORDS: {path}: {reason}"


class ProfileTooLarge(Refusal):
    """The profile would be larger than what everyone may ask for without signing in, and every session tells."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "profile: may hold {limit} bytes of JSON at most"
