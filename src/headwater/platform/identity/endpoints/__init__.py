"""Where identity is reached."""

from headwater.platform.identity.endpoints import accounts, keys, mailing, own_account, users

ENDPOINTS = (*accounts.ENDPOINTS, *users.ENDPOINTS, *own_account.ENDPOINTS, *keys.ENDPOINTS, *mailing.ENDPOINTS)
