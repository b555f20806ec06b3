"""A module whose gradients are averaged over processes."""

import contextlib

from rushlight.distributed import distributed_c10d as _c10d
from rushlight.distributed.algorithms.join import Joinable, JoinHook
from rushlight.nn.modules.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module, Joinable):
    """Calls the module, which is its child `module`: the average over one process is what that has.

    Raises:
        ValueError: There is no process group.
        RuntimeError: No parameter of the module requires a gradient.

    Args:
        device_ids, output_device: The device of this process: None on the CPU.
        dim: The dimension along which batches are cut; only 0.
        broadcast_buffers: Whether buffers are those of the first process.
        init_sync: Whether parameters are, at first.
        process_group: The group; None is that of all processes.
        bucket_cap_mb, gradient_as_bucket_view, static_graph, find_unused_parameters, check_reduction: How gradients travel, which
            none does here.
        delay_all_reduce_named_params, param_to_hook_all_reduce: Parameters whose gradients travel together later.
        mixed_precision: The dtypes of parameters and gradients on their way.
        device_mesh: The grid of processes, instead of the group.
        skip_all_reduce_unused_params: Whether parameters that had no part stay away.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
    >>> model(torch.ones(3, 2)).shape
    torch.Size([3, 1])
    >>> torch.distributed.destroy_process_group()
    """

    def __init__(
        self,
        module,
        device_ids=None,
        output_device=None,
        dim=0,
        broadcast_buffers=None,
        init_sync=True,
        process_group=None,
        bucket_cap_mb=None,
        find_unused_parameters=False,
        check_reduction=False,
        gradient_as_bucket_view=False,
        static_graph=False,
        delay_all_reduce_named_params=None,
        param_to_hook_all_reduce=None,
        mixed_precision=None,
        device_mesh=None,
        skip_all_reduce_unused_params=False,
    ):
        super().__init__()
        if process_group is not None and device_mesh is not None:
            raise RuntimeError("Cannot specify both process_group and device_mesh arguments.")
        self.process_group = _c10d._get_default_group() if process_group is None else process_group
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a gradient."
            )
        if device_ids is not None and len(device_ids) > 1:
            raise ValueError("device_ids can only be None or contain a single element.")
        types = {parameter.device.type for parameter in module.parameters()}
        if types == {"cpu"} and (device_ids or output_device):
            raise ValueError(
                "DistributedDataParallel device_ids and output_device arguments only work with single-device/multiple-device GPU modules or "
                f"CPU modules, but got device_ids {device_ids}, output_device {output_device}, and module parameters "
                f"{ {parameter.device for parameter in module.parameters()} }."
            )
        self.module = module
        self.device = next(module.parameters()).device
        self.device_ids = self.output_device = None
        self.device_type = self.device.type
        self.dim = dim
        self.broadcast_buffers = True if broadcast_buffers is None else broadcast_buffers
        self.find_unused_parameters = find_unused_parameters
        self.gradient_as_bucket_view = gradient_as_bucket_view
        self.static_graph = static_graph
        self.mixed_precision = mixed_precision
        self.bucket_bytes_cap = int((25 if bucket_cap_mb is None else bucket_cap_mb) * 1024 * 1024)
        self.parameters_to_ignore = set(getattr(module, "_ddp_params_and_buffers_to_ignore", ()))
        self.require_backward_grad_sync = self.require_forward_param_sync = True

    def forward(self, *inputs, **kwargs):
        """What the module gives."""
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self):
        """A context in which gradients stay those of this process: as they are anyway."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextlib.contextmanager
    def join(self, divide_by_initial_world_size=True, enable=True, throw_on_early_termination=False):
        """A context in which processes may have different amounts of data: there is one."""
        yield

    def join_hook(self, **kwargs):
        """What this would do while other processes have data."""
        return JoinHook()

    def register_comm_hook(self, state, hook):
        """Accepts what would send gradients; nothing is sent."""
        if not callable(hook):
            raise TypeError("Communication hook must be callable.")

    def scatter(self, inputs, kwargs, device_ids):
        """The arguments, for this device."""
        return (inputs,), (kwargs,)

    def gather(self, outputs, output_device):
        """The outputs, of one device."""
        return outputs[0]

    def train(self, mode=True):
        """Switches the module to training, or to evaluation."""
        super().train(mode)
        return self

    def _set_static_graph(self):
        self.static_graph = True
