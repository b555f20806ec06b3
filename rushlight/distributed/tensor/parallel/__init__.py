"""Layers whose parameters lie on several processes."""

from rushlight.distributed._one_process import classes, functions

__all__ = [
    "ColwiseParallel",
    "ParallelStyle",
    "PrepareModuleInput",
    "PrepareModuleOutput",
    "RowwiseParallel",
    "SequenceParallel",
    "loss_parallel",
    "parallelize_module",
]

globals().update(
    classes(
        __name__,
        "ColwiseParallel",
        "ParallelStyle",
        "PrepareModuleInput",
        "PrepareModuleOutput",
        "RowwiseParallel",
        "SequenceParallel",
    )
)
globals().update(functions(__name__, "loss_parallel", "parallelize_module"))
