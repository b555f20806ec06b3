"""Optimizers over processes."""

from rushlight.distributed._one_process import classes

__all__ = ["DistributedOptimizer", "PostLocalSGDOptimizer", "ZeroRedundancyOptimizer"]

globals().update(classes(__name__, "DistributedOptimizer", "PostLocalSGDOptimizer", "ZeroRedundancyOptimizer"))
