"""Captured work of streams, of which there are none."""

from rushlight import cuda as _cuda

__all__ = ["CUDAGraph", "graph", "graph_pool_handle", "is_current_stream_capturing", "make_graphed_callables"]

globals().update({name: getattr(_cuda, name) for name in __all__})
