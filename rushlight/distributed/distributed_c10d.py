"""Communication between processes, for a group of one: whatever is sent comes back. More processes are an error."""

import enum
import logging
import pickle

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
from rushlight.futures import Future

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


class DebugLevel(enum.Enum):
    """How much is told: nothing else than usual here.

    >>> import rushlight as torch
    >>> [level.name for level in torch.distributed.DebugLevel]
    ['OFF', 'INFO', 'DETAIL']
    """

    OFF, INFO, DETAIL = range(3)


class RedOpType(enum.IntEnum):
    """How the tensors of all processes become one."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
    PREMUL_SUM = 8

    def __repr__(self):
        return f"<RedOpType.{self.name}: {self.value}>"


class ReduceOp:
    """How the tensors of all processes become one: ReduceOp.SUM and its kin.

    Args:
        op: One of them: `ReduceOp.SUM`, `AVG`, `PRODUCT`, `MIN`, `MAX`, `BAND`, `BOR`, `BXOR`.

    >>> import rushlight as torch
    >>> torch.distributed.ReduceOp(torch.distributed.ReduceOp.SUM) == torch.distributed.ReduceOp.SUM
    True
    """

    RedOpType = RedOpType
    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = RedOpType

    def __init__(self, op):
        self.op = RedOpType(op)

    def __eq__(self, other):
        return self.op == getattr(other, "op", other)

    def __hash__(self):
        return hash(self.op)


class _reduce_op:
    """`ReduceOp` under an old name.

    >>> import rushlight as torch
    >>> torch.distributed.reduce_op.SUM == torch.distributed.ReduceOp.SUM
    True
    """

    def __getattribute__(self, name):
        return getattr(ReduceOp, name)


reduce_op = _reduce_op()


class Work:
    """Communication that is under way: with one process it is done at once.

    Args:
        result: What `result()` gives.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> work = torch.distributed.all_reduce(torch.ones(2), async_op=True)
    >>> work.wait(), work.is_completed()
    (True, True)
    >>> torch.distributed.destroy_process_group()
    """

    def __init__(self, result=None):
        self._result = result

    def wait(self, timeout=None):
        """True: it is done."""
        return True

    def is_completed(self):
        """True."""
        return True

    def is_success(self):
        """True."""
        return True

    def exception(self):
        """None."""
        return None

    def result(self):
        """What came of it."""
        return self._result

    def get_future(self):
        """A Future of what came of it."""
        future = Future()
        future.set_result(self._result)
        return future


def supports_complex(reduceOp) -> bool:
    """Whether complex tensors can become one this way.

    Args:
        reduceOp: A `ReduceOp`.

    >>> import rushlight as torch
    >>> torch.distributed.supports_complex(torch.distributed.ReduceOp.MAX)
    False
    """
    return reduceOp not in (ReduceOp.MAX, ReduceOp.MIN, ReduceOp.PRODUCT, ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR)


def _check_tensor(value, name):
    if not isinstance(value, torch.Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type torch.Tensor\n             but got {type(value)} instead."
        )


def _check_tensors(values, name):
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, torch.Tensor) for value in values):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor]\n             but got {type(values)}."
        )


def _check_root(rank, call):
    if rank not in (None, 0):
        raise RuntimeError(f"ProcessGroupGloo::{call}: invalid root rank: {rank}")


def _check_list(values, call):
    if len(values) != 1:
        raise ValueError(
            f"ProcessGroupGloo::{call}: Incorrect output list size {len(values)}. Output list size should be 1, same as size of the process group."
        )


def _finished(group, async_op, result=None):
    """Work that is done, where it is asked for."""
    return Work(result) if async_op else None


def _copy(target, source):
    with torch.no_grad():
        target.copy_(source.reshape(target.shape) if target.shape != source.shape else source)


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


def _no_other(what, direction):
    return ValueError(f"Invalid {what} rank: {what} rank should not be the same as the rank of the current process.")


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Raises: there is no other process.

    Args:
        tensor: The tensor.
        dst: The process that gets it, by its number among all.
        group: The group; None is that of all processes.
        tag: A number that sending and receiving have in common.
        group_dst: The process that gets it, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.send(torch.ones(2), dst=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid destination rank: destination rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    raise _no_other("destination", "to")


isend = send


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Raises: there is no other process.

    Args:
        tensor: The tensor for what comes.
        src: The process that sends, by its number among all.
        group: The group; None is that of all processes.
        tag: A number that sending and receiving have in common.
        group_src: The process that sends, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.recv(torch.empty(2), src=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid source rank: source rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    raise _no_other("source", "from")


irecv = recv


def send_object_list(object_list, dst=None, group=None, device=None, group_dst=None, use_batch=False):
    """Raises: there is no other process.

    Args:
        object_list: The objects.
        dst: The process that gets them, by its number among all.
        group: The group; None is that of all processes.
        device: The device by which they are sent.
        group_dst: The process that gets them, by its number in the group.
        use_batch: Whether sizes and objects are sent together.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.send_object_list(["settings"], dst=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid destination rank: destination rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    raise _no_other("destination", "to")


def recv_object_list(object_list, src=None, group=None, device=None, group_src=None, use_batch=False):
    """Raises: there is no other process.

    Args:
        object_list: The places for what comes.
        src: The process that sends, by its number among all.
        group: The group; None is that of all processes.
        device: The device by which they are sent.
        group_src: The process that sends, by its number in the group.
        use_batch: Whether sizes and objects are sent together.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.recv_object_list([None], src=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid source rank: source rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    raise _no_other("source", "from")


class P2POp:
    """A tensor to send to, or receive from, another process.

    Args:
        op: `torch.distributed.isend` or `irecv`.
        tensor: The tensor.
        peer: The other process, by its number among all.
        group: The group; None is that of all processes.
        tag: A number that sending and receiving have in common.
        group_peer: The other process, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.P2POp(len, torch.ones(2), 0)
    Traceback (most recent call last):
        ...
    ValueError: Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or ``torch.distributed.irecv``.
    """

    def __init__(self, op, tensor, peer=None, group=None, tag=0, group_peer=None):
        if op not in (isend, irecv):
            raise ValueError(
                "Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or ``torch.distributed.irecv``."
            )
        self.op, self.tensor, self.peer, self.group, self.tag = op, tensor, peer, group, tag


def batch_isend_irecv(p2p_op_list) -> list:
    """Raises: there is no other process.

    Args:
        p2p_op_list: A list of `P2POp`.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.batch_isend_irecv([])
    Traceback (most recent call last):
        ...
    IndexError: list index out of range
    >>> torch.distributed.destroy_process_group()
    """
    if not (isinstance(p2p_op_list, list) and all(isinstance(op, P2POp) for op in p2p_op_list)):
        raise ValueError("Invalid ``p2p_op_list``. Each op is expected to to be of type ``torch.distributed.P2POp``.")
    _find(p2p_op_list[0].group)
    return [op.op(op.tensor, op.peer, op.group, op.tag) for op in p2p_op_list]


def _through_pickle(value):
    """What another process would have received."""
    return pickle.loads(pickle.dumps(value))


def all_gather_object(object_list, obj, group=None) -> None:
    """Puts the objects of all processes into a list.

    Args:
        object_list: A list with a place for each process.
        obj: This process's object.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [None]
    >>> torch.distributed.all_gather_object(out, {"rank": 0}); out
    [{'rank': 0}]
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    object_list[0] = _through_pickle(obj)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None) -> None:
    """all_gather_object, for one process alone.

    Args:
        obj: This process's object.
        object_gather_list: A list with a place for each process, at the process that gets it.
        dst: The process that gets it, by its number among all.
        group: The group; None is that of all processes.
        group_dst: The process that gets it, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [None]
    >>> torch.distributed.gather_object({"rank": 0}, out); out
    [{'rank': 0}]
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    if not object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    object_gather_list[0] = _through_pickle(obj)


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None) -> None:
    """Gives all processes the objects of one: it has them.

    Args:
        object_list: The objects: what is sent, or the places for it.
        src: The process that sends, by its number among all.
        group: The group; None is that of all processes.
        device: The device by which they are sent.
        group_src: The process that sends, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> objects = ["settings"]
    >>> torch.distributed.broadcast_object_list(objects, src=0); objects
    ['settings']
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    _check_root(src, "broadcast")


def scatter_object_list(scatter_object_output_list, scatter_object_input_list=None, src=None, group=None, group_src=None) -> None:
    """Gives each process one object of a list.

    Args:
        scatter_object_output_list: A list, whose first place is for this process's.
        scatter_object_input_list: An object for each process, at the process that has them.
        src: The process that has them, by its number among all.
        group: The group; None is that of all processes.
        group_src: The process that has them, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [None]
    >>> torch.distributed.scatter_object_list(out, ["settings"]); out
    ['settings']
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    if not isinstance(scatter_object_output_list, list) or len(scatter_object_output_list) < 1:
        raise ValueError("Expected argument scatter_object_output_list to be a list of size at least 1.")
    scatter_object_output_list[0] = _through_pickle(scatter_object_input_list[0])
