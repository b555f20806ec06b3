"""A group of one process, and modules that would be spread over processes or devices."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402
import torch.distributed  # noqa: E402

import rushlight  # noqa: E402


def outcome(function, library):
    try:
        result = function(library)
    except Exception as error:
        return type(error).__name__, str(error).splitlines()[0]
    return result if isinstance(result, (int, float, str, bool, list, tuple, dict, type(None))) else type(result).__name__


def gathered(t):
    out = [t.zeros(2)]
    t.distributed.all_gather(out, t.ones(2))
    objects = [None]
    t.distributed.all_gather_object(objects, {"a": 1})
    one = t.zeros(2)
    t.distributed.all_gather_into_tensor(one, t.full((2,), 3.0))
    return [x.tolist() for x in out], objects, one.tolist()


def exchanged(t):
    dist = t.distributed
    a, b, c, d = t.zeros(2), t.zeros(2), t.zeros(2), t.zeros(2)
    dist.scatter(a, [t.ones(2)])
    dist.reduce_scatter(b, [t.full((2,), 2.0)])
    dist.all_to_all_single(c, t.full((2,), 3.0))
    dist.all_to_all([d], [t.full((2,), 4.0)])
    return [x.tolist() for x in (a, b, c, d)]


def averaged(t):
    t.manual_seed(0)
    model = t.nn.parallel.DistributedDataParallel(t.nn.Linear(2, 1))
    with model.no_sync():
        model(t.ones(1, 2)).sum().backward()
    return list(model.state_dict()), repr(model), [p.grad.tolist() for p in model.parameters()], model.module.weight.tolist()


CALLS = {
    "is_available": lambda t: t.distributed.is_available(),
    "is_initialized": lambda t: t.distributed.is_initialized(),
    "rank": lambda t: t.distributed.get_rank(),
    "world": lambda t: t.distributed.get_world_size(),
    "backend": lambda t: str(t.distributed.get_backend()),
    "all_reduce": lambda t: t.distributed.all_reduce(t.ones(1)),
    "all_reduce later": lambda t: t.distributed.all_reduce(t.ones(1), async_op=True).wait(),
    "all_reduce of no tensor": lambda t: t.distributed.all_reduce(3),
    "debug level": lambda t: repr(t.distributed.get_debug_level()),
    "debug levels": lambda t: [repr(getattr(t.distributed.DebugLevel, name)) for name in ("OFF", "INFO", "DETAIL")],
    "an op between two that is none": lambda t: t.distributed.P2POp(len, t.ones(1), 0),
    "no ops between two": lambda t: t.distributed.batch_isend_irecv([]),
    "ops between two that are none": lambda t: t.distributed.batch_isend_irecv([3]),
    "replicate without parameters": lambda t: repr(t.nn.parallel.replicate(t.nn.ReLU(), [0])),
    "barrier": lambda t: t.distributed.barrier(),
    "broadcast": lambda t: t.distributed.broadcast(t.ones(1), 0),
    "broadcast of another": lambda t: t.distributed.broadcast(t.ones(1), 1),
    "gathered": gathered,
    "exchanged": exchanged,
    "send": lambda t: t.distributed.send(t.ones(1), 0),
    "new_group": lambda t: t.distributed.get_world_size(t.distributed.new_group([0])),
    "group of another": lambda t: t.distributed.new_group([1]),
    "ranks": lambda t: t.distributed.get_process_group_ranks(None),
    "again": lambda t: t.distributed.init_process_group("gloo", rank=0, world_size=1, store=t.distributed.HashStore()),
    "data parallel over processes": averaged,
    "no parameters": lambda t: t.nn.parallel.DistributedDataParallel(t.nn.ReLU()),
    "data parallel over devices": lambda t: repr(t.nn.DataParallel(t.nn.Linear(1, 1))),
    "its state": lambda t: list(t.nn.DataParallel(t.nn.Linear(1, 1)).state_dict()),
    "its devices": lambda t: t.nn.DataParallel(t.nn.Linear(1, 1)).device_ids,
    "data_parallel": lambda t: t.nn.parallel.data_parallel(t.nn.Linear(1, 1), t.ones(1, 1)),
    "scatter": lambda t: t.nn.parallel.scatter(t.ones(1), [0]),
    "gather": lambda t: t.nn.parallel.gather([t.ones(1)], "cpu"),
    "replicate": lambda t: t.nn.parallel.replicate(t.nn.Linear(1, 1), [0]),
    "reduce operations": lambda t: [
        repr(op) for op in (t.distributed.ReduceOp.SUM, t.distributed.ReduceOp.MAX, t.distributed.ReduceOp.AVG)
    ],
    "backends": lambda t: [str(t.distributed.Backend(name)) for name in ("GLOO", "nccl", "foo")],
    "libraries": lambda t: [getattr(t.distributed, f"is_{n}_available")() for n in ("nccl", "gloo", "mpi", "ucc", "xccl")],
    "default backend": lambda t: t.distributed.get_default_backend_for_device("cpu"),
    "world of none": lambda t: t.distributed.GroupMember.NON_GROUP_MEMBER,
    "nothing to destroy": lambda t: None if t.distributed.is_initialized() else t.distributed.destroy_process_group(),
    "no rank": lambda t: None if t.distributed.is_initialized() else t.distributed.init_process_group("gloo"),
}


@pytest.fixture
def groups():
    for library in (rushlight, torch):
        library.distributed.init_process_group("gloo", rank=0, world_size=1, store=library.distributed.HashStore())
    yield
    for library in (rushlight, torch):
        library.distributed.destroy_process_group()


@pytest.mark.parametrize("name", [name for name in CALLS if name != "again"])
def test_without_a_group(name):
    assert outcome(CALLS[name], rushlight) == outcome(CALLS[name], torch)


@pytest.mark.parametrize("name", CALLS)
def test_in_a_group_of_one(name, groups):
    assert outcome(CALLS[name], rushlight) == outcome(CALLS[name], torch)


def test_more_processes_are_an_error():
    with pytest.raises(RuntimeError, match="world_size must be 1, got 2"):
        rushlight.distributed.init_process_group("gloo", rank=0, world_size=2, store=rushlight.distributed.HashStore())
    with pytest.raises(RuntimeError, match="FullyShardedDataParallel: Rushlight communicates within one process only"):
        rushlight.distributed.fsdp.FullyShardedDataParallel(rushlight.nn.Linear(1, 1))
