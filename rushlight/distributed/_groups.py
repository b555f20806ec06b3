"""Groups of processes, of which there is one: how they begin and end, and who is in them."""

import datetime
import os

import rushlight as torch
from rushlight.distributed._stores import ONE_PROCESS

default_pg_timeout = datetime.timedelta(minutes=30)


class Backend(str):
    """The name of a way to communicate, in lower case.

    Args:
        name: The name; letters may be large.

    >>> import rushlight as torch
    >>> torch.distributed.Backend("GLOO")
    'gloo'
    """

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


class ProcessGroup:
    """The processes that communicate: this one.

    Args:
        backend: The way to communicate.
        name: Its name.
        description: What it is for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.group.WORLD.size()
    1
    >>> torch.distributed.destroy_process_group()
    """

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
    """Where the group of all processes is: `group.WORLD`.

    >>> import rushlight as torch
    >>> torch.distributed.group.WORLD
    """


class GroupMember(metaclass=_WorldMeta):
    """`GroupMember.WORLD`, and what stands for a group that a process is not in.

    >>> import rushlight as torch
    >>> torch.distributed.GroupMember.WORLD
    """

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
    """Whether there is a group of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.is_initialized()
    False
    """
    return _state.default is not None


def is_mpi_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.distributed.is_mpi_available()
    False
    """
    return False


def is_nccl_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.distributed.is_nccl_available()
    False
    """
    return False


def is_ucc_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.distributed.is_ucc_available()
    False
    """
    return False


def is_xccl_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.distributed.is_xccl_available()
    False
    """
    return False


def is_gloo_available() -> bool:
    """True: as the way to communicate within one process.

    >>> import rushlight as torch
    >>> torch.distributed.is_gloo_available()
    True
    """
    return True


def is_backend_available(backend: str) -> bool:
    """Whether a way to communicate is there.

    Args:
        backend: Its name.

    >>> import rushlight as torch
    >>> torch.distributed.is_backend_available("gloo")
    True
    """
    return backend.lower() == "gloo"


def is_torchelastic_launched() -> bool:
    """Whether this process was started by torchrun.

    >>> import rushlight as torch
    >>> torch.distributed.is_torchelastic_launched()
    False
    """
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

    Args:
        backend: The way to communicate: "gloo", or None.
        init_method: Where processes meet, such as "env://".
        timeout: How long to wait for others.
        group_name: Its name.
        pg_options: Options of the way to communicate.
        device_id: The device of this process.

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
    """Forgets the group.

    Args:
        group: The group; None is all of them.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.destroy_process_group()
    >>> torch.distributed.is_initialized()
    False
    """
    if group is GroupMember.NON_GROUP_MEMBER:
        return
    group = _state.default if group is None else group
    if group is None:
        raise AssertionError("Process group cannot be None")
    if group is _state.default:
        _state.default, _state.made = None, 0


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
    """A group of some processes: of this one, or none.

    Args:
        ranks: The processes by their numbers; None is all.
        timeout: How long to wait for others.
        backend: The way to communicate.
        pg_options: Options of it.
        use_local_synchronization: Whether only its own processes wait for each other.
        group_desc: What it is for.
        device_id: The device of this process.
        sort_ranks: Whether the numbers are sorted.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.new_group([0]).size()
    1
    >>> torch.distributed.destroy_process_group()
    """
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
    """Groups of one size: (that of this process, all).

    Args:
        group_size: How many processes each has.
        group: The group to divide; None is that of all processes.
        timeout: How long to wait for others.
        backend: The way to communicate.
        pg_options: Options of it.
        group_desc: What they are for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> mine, groups = torch.distributed.new_subgroups(1)
    >>> mine.size(), len(groups)
    (1, 1)
    >>> torch.distributed.destroy_process_group()
    """
    if group_size not in (None, 1):
        raise ValueError(f"The group size ({group_size}) must divide the world size (1)")
    made = new_group([0], backend=backend, group_desc=group_desc)
    return made, [made]


def new_subgroups_by_enumeration(ranks_per_subgroup_list, timeout=None, backend=None, pg_options=None, group_desc=None):
    """Groups of the given ranks: (that of this process, all).

    Args:
        ranks_per_subgroup_list: The processes of each, by their numbers.
        timeout: How long to wait for others.
        backend: The way to communicate.
        pg_options: Options of it.
        group_desc: What they are for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> mine, groups = torch.distributed.new_subgroups_by_enumeration([[0]])
    >>> mine.size(), len(groups)
    (1, 1)
    >>> torch.distributed.destroy_process_group()
    """
    made = [new_group(ranks, backend=backend, group_desc=group_desc) for ranks in ranks_per_subgroup_list]
    return made[0], made


def split_group(parent_pg=None, split_ranks=None, timeout=None, pg_options=None, group_desc=None):
    """A group of this process.

    Args:
        parent_pg: The group to divide; None is that of all processes.
        split_ranks: The processes of each part, by their numbers.
        timeout: How long to wait for others.
        pg_options: Options of the way to communicate.
        group_desc: What it is for.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.split_group(split_ranks=[[0]]).size()
    1
    >>> torch.distributed.destroy_process_group()
    """
    return new_group([0], group_desc=group_desc)


def get_rank(group=None) -> int:
    """0; -1 in a group that this process is not in.

    Args:
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.get_rank()
    0
    >>> torch.distributed.destroy_process_group()
    """
    if _rank_not_in_group(group):
        return -1
    return _find(group).rank()


def get_world_size(group=None) -> int:
    """1; -1 of a group that this process is not in.

    Args:
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.get_world_size()
    1
    >>> torch.distributed.destroy_process_group()
    """
    if _rank_not_in_group(group):
        return -1
    return _find(group).size()


def get_backend(group=None):
    """The name of the way to communicate.

    Args:
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.get_backend()
    'gloo'
    >>> torch.distributed.destroy_process_group()
    """
    return Backend(_find(group)._backend)


def get_backend_config(group=None) -> str:
    """The ways to communicate, by types of devices.

    Args:
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.get_backend_config()
    'cpu:gloo'
    >>> torch.distributed.destroy_process_group()
    """
    return f"cpu:{_find(group)._backend}"


def get_default_backend_for_device(device) -> str:
    """The way to communicate between devices of a type.

    Args:
        device: Its type, or a `torch.device`.

    >>> import rushlight as torch
    >>> torch.distributed.get_default_backend_for_device("cpu")
    'gloo'
    """
    kind = torch.device(device).type
    if kind not in Backend.default_device_backend_map:
        raise ValueError(f"Default backend not registered for device : {kind}")
    return Backend.default_device_backend_map[kind]


def get_process_group_ranks(group) -> list[int]:
    """The processes of a group.

    Args:
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.get_process_group_ranks(None)
    [0]
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    return [0]


def get_global_rank(group, group_rank: int) -> int:
    """The number among all processes of one in a group.

    Args:
        group: The group.
        group_rank: The number in it.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.get_global_rank(torch.distributed.group.WORLD, 0)
    0
    >>> torch.distributed.destroy_process_group()
    """
    if group_rank != 0:
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return 0


def get_group_rank(group, global_rank: int) -> int:
    """The number in a group of one among all processes.

    Args:
        group: The group.
        global_rank: The number among all.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.get_group_rank(torch.distributed.group.WORLD, 0)
    0
    >>> torch.distributed.destroy_process_group()
    """
    if global_rank != 0:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return 0


def get_node_local_rank(fallback_rank=None) -> int:
    """The number of this process on its machine, as torchrun says it.

    Args:
        fallback_rank: What to answer where LOCAL_RANK is not in the environment; None is an error.

    >>> import rushlight as torch
    >>> torch.distributed.get_node_local_rank(fallback_rank=0)
    0
    """
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is not None:
        return int(fallback_rank)
    raise RuntimeError(
        "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow `get_node_local_rank` to work, assuming you are not "
        "running in a multi-device context and want the code to run locally instead."
    )


def get_pg_count() -> int:
    """How many groups were made.

    >>> import rushlight as torch
    >>> torch.distributed.get_pg_count()
    0
    """
    return _state.made
