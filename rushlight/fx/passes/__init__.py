"""What is done with whole graphs."""

from rushlight.fx.passes import shape_prop

__all__ = ["shape_prop"]
