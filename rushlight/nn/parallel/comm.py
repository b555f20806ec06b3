"""Copies of tensors between devices, of which there are none."""

from rushlight._absent import answering
from rushlight.cuda._answers import no_binding

__all__ = ["broadcast", "broadcast_coalesced", "gather", "reduce_add", "reduce_add_coalesced", "scatter"]


def _scatter():
    raise no_binding("_scatter")


globals().update(
    answering(
        __name__,
        {
            "broadcast(tensor, devices=None, *, out=None)": no_binding("_broadcast"),
            "broadcast_coalesced(tensors, devices, buffer_size=10485760)": no_binding("_broadcast_coalesced"),
            "gather(tensors, dim=0, destination=None, *, out=None)": no_binding("_gather"),
            "reduce_add(inputs, destination=None)": RuntimeError("reduce_add expects all inputs to be on GPUs"),
            "reduce_add_coalesced(inputs, destination=None, buffer_size=10485760)": no_binding("_broadcast_coalesced"),
            "scatter(tensor, devices=None, chunk_sizes=None, dim=0, streams=None, *, out=None)": no_binding("_scatter"),
        },
    )
)
