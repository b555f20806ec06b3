"""Processes in a grid, of which there is one."""

from rushlight.distributed.distributed_c10d import ONE_PROCESS

__all__ = ["DeviceMesh", "init_device_mesh"]


class DeviceMesh:
    """A grid of processes.

    Args:
        device_type: The type of the devices, such as "cpu".
        mesh: The numbers of the processes, as a tensor or lists: only `[0]`.
        mesh_dim_names: A name for each dimension.
        backend_override: The way to communicate along each dimension.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.DeviceMesh("cpu", [0]).size()
    Traceback (most recent call last):
        ...
    RuntimeError: torch.distributed.device_mesh.DeviceMesh: Rushlight communicates within one process only: world_size must be 1
    >>> torch.distributed.destroy_process_group()
    """

    def __init__(self, device_type, mesh=None, *, mesh_dim_names=None, backend_override=None, _init_backend=True):
        raise RuntimeError(f"torch.distributed.device_mesh.DeviceMesh: {ONE_PROCESS}")


def init_device_mesh(device_type, mesh_shape, *, mesh_dim_names=None, backend_override=None):
    """Raises: there is one process.

    Args:
        device_type: The type of the devices, such as "cpu".
        mesh_shape: How many processes along each dimension.
        mesh_dim_names: A name for each dimension.
        backend_override: The way to communicate along each dimension.

    >>> import rushlight as torch
    >>> torch.distributed.init_device_mesh("cpu", (2,))
    Traceback (most recent call last):
        ...
    RuntimeError: torch.distributed.device_mesh.init_device_mesh: Rushlight communicates within one process only: world_size must
    be 1
    """
    raise RuntimeError(f"torch.distributed.device_mesh.init_device_mesh: {ONE_PROCESS}")
