"""What carries tensors between devices, and gradients back: there is one device, so that nothing is ever carried."""

from rushlight.autograd import Function
from rushlight.cuda._answers import no_binding

__all__ = ["Broadcast", "Gather", "ReduceAddCoalesced", "Scatter"]


class Broadcast(Function):
    """Tensors copied to several devices."""

    @staticmethod
    def forward(ctx, target_gpus, *inputs):
        if inputs:
            raise AssertionError("Broadcast function not implemented for CPU tensors")
        return ()


class ReduceAddCoalesced(Function):
    """The sums of what several devices have."""

    @staticmethod
    def forward(ctx, destination, num_inputs, *grads):
        if grads:
            raise AssertionError("reduce_add expects all inputs to be on GPUs, but input 0 is on CPU")
        return ()


class Gather(Function):
    """The tensors of several devices, joined on one."""

    @staticmethod
    def forward(ctx, target_device, dim, *inputs):
        if inputs:
            raise AssertionError("Gather function not implemented for CPU tensors")
        raise no_binding("_gather")


class Scatter(Function):
    """A tensor in parts, each on a device of its own."""

    @staticmethod
    def forward(ctx, target_gpus, chunk_sizes, dim, input):
        raise no_binding("_scatter")


def _get_stream(device):
    """None: copies within one device need no stream."""
