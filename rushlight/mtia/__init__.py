"""MTIA as a program meets it on a machine without."""

from rushlight._absent import answering as _answering
from rushlight._utils import _get_device_index as _index_of

NO_MTIA = AssertionError(
    "Torch not compiled with MTIA enabled. Ensure you have `import mtia.host_runtime.torch_mtia.dynamic_library` in your python src file and "
    "include `//mtia/host_runtime/torch_mtia:torch_mtia` as your target dependency!"
)
default_generators = ()


def _no_mtia(call):
    return RuntimeError(f"Cannot execute {call}() without MTIA backend.")


_NO_DEVICE = _no_mtia("getCurrentDevice")
globals().update(
    _answering(
        __name__,
        {
            "current_device()": _NO_DEVICE,
            "current_stream(device=None)": _NO_DEVICE,
            "default_stream(device=None)": _NO_DEVICE,
            "device(device)": _NO_DEVICE,
            "device_count()": 0,
            "empty_cache()": _no_mtia("emptyCache"),
            "get_device_capability(device=None)": _NO_DEVICE,
            "get_device_properties(device=None)": _NO_DEVICE,
            "get_rng_state(device='mtia')": NO_MTIA,
            "get_rng_state_all()": [],
            "graph_pool_handle()": _no_mtia("graphPoolHandle"),
            "init()": NO_MTIA,
            "initial_seed()": NO_MTIA,
            "is_available()": False,
            "is_bf16_supported(including_emulation=True)": True,
            "is_initialized()": False,
            "manual_seed(seed)": None,
            "manual_seed_all(seed)": None,
            "max_memory_allocated(device=None)": 0,
            "memory_allocated(device=None)": 0,
            "memory_stats(device=None)": {},
            "record_memory_history(enabled='all', stacks='python', max_entries=0)": None,
            "reset_peak_memory_stats(device=None)": None,
            "seed()": None,
            "seed_all()": None,
            "set_rng_state(new_state, device='mtia')": _NO_DEVICE,
            "set_rng_state_all(new_states)": None,
            "set_stream(stream)": None,
            "snapshot()": _no_mtia("memorySnapshot"),
            "stream(stream)": _NO_DEVICE,
            "synchronize(device=None)": _NO_DEVICE,
            "_is_compiled()": False,
            "_is_in_bad_fork()": False,
            "_lazy_init()": NO_MTIA,
        },
    )
)


def set_device(device):
    """Raises: there is no device to choose.

    Args:
        device: The device, by its number, name or `torch.device`.

    >>> import rushlight as torch
    >>> torch.mtia.set_device(0)
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot execute setCurrentDevice() without MTIA backend.
    """
    if device is None:
        raise ValueError("Expected a torch.device with a specified index or an integer, but got: None")
    if _index_of(device) >= 0:
        raise _no_mtia("setCurrentDevice")


class StreamContext:
    """A context in which a stream is the current one: there is none."""

    def __init__(self, stream):
        raise RuntimeError(*_NO_DEVICE.args)


class MTIAGraph:
    """Captured work of a stream: there is none.

    Args:
        keep_graph: Whether the graph is kept to be looked at.

    >>> import rushlight as torch
    >>> torch.mtia.MTIAGraph()
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot execute mtiagraphCreate() without MTIA backend.
    """

    def __init__(self, keep_graph=False):
        raise _no_mtia("mtiagraphCreate")
