"""The older names of what `torch.library` has."""

from rushlight.library import register_fake as impl_abstract
from rushlight.library import register_kernel as impl

__all__ = ["impl", "impl_abstract"]
