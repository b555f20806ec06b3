"""XPU as a program meets it on a machine without."""

from rushlight import cuda as _cuda
from rushlight._absent import answering as _answering, dummies as _dummies
from rushlight._utils import _get_device_index as _index_of
from rushlight.cuda._answers import no_binding as _no_binding, without as _without
from rushlight.cuda import StreamContext, stream

NO_XPU = AssertionError("Torch not compiled with XPU enabled")
_NO_ZES = ImportError("pyzes is required; install it with 'pip install pyzes'.")
default_generators = ()
_initialized = False
_MONITORED = ("clock_rate", "device_memory_used", "memory_usage", "power_draw", "temperature", "utilization")

globals().update(
    _answering(
        __name__,
        {
            **_without("_xpu", NO_XPU),
            **{f"{name}(device=None)": _NO_ZES for name in _MONITORED},
            "change_current_allocator(allocator)": _no_binding("_xpu_changeCurrentAllocator"),
            "get_rng_state(device='xpu')": NO_XPU,
            "graph_pool_handle()": RuntimeError("Tried to instantiate dummy base class _xpu_graph_pool_handle"),
            "is_current_stream_capturing()": RuntimeError("Tried to instantiate dummy base class _xpu_isCurrentStreamCapturing"),
            "memory_snapshot(mempool_id=None)": [],
            "set_device(device)": NO_XPU,
            "set_rng_state(new_state, device='xpu')": None,
            "set_rng_state_all(new_states)": None,
        },
    )
)
globals().update(_dummies(__name__, "Event", "MemPool", "Stream", "XPUGraph"))
manual_seed = manual_seed_all = _cuda.manual_seed


class device:
    """A context in which a device is the current one; entering it is an error.

    Args:
        device: The device, by its number, name or `torch.device`.

    >>> import rushlight as torch
    >>> with torch.xpu.device(0): pass
    Traceback (most recent call last):
        ...
    NotImplementedError: PyTorch was compiled without XPU support
    """

    def __init__(self, device):
        self.idx = _index_of(device, True, False, "xpu")
        self.prev_idx = -1

    def __enter__(self):
        raise NotImplementedError("PyTorch was compiled without XPU support")

    def __exit__(self, type, value, traceback):
        return False
