"""Why the dialect alone does not start, and whom it does not know."""

from headwater.kernel.errors import Refusal


class RestDatabaseUnreachable(Refusal):
    """The database of PGRST_DB_URI does not let us in, or is not there."""

    code = "DATABASE_UNREACHABLE"
    status = 503
    sentence = "The database of PGRST_DB_URI cannot be reached: {reason}"


class NoJwtSecret(Refusal):
    """A token came, and there is nothing to verify it with."""

    code = "PGRST300"
    status = 500
    sentence = "Server lacks JWT secret"


class UndecodableJwt(Refusal):
    """The token is none, or none that our keys have signed."""

    code = "PGRST301"
    status = 401
    sentence = "{reason}"


class AnonymousOff(Refusal):
    """No token came, or one without a role, and there is no anon role."""

    code = "PGRST302"
    status = 401
    sentence = "Anonymous access is disabled"


class JwtClaimsRefused(Refusal):
    """The token's signature is good, and its claims are not."""

    code = "PGRST303"
    status = 401
    sentence = "{reason}"


class UnknownRole(Refusal):
    """The role of the token is none of this database's."""

    code = "22023"
    status = 401
    sentence = 'role "{role}" does not exist'


class RoleNotGranted(Refusal):
    """The authenticator may not become the role of the token."""

    code = "42501"
    status = 403
    sentence = 'permission denied to set role "{role}"'
