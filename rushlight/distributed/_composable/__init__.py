"""Older names of wrappers."""

from rushlight.distributed._composable import fsdp
