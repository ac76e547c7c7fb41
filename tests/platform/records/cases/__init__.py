"""The cases of the dialect, by chapter: *(name, principal, request) -> status, headers, body*, from the contract."""
