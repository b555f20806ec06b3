"""Names of PyTorch's exporter that programs use outside of an export; there is none."""

__all__ = []
