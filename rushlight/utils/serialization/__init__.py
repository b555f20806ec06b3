"""What is set about saving and loading."""

from . import config

__all__ = ["config"]
