"""Events that PyTorch's own builds report to their makers; nothing is reported here."""


def open_source_signpost(subsystem: str, name: str, parameters: str | None = None) -> None:
    """Does nothing."""
