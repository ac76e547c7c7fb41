"""Where identity is reached."""

from headwater.platform.identity.endpoints import accounts

ENDPOINTS = accounts.ENDPOINTS
