"""What collectives have in common: ways to reduce, work that is done, and checks."""

import enum

import rushlight as torch
from rushlight.futures import Future


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
