"""Communication with derivatives, for a group of one process."""

import rushlight.distributed.distributed_c10d as _c10d
from rushlight.distributed import ReduceOp, group

__all__ = [
    "ReduceOp",
    "all_gather",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "broadcast",
    "gather",
    "group",
    "reduce",
    "reduce_scatter",
    "scatter",
]


def all_reduce(tensor, op=ReduceOp.SUM, group=group.WORLD):
    """The tensor, with its history.

    Args:
        tensor: This process's.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.all_reduce(x).sum().backward(); x.grad
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _c10d._find(group)
    return tensor.clone()


def reduce(tensor, dst, op=ReduceOp.SUM, group=group.WORLD):
    """The tensor, with its history.

    Args:
        tensor: This process's.
        dst: The process that gets the result.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.reduce(x, dst=0).requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    return all_reduce(tensor, op, group)


def broadcast(tensor, src, group=group.WORLD):
    """The tensor, with its history.

    Args:
        tensor: The tensor.
        src: The process that sends.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.broadcast(x, src=0).requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    _c10d._check_root(src, "broadcast")
    return all_reduce(tensor, group=group)


def all_gather(tensor, group=group.WORLD):
    """The tensors of all processes, with their history.

    Args:
        tensor: This process's.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.all_gather(x)[0].requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    return (all_reduce(tensor, group=group),)


def gather(tensor, dst=0, group=group.WORLD):
    """The tensors of all processes, with their history.

    Args:
        tensor: This process's.
        dst: The process that gets them.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.gather(x)[0].requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    return all_gather(tensor, group)


def scatter(tensors, src=0, group=group.WORLD):
    """One tensor of a list, with its history.

    Args:
        tensors: A tensor for each process.
        src: The process that has them.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.scatter([x]).requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    return all_reduce(tensors[0], group=group)


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=group.WORLD):
    """One tensor of a list, with its history.

    Args:
        output: A tensor of the shape of what comes.
        input_list: A tensor for each process.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.reduce_scatter(torch.empty(2), [x]).requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    return all_reduce(input_list[0], op, group)


def all_to_all(output_tensor_list, input_tensor_list, group=group.WORLD):
    """The tensors, with their history.

    Args:
        output_tensor_list: Tensors of the shapes of what comes.
        input_tensor_list: A tensor for each process.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.all_to_all([torch.empty(2)], [x])[0].requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    return tuple(all_reduce(tensor, group=group) for tensor in input_tensor_list)


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=group.WORLD):
    """The tensor, with its history.

    Args:
        output: A tensor of the shape of what comes.
        input: The tensor to cut.
        output_split_sizes: How much comes from each process; None is the same from all.
        input_split_sizes: How much each process gets.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.distributed.nn.all_to_all_single(torch.empty(2), x).requires_grad
    True
    >>> torch.distributed.destroy_process_group()
    """
    return all_reduce(input, group=group)
