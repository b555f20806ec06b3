"""Communication between processes, for a group of one: whatever is sent comes back. More processes are an error."""

import logging
import types

import rushlight as torch
from rushlight.distributed._groups import (  # noqa: F401
    ONE_PROCESS,
    Backend,
    GroupMember,
    ProcessGroup,
    _find,
    _from_environment,
    _get_default_group,
    _rank_not_in_group,
    _State,
    _state,
    _WorldMeta,
    default_pg_timeout,
    destroy_process_group,
    get_backend,
    get_backend_config,
    get_default_backend_for_device,
    get_global_rank,
    get_group_rank,
    get_node_local_rank,
    get_pg_count,
    get_process_group_ranks,
    get_rank,
    get_world_size,
    group,
    init_process_group,
    is_backend_available,
    is_gloo_available,
    is_initialized,
    is_mpi_available,
    is_nccl_available,
    is_torchelastic_launched,
    is_ucc_available,
    is_xccl_available,
    new_group,
    new_subgroups,
    new_subgroups_by_enumeration,
    split_group,
)
from rushlight.distributed._messages import (
    P2POp,
    batch_isend_irecv,
    irecv,
    isend,
    recv,
    recv_object_list,
    send,
    send_object_list,
)
from rushlight.distributed._objects import (
    all_gather_object,
    broadcast_object_list,
    gather_object,
    scatter_object_list,
)
from rushlight.distributed._stores import (  # noqa: F401
    DistBackendError,
    DistError,
    DistNetworkError,
    DistStoreError,
    FileStore,
    HashStore,
    PrefixStore,
    QueueEmptyError,
    Store,
    TCPStore,
)
from rushlight.distributed._work import (  # noqa: F401
    DebugLevel,
    RedOpType,
    ReduceOp,
    Work,
    _check_list,
    _check_root,
    _check_tensor,
    _check_tensors,
    _copy,
    _finished,
    _reduce_op,
    reduce_op,
    supports_complex,
)

__all__ = [
    "Backend", "GroupMember", "HashStore", "P2POp", "PrefixStore", "ProcessGroup", "ReduceOp", "Store", "Work", "all_gather",
    "all_gather_coalesced", "all_gather_into_tensor", "all_gather_object", "all_gather_single", "all_reduce", "all_reduce_coalesced",
    "all_to_all", "all_to_all_single", "barrier", "batch_isend_irecv", "broadcast", "broadcast_object_list", "destroy_process_group",
    "gather", "gather_object", "get_backend", "get_backend_config", "get_default_backend_for_device", "get_global_rank", "get_group_rank",
    "get_node_local_rank", "get_pg_count", "get_process_group_ranks", "get_rank", "get_world_size", "group", "init_process_group", "irecv",
    "is_backend_available", "is_gloo_available", "is_initialized", "is_mpi_available", "is_nccl_available", "is_torchelastic_launched",
    "is_ucc_available", "is_xccl_available", "isend", "monitored_barrier", "new_group", "new_subgroups", "new_subgroups_by_enumeration",
    "recv", "recv_object_list", "reduce", "reduce_op", "reduce_scatter", "reduce_scatter_single", "reduce_scatter_tensor", "scatter",
    "scatter_object_list", "send", "send_object_list", "split_group", "supports_complex",
]  # fmt: skip

logger = logging.getLogger(__name__)


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """Makes one tensor of those of all processes: this one's, as it is.

    Args:
        tensor: This process's, which the result is written into.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2)
    >>> torch.distributed.all_reduce(x); x
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    if tensor.is_complex() and not supports_complex(op):
        raise ValueError(f"all_reduce does not support {op} on complex tensors")
    return _finished(group, async_op, [tensor])


def all_reduce_coalesced(tensors, op=ReduceOp.SUM, group=None, async_op=False):
    """all_reduce of several tensors.

    Args:
        tensors: This process's, which the results are written into.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> import warnings; warnings.simplefilter("ignore")
    >>> x = torch.ones(2)
    >>> torch.distributed.all_reduce_coalesced([x]); x
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    tensors = [tensors] if isinstance(tensors, torch.Tensor) else tensors
    _check_tensors(tensors, "tensor")
    _find(group)
    return _finished(group, async_op, tensors)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """all_reduce, for one process alone.

    Args:
        tensor: This process's, which the result is written into.
        dst: The process that gets it, by its number among all.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.
        group_dst: The process that gets it, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2)
    >>> torch.distributed.reduce(x, dst=0); x
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    _check_root(dst, "reduce")
    return _finished(group, async_op, [tensor])


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Gives all processes the tensor of one: it has it.

    Args:
        tensor: The tensor: what is sent, or what the result is written into.
        src: The process that sends, by its number among all.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.
        group_src: The process that sends, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> x = torch.ones(2)
    >>> torch.distributed.broadcast(x, src=0); x
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    _check_root(src, "broadcast")
    return _finished(group, async_op, [tensor])


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Puts the tensors of all processes into a list of tensors.

    Args:
        tensor_list: Tensors for the result, one for each process.
        tensor: This process's.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [torch.empty(2)]
    >>> torch.distributed.all_gather(out, torch.ones(2)); out
    [tensor([1., 1.])]
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensors(tensor_list, "tensor_list")
    _check_tensor(tensor, "tensor")
    _find(group)
    _check_list(tensor_list, "allgather")
    _copy(tensor_list[0], tensor)
    return _finished(group, async_op, tensor_list)


def all_gather_coalesced(output_tensor_lists, input_tensor_list, group=None, async_op=False):
    """all_gather of several tensors.

    Args:
        output_tensor_lists: For each process a list of tensors for the result.
        input_tensor_list: This process's tensors.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> import warnings; warnings.simplefilter("ignore")
    >>> out = [[torch.empty(2)]]
    >>> torch.distributed.all_gather_coalesced(out, [torch.ones(2)]); out
    [[tensor([1., 1.])]]
    >>> torch.distributed.destroy_process_group()
    """
    for outputs in output_tensor_lists:
        for output, given in zip(outputs, input_tensor_list, strict=True):
            _copy(output, given)
    return _finished(group, async_op)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Puts the tensors of all processes behind each other into one.

    Args:
        output_tensor: The tensor for the result.
        input_tensor: This process's.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = torch.empty(2)
    >>> torch.distributed.all_gather_into_tensor(out, torch.ones(2)); out
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(input_tensor, "input_tensor")
    _check_tensor(output_tensor, "output_tensor")
    _find(group)
    _copy(output_tensor, input_tensor)
    return _finished(group, async_op, [output_tensor])


all_gather_single = _all_gather_base = all_gather_into_tensor


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """all_gather, for one process alone.

    Args:
        tensor: This process's.
        gather_list: Tensors for the result, at the process that gets it.
        dst: The process that gets it, by its number among all.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.
        group_dst: The process that gets it, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [torch.empty(2)]
    >>> torch.distributed.gather(torch.ones(2), out); out
    [tensor([1., 1.])]
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    if not gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    _check_root(dst, "gather")
    _copy(gather_list[0], tensor)
    return _finished(group, async_op, gather_list)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Gives each process one tensor of a list.

    Args:
        tensor: The tensor for this process's.
        scatter_list: A tensor for each process, at the process that has them.
        src: The process that has them, by its number among all.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.
        group_src: The process that has them, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = torch.empty(2)
    >>> torch.distributed.scatter(out, [torch.ones(2)]); out
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    if not scatter_list:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    _check_root(src, "scatter")
    _copy(tensor, scatter_list[0])
    return _finished(group, async_op, [tensor])


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Makes one list of tensors of those of all processes, and gives each one of it.

    Args:
        output: The tensor for this process's part.
        input_list: A tensor for each process.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = torch.empty(2)
    >>> torch.distributed.reduce_scatter(out, [torch.ones(2)]); out
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(output, "output")
    _check_tensors(input_list, "input_list")
    _find(group)
    _copy(output, input_list[0])
    return _finished(group, async_op, [output])


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """reduce_scatter, with the list in one tensor.

    Args:
        output: The tensor for this process's part.
        input: The tensor to cut.
        op: How they become one: a `ReduceOp`.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = torch.empty(2)
    >>> torch.distributed.reduce_scatter_tensor(out, torch.ones(2)); out
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(output, "output")
    _check_tensor(input, "input")
    _find(group)
    _copy(output, input)
    return _finished(group, async_op, [output])


reduce_scatter_single = _reduce_scatter_base = reduce_scatter_tensor


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Sends each process one tensor of a list, and puts what comes into another list.

    Args:
        output_tensor_list: Tensors for the result, one from each process.
        input_tensor_list: A tensor for each process.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [torch.empty(2)]
    >>> torch.distributed.all_to_all(out, [torch.ones(2)]); out
    [tensor([1., 1.])]
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensors(output_tensor_list, "output_tensor_list")
    _check_tensors(input_tensor_list, "input_tensor_list")
    _find(group)
    for output, given in zip(output_tensor_list, input_tensor_list, strict=True):
        _copy(output, given)
    return _finished(group, async_op, output_tensor_list)


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False):
    """all_to_all, with the lists in one tensor each.

    Args:
        output: The tensor for the result.
        input: The tensor to cut.
        output_split_sizes: How much comes from each process; None is the same from all.
        input_split_sizes: How much each process gets.
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = torch.empty(2)
    >>> torch.distributed.all_to_all_single(out, torch.ones(2)); out
    tensor([1., 1.])
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(output, "output")
    _check_tensor(input, "input")
    _find(group)
    _copy(output, input)
    return _finished(group, async_op, [output])


def barrier(group=None, async_op=False, device_ids=None, timeout=None):
    """Waits for all processes.

    Args:
        group: The group; None is that of all processes.
        async_op: Whether a `Work` is returned at once, to wait for.
        device_ids: The devices that wait.
        timeout: How long to wait at most.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.barrier()
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    return _finished(group, async_op)


def monitored_barrier(group=None, timeout=None, wait_all_ranks=False):
    """Waits for all processes.

    Args:
        group: The group; None is that of all processes.
        timeout: How long to wait at most.
        wait_all_ranks: Whether all that are late are named.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.monitored_barrier()
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)


# Whom one asks where it comes from, it is of this file, as in PyTorch.
for _name in (*__all__, "DebugLevel", "RedOpType"):
    if isinstance(globals()[_name], type | types.FunctionType):
        globals()[_name].__module__ = __name__
