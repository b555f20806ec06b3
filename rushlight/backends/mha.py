"""Whether attention may take a faster way at inference; there is one way here."""

_is_fastpath_enabled = True


def get_fastpath_enabled() -> bool:
    """What `set_fastpath_enabled` was given."""
    return _is_fastpath_enabled


def set_fastpath_enabled(value: bool) -> None:
    """Remembers it."""
    global _is_fastpath_enabled
    _is_fastpath_enabled = value
