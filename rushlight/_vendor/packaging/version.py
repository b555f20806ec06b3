"""Versions that compare as PEP 440 orders them: the package packaging has them, where it is installed."""

from packaging.version import VERSION_PATTERN, InvalidVersion, Version, parse

__all__ = ["VERSION_PATTERN", "InvalidVersion", "Version", "parse"]
