"""Communication with derivatives, for a group of one process."""

import rushlight.distributed.distributed_c10d as _c10d
from rushlight.distributed import ReduceOp, group

__all__ = [
    "all_gather",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "broadcast",
    "gather",
    "reduce",
    "reduce_scatter",
    "scatter",
]


def all_reduce(tensor, op=ReduceOp.SUM, group=group.WORLD):
    """The tensor, with its history."""
    _c10d._find(group)
    return tensor.clone()


def reduce(tensor, dst, op=ReduceOp.SUM, group=group.WORLD):
    """The tensor, with its history."""
    return all_reduce(tensor, op, group)


def broadcast(tensor, src, group=group.WORLD):
    """The tensor, with its history."""
    _c10d._check_root(src, "broadcast")
    return all_reduce(tensor, group=group)


def all_gather(tensor, group=group.WORLD):
    """The tensors of all processes, with their history."""
    return (all_reduce(tensor, group=group),)


def gather(tensor, dst=0, group=group.WORLD):
    """The tensors of all processes, with their history."""
    return all_gather(tensor, group)


def scatter(tensors, src=0, group=group.WORLD):
    """One tensor of a list, with its history."""
    return all_reduce(tensors[0], group=group)


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=group.WORLD):
    """One tensor of a list, with its history."""
    return all_reduce(input_list[0], op, group)


def all_to_all(output_tensor_list, input_tensor_list, group=group.WORLD):
    """The tensors, with their history."""
    return tuple(all_reduce(tensor, group=group) for tensor in input_tensor_list)


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=group.WORLD):
    """The tensor, with its history."""
    return all_reduce(input, group=group)
