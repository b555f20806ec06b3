"""Modules whose parameters lie on several processes, of which there is one."""

from rushlight.distributed._one_process import classes, functions

CLASSES = [
    *("BackwardPrefetch", "CPUOffload", "CPUOffloadPolicy", "FSDPModule", "FlatParameter", "FullOptimStateDictConfig"),
    *("FullStateDictConfig", "FullyShardedDataParallel", "LocalOptimStateDictConfig", "LocalStateDictConfig", "MixedPrecision"),
    *("MixedPrecisionPolicy", "OffloadPolicy", "OptimStateKeyType", "ShardedOptimStateDictConfig", "ShardedStateDictConfig"),
    *("ShardingStrategy", "StateDictType", "UnshardHandle"),
]
FUNCTIONS = ["fully_shard", "register_fsdp_forward_method"]

__all__ = sorted(CLASSES + FUNCTIONS)

globals().update(classes(__name__, *CLASSES))
globals().update(functions(__name__, *FUNCTIONS))
