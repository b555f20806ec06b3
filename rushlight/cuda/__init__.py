"""CUDA as a program meets it on a machine without: nothing is available, and what would need a device is PyTorch's error."""

from rushlight.core import warn_user

from rushlight import core as _core
from rushlight._absent import AcceleratorError, OutOfMemoryError
from rushlight._absent_words import example as _example
from rushlight._late import late as _late
from rushlight._tensor_types import tensor_types as _tensor_types
from rushlight._utils import _get_device_index as _index_of
from rushlight.cuda import _answers, _streams
from rushlight.cuda._streams import Event, ExternalStream, Stream, StreamContext

default_generators = ()
stream = _streams.stream
has_half = True
has_magma = False
_initialized = False

globals().update(_answers.functions(__name__))
globals().update(_answers.classes(__name__, "CUDAGraph", "MemPool"))


def _get_device_index(device, optional=False, allow_cpu=False):
    return _index_of(device, optional, allow_cpu, "cuda")


def manual_seed(seed):
    """Does nothing: there is no CUDA generator to seed.

    Args:
        seed: A number; anything else is an error.

    >>> import rushlight as torch
    >>> torch.cuda.manual_seed(0)
    """
    int(seed)


manual_seed_all = manual_seed


def set_rng_state(new_state, device="cuda"):
    """Does nothing: a generator that is never made needs no state.

    Args:
        new_state: A tensor of bytes.
        device: The device.

    >>> import rushlight as torch
    >>> torch.cuda.set_rng_state(torch.zeros(8, dtype=torch.uint8))
    """


def set_rng_state_all(new_states):
    """Does nothing.

    Args:
        new_states: A tensor of bytes for each device: none.

    >>> import rushlight as torch
    >>> torch.cuda.set_rng_state_all([])
    """


def set_device(device):
    """Raises: there is no device to choose. (A negative number chooses none.)

    Args:
        device: The device, by its number, name or `torch.device`.

    >>> import rushlight as torch
    >>> torch.cuda.set_device(-1)
    >>> torch.cuda.set_device(0)
    Traceback (most recent call last):
        ...
    AttributeError: module 'torch._C' has no attribute '_cuda_setDevice'
    """
    if _get_device_index(device) >= 0:
        raise _answers.no_binding("_cuda_setDevice")


class device:
    """A context in which a device is the current one; entering it is an error where it names one.

    Args:
        device: The device, by its number, name or `torch.device`; a negative number is none.

    >>> import rushlight as torch
    >>> with torch.cuda.device(-1): torch.ones(2).sum()
    tensor(2.)
    """

    def __init__(self, device):
        self.idx = _get_device_index(device, optional=True)
        self.prev_idx = -1

    def __enter__(self):
        if self.idx is None or self.idx >= 0:
            raise RuntimeError("PyTorch was compiled without CUDA support")

    def __exit__(self, type, value, traceback):
        return False


class device_of(device):
    """The context of the device of a tensor, which has none.

    Args:
        obj: A tensor.

    >>> import rushlight as torch
    >>> with torch.cuda.device_of(torch.ones(2)): torch.ones(2).sum()
    tensor(2.)
    """

    def __init__(self, obj):
        self.idx = self.prev_idx = obj.get_device() if obj.is_cuda else -1


class _NoTensorType(type):
    def __call__(cls, *args, **kwargs):
        raise TypeError(f"type torch.cuda.{cls.__name__} not available. Torch not compiled with CUDA enabled.")

    def __instancecheck__(cls, instance):
        return False


def _no_tensors(name):
    error = TypeError(f"type torch.cuda.{name} not available. Torch not compiled with CUDA enabled.")
    return f"A type of which there are no tensors.\n\n{_example(f'torch.cuda.{name}()', error)}"


for _dtype in _tensor_types:
    if _dtype.legacy_name:
        _name = _dtype.legacy_name + "Tensor"
        globals()[_name] = _NoTensorType(_name, (), {"__module__": "torch.cuda", "__doc__": _no_tensors(_name), "dtype": _dtype})
del _dtype, _name


def memory_cached(device=None):
    """0; memory_reserved under its old name.

    Args:
        device: Which is not looked at.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.cuda.memory_cached()
    0
    """
    warn_user("`torch.cuda.memory_cached` has been renamed to `torch.cuda.memory_reserved`", FutureWarning)
    return 0


def max_memory_cached(device=None):
    """0; max_memory_reserved under its old name.

    Args:
        device: Which is not looked at.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.cuda.max_memory_cached()
    0
    """
    warn_user("`torch.cuda.max_memory_cached` has been renamed to `torch.cuda.max_memory_reserved`", FutureWarning)
    return 0


def _declare_old_reset(name):
    def reset(device=None):
        warn_user(
            f"torch.cuda.{name} now calls torch.cuda.reset_peak_memory_stats, which resets /all/ peak memory stats.",
            FutureWarning,
        )
        raise _answers.no_binding("_cuda_resetPeakMemoryStats")

    example = _example(f"torch.cuda.{name}()", _answers.no_binding("_cuda_resetPeakMemoryStats"), warns=True)
    about = "`reset_peak_memory_stats` under an old name, which warns."
    argument = "device: the device, by its number, name or `torch.device`; None is the current one."
    reset.__name__, reset.__doc__ = name, f"{about}\n\nArgs:\n    {argument}\n\n{example}"
    globals()[name] = reset


_declare_old_reset("reset_max_memory_allocated")
_declare_old_reset("reset_max_memory_cached")


class DeferredCudaCallError(Exception):
    """An error of a call that waited for CUDA.

    >>> import rushlight as torch
    >>> issubclass(torch.cuda.DeferredCudaCallError, Exception)
    True
    """


class graph:
    """A context that would capture what a stream does; there is no stream.

    Args:
        cuda_graph: The `CUDAGraph` to capture into.
        pool: Memory that other graphs share.
        stream: The stream; None makes one, which is an error.
        capture_error_mode: Which calls of other threads are refused meanwhile.
        enable_annotations: Whether kernels get the names of ranges.
        check_input_liveness: Whether inputs are looked at when it is done again.

    >>> import rushlight as torch
    >>> torch.cuda.graph(None)
    Traceback (most recent call last):
        ...
    RuntimeError: torch.cuda.Stream requires CUDA support
    """

    def __init__(
        self,
        cuda_graph,
        pool=None,
        stream=None,
        capture_error_mode="global",
        enable_annotations=False,
        check_input_liveness=False,
    ):
        self.capture_stream = Stream() if stream is None else stream


def make_graphed_callables(callables, sample_args, num_warmup_iters=3, allow_unused_input=False, pool=None):
    """Raises: there is no stream to capture.

    Args:
        callables: A module or function, or a tuple of them.
        sample_args: Example arguments for each.
        num_warmup_iters: How often each is called before.
        allow_unused_input: Whether an argument may have no gradient.
        pool: Memory that other graphs share.

    >>> import rushlight as torch
    >>> torch.cuda.make_graphed_callables(torch.nn.ReLU(), (torch.ones(2),))
    Traceback (most recent call last):
        ...
    RuntimeError: Tried to instantiate dummy base class CUDAGraph
    """
    raise RuntimeError("Tried to instantiate dummy base class CUDAGraph")


_PARTS = ("amp", "comm", "graphs", "jiterator", "memory", "nccl", "nvtx", "profiler", "random", "streams")
__getattr__ = _late(__name__, {name: f"{__name__}.{name}" for name in _PARTS})
