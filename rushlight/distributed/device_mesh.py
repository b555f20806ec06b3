"""Processes in a grid, of which there is one."""

from rushlight.distributed.distributed_c10d import ONE_PROCESS

__all__ = ["DeviceMesh", "init_device_mesh"]


class DeviceMesh:
    """A grid of processes."""

    def __init__(self, device_type, mesh=None, *, mesh_dim_names=None, backend_override=None, _init_backend=True):
        raise RuntimeError(f"torch.distributed.device_mesh.DeviceMesh: {ONE_PROCESS}")


def init_device_mesh(device_type, mesh_shape, *, mesh_dim_names=None, backend_override=None):
    """Raises: there is one process."""
    raise RuntimeError(f"torch.distributed.device_mesh.init_device_mesh: {ONE_PROCESS}")
