"""The verbs of identity, a class for each noun."""

from headwater.platform.identity.operations.accounts import Identity
from headwater.platform.identity.operations.anonymous import AnonymousUsers
from headwater.platform.identity.operations.configuration import Configuration
from headwater.platform.identity.operations.email_changes import EmailChanges
from headwater.platform.identity.operations.keys import Keys
from headwater.platform.identity.operations.mailing import Mailing
from headwater.platform.identity.operations.own_account import OwnAccount
from headwater.platform.identity.operations.proof import Proof
from headwater.platform.identity.operations.sessions import Sessions
from headwater.platform.identity.operations.users import Accounts
from headwater.platform.identity.operations.verification import Verification

__all__ = [
    "Accounts",
    "AnonymousUsers",
    "Configuration",
    "EmailChanges",
    "Identity",
    "Keys",
    "Mailing",
    "OwnAccount",
    "Proof",
    "Sessions",
    "Verification",
]
