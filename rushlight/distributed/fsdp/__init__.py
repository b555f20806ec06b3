"""Modules whose parameters lie on several processes, of which there is one."""

from rushlight.distributed._one_process import classes, functions

__all__ = [
    "BackwardPrefetch",
    "CPUOffload",
    "CPUOffloadPolicy",
    "FSDPModule",
    "FlatParameter",
    "FullOptimStateDictConfig",
    "FullStateDictConfig",
    "FullyShardedDataParallel",
    "LocalOptimStateDictConfig",
    "LocalStateDictConfig",
    "MixedPrecision",
    "MixedPrecisionPolicy",
    "OffloadPolicy",
    "OptimStateKeyType",
    "ShardedOptimStateDictConfig",
    "ShardedStateDictConfig",
    "ShardingStrategy",
    "StateDictType",
    "UnshardHandle",
    "fully_shard",
    "register_fsdp_forward_method",
]

globals().update(
    classes(
        __name__,
        "BackwardPrefetch",
        "CPUOffload",
        "CPUOffloadPolicy",
        "FSDPModule",
        "FlatParameter",
        "FullOptimStateDictConfig",
        "FullStateDictConfig",
        "FullyShardedDataParallel",
        "LocalOptimStateDictConfig",
        "LocalStateDictConfig",
        "MixedPrecision",
        "MixedPrecisionPolicy",
        "OffloadPolicy",
        "OptimStateKeyType",
        "ShardedOptimStateDictConfig",
        "ShardedStateDictConfig",
        "ShardingStrategy",
        "StateDictType",
        "UnshardHandle",
    )
)
globals().update(functions(__name__, "fully_shard", "register_fsdp_forward_method"))
