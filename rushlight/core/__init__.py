"""What a tensor is, what a graph is, and how backward walks it."""

from rushlight.core._core import *  # noqa: F403
