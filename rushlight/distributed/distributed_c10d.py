"""Communication between processes, for a group of one: whatever is sent comes back. More processes are an error."""

import datetime
import enum
import logging
import os
import pickle
import threading

import rushlight as torch
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

default_pg_timeout = datetime.timedelta(minutes=30)
logger = logging.getLogger(__name__)


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
    """How the tensors of all processes become one: ReduceOp.SUM and its kin."""

    RedOpType = RedOpType
    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = RedOpType

    def __init__(self, op):
        self.op = RedOpType(op)

    def __eq__(self, other):
        return self.op == getattr(other, "op", other)

    def __hash__(self):
        return hash(self.op)


class _reduce_op:
    """ReduceOp under an old name."""

    def __getattribute__(self, name):
        return getattr(ReduceOp, name)


reduce_op = _reduce_op()


class Backend(str):
    """The name of a way to communicate, in lower case."""

    UNDEFINED = "undefined"
    GLOO = "gloo"
    NCCL = "nccl"
    UCC = "ucc"
    MPI = "mpi"
    XCCL = "xccl"
    FAKE = "fake"
    backend_list = [UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI, FAKE]  # noqa: RUF012 (names may be added)
    default_device_backend_map = {"cpu": GLOO, "cuda": NCCL, "xpu": XCCL, "mps": GLOO}  # noqa: RUF012

    def __new__(cls, name):
        if not isinstance(name, str):
            raise ValueError("Backend constructor parameter must be string-ish")
        return str.__new__(cls, getattr(cls, name.upper(), name.lower()) if name.upper() != "UNDEFINED" else name.lower())

    @classmethod
    def register_backend(cls, name, func, extended_api=False, devices=None):
        """Makes a name known; there is no other way to communicate than within this process."""
        setattr(cls, name.upper(), name.lower())
        cls.backend_list.append(name.lower())


class Work:
    """Communication that is under way: with one process it is done at once."""

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


class Store:
    """Values by keys that processes share: within this process."""

    def __init__(self):
        self._values: dict = {}
        self._changed = threading.Condition()
        self.timeout = datetime.timedelta(minutes=5)

    def set(self, key, value):
        """Sets a value, text or bytes."""
        with self._changed:
            self._values[key] = value.encode() if isinstance(value, str) else bytes(value)
            self._changed.notify_all()

    def get(self, key):
        """The value, which is waited for."""
        self.wait([key])
        return self._values[key]

    def add(self, key, amount):
        """Adds to a number and returns the sum."""
        with self._changed:
            total = int(self._values.get(key, b"0")) + amount
            self._values[key] = str(total).encode()
            self._changed.notify_all()
            return total

    def wait(self, keys, timeout=None):
        """Waits until there are values of all keys."""
        seconds = (timeout or self.timeout).total_seconds()
        with self._changed:
            if not self._changed.wait_for(lambda: all(key in self._values for key in keys), seconds):
                raise RuntimeError(
                    "wait timeout after " + f"{int(seconds * 1000)}ms, keys: {', '.join('/' + key for key in keys)}"
                )

    def check(self, keys):
        """Whether there are values of all keys."""
        return all(key in self._values for key in keys)

    def compare_set(self, key, expected_value, desired_value):
        """Sets a value where the key has the expected one, or none and none is expected; returns what it has then."""
        with self._changed:
            found = self._values.get(key)
            if found == expected_value.encode() or (found is None and not expected_value):
                self._values[key] = desired_value.encode()
                self._changed.notify_all()
            return self._values.get(key, expected_value.encode())

    def delete_key(self, key):
        """Forgets a value; whether there was one."""
        with self._changed:
            return self._values.pop(key, None) is not None

    def num_keys(self):
        """How many values there are."""
        return len(self._values)

    def set_timeout(self, timeout):
        """Sets how long `get` and `wait` wait."""
        self.timeout = timeout


class HashStore(Store):
    """A store in this process' memory."""


class FileStore(Store):
    """A store that processes would share by a file: of one process."""

    def __init__(self, file_name, world_size=-1):
        super().__init__()
        self.path = file_name


class TCPStore(Store):
    """A store that processes would reach over the network: of one process."""

    def __init__(self, host_name, port=0, world_size=None, is_master=False, timeout=None, **kwargs):
        super().__init__()
        if not is_master:
            raise DistNetworkError(
                f"The client socket has failed to connect to any network address of ({host_name}, {port}): {ONE_PROCESS}"
            )
        self.host, self.port = host_name, port


class PrefixStore(Store):
    """A store whose keys stand behind a prefix in another one."""

    def __init__(self, prefix, store):
        super().__init__()
        self.prefix, self.underlying_store = prefix, store

    def set(self, key, value):
        """Sets a value."""
        self.underlying_store.set(f"{self.prefix}/{key}", value)

    def get(self, key):
        """The value, which is waited for."""
        return self.underlying_store.get(f"{self.prefix}/{key}")

    def add(self, key, amount):
        """Adds to a number and returns the sum."""
        return self.underlying_store.add(f"{self.prefix}/{key}", amount)

    def wait(self, keys, timeout=None):
        """Waits until there are values of all keys."""
        self.underlying_store.wait([f"{self.prefix}/{key}" for key in keys], timeout)


class DistError(RuntimeError):
    """An error of communication."""


class DistBackendError(DistError):
    """An error of the way of communication."""


class DistNetworkError(DistError):
    """An error of the network."""


class DistStoreError(DistError):
    """An error of a store."""


class QueueEmptyError(DistStoreError):
    """A queue of a store has nothing."""


ONE_PROCESS = "Rushlight communicates within one process only: world_size must be 1"


class ProcessGroup:
    """The processes that communicate: this one."""

    def __init__(self, backend="gloo", name="default_pg", description="default_pg"):
        self._backend = Backend(backend)
        self.group_name = self._name = name
        self.group_desc = description

    def rank(self):
        """0."""
        return 0

    def size(self):
        """1."""
        return 1

    def name(self):
        """The name of the way to communicate."""
        return self._backend


class _WorldMeta(type):
    @property
    def WORLD(cls):
        return _state.default

    @WORLD.setter
    def WORLD(cls, group):
        _state.default = group


class group(metaclass=_WorldMeta):
    """Where the group of all processes is: `group.WORLD`."""


class GroupMember(metaclass=_WorldMeta):
    """`GroupMember.WORLD`, and what stands for a group that a process is not in."""

    NON_GROUP_MEMBER = -100


class _State:
    default: ProcessGroup | None = None
    made = 0


_state = _State()


def _get_default_group():
    if _state.default is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _state.default


def _find(group):
    """The group, or that of all processes."""
    default = _get_default_group()
    return default if group is None else group


def _rank_not_in_group(group):
    return group is GroupMember.NON_GROUP_MEMBER


def is_initialized() -> bool:
    """Whether there is a group of all processes."""
    return _state.default is not None


def is_mpi_available() -> bool:
    """False."""
    return False


def is_nccl_available() -> bool:
    """False."""
    return False


def is_ucc_available() -> bool:
    """False."""
    return False


def is_xccl_available() -> bool:
    """False."""
    return False


def is_gloo_available() -> bool:
    """True: as the way to communicate within one process."""
    return True


def is_backend_available(backend: str) -> bool:
    """Whether a way to communicate is there."""
    return backend.lower() == "gloo"


def is_torchelastic_launched() -> bool:
    """Whether this process was started by torchrun."""
    return os.environ.get("TORCHELASTIC_RUN_ID") is not None


def _from_environment(name, given, what):
    if given is not None and given != -1:
        return given
    if name not in os.environ:
        raise ValueError(
            f"Error initializing torch.distributed using env:// rendezvous: environment variable {name} expected, but not set"
        )
    return int(os.environ[name])


def init_process_group(
    backend=None,
    init_method=None,
    timeout=None,
    world_size=-1,
    rank=-1,
    store=None,
    group_name="",
    pg_options=None,
    device_id=None,
) -> None:
    """Makes the group of all processes, which is this one: `world_size` has to be 1, given or in the environment.

    Raises:
        ValueError: There is a group already, or something is not given.
        RuntimeError: There are more processes.

    >>> import rushlight.distributed as dist
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> dist.get_rank(), dist.get_world_size()
    (0, 1)
    >>> dist.destroy_process_group()
    """
    if _state.default is not None:
        raise ValueError("trying to initialize the default process group twice!")
    if store is not None and init_method is not None:
        raise AssertionError("Cannot specify both init_method and store.")
    if timeout is not None and not isinstance(timeout, datetime.timedelta):
        raise TypeError(f"Expected timeout argument to be of typedatetime.timedelta, got {timeout}")
    if store is None and (init_method is None or init_method.startswith("env://")):
        rank = _from_environment("RANK", rank, "rank")
        world_size = _from_environment("WORLD_SIZE", world_size, "world_size")
        for name in ("MASTER_ADDR", "MASTER_PORT"):
            _from_environment(name, None if name == "MASTER_PORT" else os.environ.get(name), name)
    if world_size == -1 or rank == -1:
        raise ValueError("Error initializing torch.distributed: rank and world_size are needed")
    if world_size != 1:
        raise RuntimeError(f"torch.distributed.init_process_group: {ONE_PROCESS}, got {world_size}")
    name = "gloo" if backend is None else str(backend)
    if "nccl" in name and ":" not in name:
        raise RuntimeError("Distributed package doesn't have NCCL built in")
    if name in ("mpi", "ucc", "xccl"):
        raise RuntimeError(f"Distributed package doesn't have {name.upper()} built in")
    _state.default = ProcessGroup(name)
    _state.made += 1


def destroy_process_group(group=None) -> None:
    """Forgets the group."""
    if group is GroupMember.NON_GROUP_MEMBER:
        return
    group = _state.default if group is None else group
    if group is None:
        raise AssertionError("Process group cannot be None")
    if group is _state.default:
        _state.default = None


def new_group(
    ranks=None,
    timeout=None,
    backend=None,
    pg_options=None,
    use_local_synchronization=False,
    group_desc=None,
    device_id=None,
    sort_ranks=True,
):
    """A group of some processes: of this one, or none."""
    default = _get_default_group()
    ranks = [0] if ranks is None else list(ranks)
    for rank in ranks:
        if rank != 0:
            raise ValueError(f"Rank {rank} is out of range. Valid ranks are 0 to 0 (world_size=1)")
    if not ranks:
        return GroupMember.NON_GROUP_MEMBER
    _state.made += 1
    return ProcessGroup(backend or default._backend, str(_state.made), group_desc or "undefined")


def new_subgroups(group_size=None, group=None, timeout=None, backend=None, pg_options=None, group_desc=None):
    """Groups of one size: (that of this process, all)."""
    if group_size not in (None, 1):
        raise ValueError(f"The group size ({group_size}) must divide the world size (1)")
    made = new_group([0], backend=backend, group_desc=group_desc)
    return made, [made]


def new_subgroups_by_enumeration(ranks_per_subgroup_list, timeout=None, backend=None, pg_options=None, group_desc=None):
    """Groups of the given ranks: (that of this process, all)."""
    made = [new_group(ranks, backend=backend, group_desc=group_desc) for ranks in ranks_per_subgroup_list]
    return made[0], made


def split_group(parent_pg=None, split_ranks=None, timeout=None, pg_options=None, group_desc=None):
    """A group of this process."""
    return new_group([0], group_desc=group_desc)


def get_rank(group=None) -> int:
    """0; -1 in a group that this process is not in."""
    if _rank_not_in_group(group):
        return -1
    return _find(group).rank()


def get_world_size(group=None) -> int:
    """1; -1 of a group that this process is not in."""
    if _rank_not_in_group(group):
        return -1
    return _find(group).size()


def get_backend(group=None):
    """The name of the way to communicate."""
    return Backend(_find(group)._backend)


def get_backend_config(group=None) -> str:
    """The ways to communicate, by types of devices."""
    return f"cpu:{_find(group)._backend}"


def get_default_backend_for_device(device) -> str:
    """The way to communicate between devices of a type."""
    kind = torch.device(device).type
    if kind not in Backend.default_device_backend_map:
        raise ValueError(f"Default backend not registered for device : {kind}")
    return Backend.default_device_backend_map[kind]


def get_process_group_ranks(group) -> list[int]:
    """The processes of a group."""
    _find(group)
    return [0]


def get_global_rank(group, group_rank: int) -> int:
    """The number among all processes of one in a group."""
    if group_rank != 0:
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return 0


def get_group_rank(group, global_rank: int) -> int:
    """The number in a group of one among all processes."""
    if global_rank != 0:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return 0


def get_node_local_rank(fallback_rank=None) -> int:
    """The number of this process on its machine, as torchrun says it."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is not None:
        return int(fallback_rank)
    raise RuntimeError(
        "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow `get_node_local_rank` to work, assuming you are not "
        "running in a multi-device context and want the code to run locally instead."
    )


def get_pg_count() -> int:
    """How many groups were made."""
    return _state.made


def supports_complex(reduceOp) -> bool:
    """Whether complex tensors can become one this way."""
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
    """Makes one tensor of those of all processes: this one's, as it is."""
    _check_tensor(tensor, "tensor")
    _find(group)
    if tensor.is_complex() and not supports_complex(op):
        raise ValueError(f"all_reduce does not support {op} on complex tensors")
    return _finished(group, async_op, [tensor])


def all_reduce_coalesced(tensors, op=ReduceOp.SUM, group=None, async_op=False):
    """all_reduce of several tensors."""
    tensors = [tensors] if isinstance(tensors, torch.Tensor) else tensors
    _check_tensors(tensors, "tensor")
    _find(group)
    return _finished(group, async_op, tensors)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """all_reduce, for one process alone."""
    _check_tensor(tensor, "tensor")
    _find(group)
    _check_root(dst, "reduce")
    return _finished(group, async_op, [tensor])


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Gives all processes the tensor of one: it has it."""
    _check_tensor(tensor, "tensor")
    _find(group)
    _check_root(src, "broadcast")
    return _finished(group, async_op, [tensor])


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Puts the tensors of all processes into a list of tensors."""
    _check_tensors(tensor_list, "tensor_list")
    _check_tensor(tensor, "tensor")
    _find(group)
    _check_list(tensor_list, "allgather")
    _copy(tensor_list[0], tensor)
    return _finished(group, async_op, tensor_list)


def all_gather_coalesced(output_tensor_lists, input_tensor_list, group=None, async_op=False):
    """all_gather of several tensors."""
    for outputs in output_tensor_lists:
        for output, given in zip(outputs, input_tensor_list, strict=True):
            _copy(output, given)
    return _finished(group, async_op)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Puts the tensors of all processes behind each other into one."""
    _check_tensor(input_tensor, "input_tensor")
    _check_tensor(output_tensor, "output_tensor")
    _find(group)
    _copy(output_tensor, input_tensor)
    return _finished(group, async_op, [output_tensor])


all_gather_single = _all_gather_base = all_gather_into_tensor


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """all_gather, for one process alone."""
    _check_tensor(tensor, "tensor")
    _find(group)
    if not gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    _check_root(dst, "gather")
    _copy(gather_list[0], tensor)
    return _finished(group, async_op, gather_list)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Gives each process one tensor of a list."""
    _check_tensor(tensor, "tensor")
    _find(group)
    if not scatter_list:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    _check_root(src, "scatter")
    _copy(tensor, scatter_list[0])
    return _finished(group, async_op, [tensor])


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Makes one list of tensors of those of all processes, and gives each one of it."""
    _check_tensor(output, "output")
    _check_tensors(input_list, "input_list")
    _find(group)
    _copy(output, input_list[0])
    return _finished(group, async_op, [output])


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """reduce_scatter, with the list in one tensor."""
    _check_tensor(output, "output")
    _check_tensor(input, "input")
    _find(group)
    _copy(output, input)
    return _finished(group, async_op, [output])


reduce_scatter_single = _reduce_scatter_base = reduce_scatter_tensor


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Sends each process one tensor of a list, and puts what comes into another list."""
    _check_tensors(output_tensor_list, "output_tensor_list")
    _check_tensors(input_tensor_list, "input_tensor_list")
    _find(group)
    for output, given in zip(output_tensor_list, input_tensor_list, strict=True):
        _copy(output, given)
    return _finished(group, async_op, output_tensor_list)


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False):
    """all_to_all, with the lists in one tensor each."""
    _check_tensor(output, "output")
    _check_tensor(input, "input")
    _find(group)
    _copy(output, input)
    return _finished(group, async_op, [output])


def barrier(group=None, async_op=False, device_ids=None, timeout=None):
    """Waits for all processes."""
    _find(group)
    return _finished(group, async_op)


def monitored_barrier(group=None, timeout=None, wait_all_ranks=False):
    """Waits for all processes."""
    _find(group)


def _no_other(what, direction):
    return ValueError(f"Invalid {what} rank: {what} rank should not be the same as the rank of the current process.")


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Raises: there is no other process."""
    _check_tensor(tensor, "tensor")
    _find(group)
    raise _no_other("destination", "to")


isend = send


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Raises: there is no other process."""
    _check_tensor(tensor, "tensor")
    _find(group)
    raise _no_other("source", "from")


irecv = recv


def send_object_list(object_list, dst=None, group=None, device=None, group_dst=None, use_batch=False):
    """Raises: there is no other process."""
    _find(group)
    raise _no_other("destination", "to")


def recv_object_list(object_list, src=None, group=None, device=None, group_src=None, use_batch=False):
    """Raises: there is no other process."""
    _find(group)
    raise _no_other("source", "from")


class P2POp:
    """A tensor to send to, or receive from, another process."""

    def __init__(self, op, tensor, peer=None, group=None, tag=0, group_peer=None):
        self.op, self.tensor, self.peer, self.group, self.tag = op, tensor, peer, group, tag


def batch_isend_irecv(p2p_op_list) -> list:
    """Raises: there is no other process."""
    return [op.op(op.tensor, op.peer, op.group, op.tag) for op in p2p_op_list]


def _through_pickle(value):
    """What another process would have received."""
    return pickle.loads(pickle.dumps(value))


def all_gather_object(object_list, obj, group=None) -> None:
    """Puts the objects of all processes into a list."""
    _find(group)
    object_list[0] = _through_pickle(obj)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None) -> None:
    """all_gather_object, for one process alone."""
    _find(group)
    if not object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    object_gather_list[0] = _through_pickle(obj)


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None) -> None:
    """Gives all processes the objects of one: it has them."""
    _find(group)
    _check_root(src, "broadcast")


def scatter_object_list(scatter_object_output_list, scatter_object_input_list=None, src=None, group=None, group_src=None) -> None:
    """Gives each process one object of a list."""
    _find(group)
    if not isinstance(scatter_object_output_list, list) or len(scatter_object_output_list) < 1:
        raise ValueError("Expected argument scatter_object_output_list to be a list of size at least 1.")
    scatter_object_output_list[0] = _through_pickle(scatter_object_input_list[0])
