"""Communication between devices, of which there are none."""

from rushlight._absent import answering
from rushlight.core import warn_user
from rushlight.cuda._answers import no_binding

__all__ = [
    "all_gather",
    "all_reduce",
    "broadcast",
    "init_rank",
    "is_available",
    "reduce",
    "reduce_scatter",
    "unique_id",
    "version",
]

globals().update(
    answering(
        __name__,
        {
            "all_gather(inputs, outputs, streams=None, comms=None)": no_binding("_nccl_all_gather"),
            "all_reduce(inputs, outputs=None, op=0, streams=None, comms=None)": no_binding("_nccl_all_reduce"),
            "broadcast(inputs, root=0, streams=None, comms=None)": no_binding("_nccl_broadcast"),
            "init_rank(num_ranks, uid, rank)": no_binding("_nccl_init_rank"),
            "reduce(inputs, output=None, root=0, op=0, streams=None, comms=None, *, outputs=None)": no_binding("_nccl_reduce"),
            "reduce_scatter(inputs, outputs, op=0, streams=None, comms=None)": no_binding("_nccl_reduce_scatter"),
            "unique_id()": no_binding("_nccl_unique_id"),
            "version()": no_binding("_nccl_version"),
        },
    )
)


def is_available(tensors):
    """False, with a warning.

    Args:
        tensors: Tensors that would be sent.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.cuda.nccl.is_available([torch.ones(2)])
    False
    """
    warn_user("PyTorch is not compiled with NCCL support")
    return False
