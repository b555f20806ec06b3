"""Names of `torch._C` that programs and pickles use, where there is something here that they truly stand for.

The modules of PyTorch's compiled part that they name lie beside this one.
"""

import enum
import importlib
import weakref

import rushlight
from rushlight import _disabling, _settings, core
from rushlight._absent import answering as _answering
from rushlight._build import has_lapack, has_mkl, has_openmp, has_spectral
from rushlight._C import _autograd, _functions, _functorch
from rushlight.autograd.grad_mode import set_multithreading_enabled as _MultithreadingEnabled
from rushlight.autograd.grad_mode import view_replay as _view_replay
from rushlight.core import DisableAllTorchFunction as DisableTorchFunction
from rushlight.core import DisableTorchDispatch as _DisableTorchDispatch
from rushlight.core import DisableTorchFunction as DisableTorchFunctionSubclass
from rushlight.core import FunctionNode as _FunctionBase
from rushlight.core import Generator, Size, device, dtype, has_torch_function, layout, memory_format
from rushlight.core import Tensor as TensorBase
from rushlight.core import disabled_torch_dispatch as _disabled_torch_dispatch_impl
from rushlight.core import disabled_torch_function as _disabled_torch_function_impl
from rushlight.func._vmap_level import fallback_warnings
from rushlight.utils.weak import WeakIdKeyDictionary

__all__ = ["DisableTorchFunctionSubclass", "Generator", "Size", "TensorBase", "device", "dtype", "layout", "memory_format"]

_TensorBase = TensorBase
_TensorMeta = type(TensorBase)


class _FunctionsMeta(type):
    def __getattr__(cls, name):
        return getattr(rushlight, name)


class _VariableFunctionsClass(metaclass=_FunctionsMeta):
    """The class whose attributes the functions of `torch` are: pickles find them there."""


class Value:
    """A value in a compiled program: there is none."""


class Graph:
    """A compiled program: there is none."""


class Node:
    """A step of a compiled program: there is none."""


class ScriptDict:
    """A dictionary of a compiled program: there is none."""

    def __init__(self, *args):
        raise RuntimeError("torch._C.ScriptDict: Rushlight has no TorchScript")


class ScriptList:
    """A list of a compiled program: there is none."""

    def __init__(self, *args):
        raise RuntimeError("torch._C.ScriptList: Rushlight has no TorchScript")


class ScriptMethod:
    """A method of a compiled module: there is none."""

    def __init__(self):
        raise TypeError("torch._C.ScriptMethod: No constructor defined!")

    def __call__(self, *args, **kwargs):
        raise TypeError("torch._C.ScriptMethod: No constructor defined!")


_has_cuda = _has_cudnn = _has_cusparselt = _has_magma = _has_mkldnn = _has_mkldnn_acl = _has_mps = _has_xpu = False
_VariableFunctions = _VariableFunctionsClass
_has_torch_function = has_torch_function


# ---- modes ----------------------------------------------------------------------------------------------------------------
def _is_multithreading_enabled():
    """What set_multithreading_enabled has set."""
    return core.set_multithreading(None)


def _set_multithreading_enabled(enabled):
    """Sets what `_is_multithreading_enabled` tells: backward runs on its caller's thread whatever it is."""
    core.set_multithreading(enabled)


def _set_grad_enabled(enabled):
    """Switches recording."""
    core.set_grad_mode(enabled)


is_grad_enabled = core.is_grad_enabled


def _is_fwd_grad_enabled():
    """Whether forward-mode differentiation is on."""
    return core.is_forward_ad_enabled()


def _set_fwd_grad_enabled(enabled):
    """Switches forward-mode differentiation."""
    core.set_forward_ad_enabled(enabled)


def _is_torch_function_enabled():
    """Whether subclasses are asked what to do."""
    return core.is_torch_function_enabled()


class _EnableTorchFunction:
    """While such an object lives, subclasses and modes are asked, whatever contexts it is in."""

    def __init__(self):
        self._before = _disabling.torch_function_state()
        _disabling.set_torch_function_state(0)

    def __del__(self):
        _disabling.set_torch_function_state(self._before)


class _TorchFunctionState(enum.Enum):
    """Who is asked about calls: all, only modes, nobody."""

    ENABLED = 0
    SUBCLASSES_DISABLED = 1
    ALL_DISABLED = 2


def _get_torch_function_state():
    """Who is asked about calls in this thread."""
    return _TorchFunctionState(_disabling.torch_function_state())


def _set_torch_function_state(state):
    """Says who is asked about calls in this thread."""
    _disabling.set_torch_function_state(state.value)


def _pop_torch_function_stack():
    """Takes the innermost mode off, and returns it."""
    return core.pop_function_mode()


def _get_cpu_capability():
    """The set of instructions that kernels can use."""
    from rushlight.backends.cpu import get_cpu_capability

    return get_cpu_capability()


_CONVOLUTIONS = (
    "CudaDepthwise2d", "CudaDepthwise3d", "Cudnn", "CudnnTranspose", "Empty", "Miopen", "MiopenDepthwise", "MiopenTranspose", "Mkldnn",
    "MkldnnEmpty", "NnpackSpatial", "Overrideable", "Slow2d", "Slow3d", "SlowDilated2d", "SlowDilated3d", "SlowTranspose2d",
    "SlowTranspose3d", "Winograd3x3Depthwise", "Xnnpack2d", "Mps", "MpsTranspose",
)  # fmt: skip
_ConvBackend = enum.IntEnum("_ConvBackend", dict(zip(_CONVOLUTIONS, (*range(9), *range(10, 23)), strict=True)))  # type: ignore[misc]
_ConvBackend.__str__ = lambda self: f"_ConvBackend.{self.name}"  # type: ignore[method-assign, attr-defined]


def _select_conv_backend(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, bias_sizes=None):
    """What PyTorch calls the way in which it would compute a convolution, where no other library does it."""
    if 0 in input.shape[:2]:
        return _ConvBackend["Empty"]
    kind = "Transpose" if transposed else "Dilated" if any(step != 1 for step in dilation) else ""
    return _ConvBackend[f"Slow{kind}{max(input.dim() - 2, 2)}d"]


def _get_mkldnn_enabled():
    """What `_set_mkldnn_enabled` has set."""
    return rushlight.backends.mkldnn.enabled


def _set_mkldnn_enabled(enabled):
    """Sets whether a library is used that is not there."""
    rushlight.backends.mkldnn.enabled = enabled


def _get_deterministic_algorithms():
    """What use_deterministic_algorithms has set."""
    return _settings.are_deterministic_algorithms_enabled()


def _debug_only_display_vmap_fallback_warnings(enabled):
    """Whether a vmap that computes one example after the other says so."""
    fallback_warnings.enabled = enabled


def _debug_only_are_vmap_fallback_warnings_enabled():
    """What `_debug_only_display_vmap_fallback_warnings` has set."""
    return fallback_warnings.enabled


# ---- the backward that runs -----------------------------------------------------------------------------------------------
def _current_graph_task_id():
    """The number of the innermost backward that runs on this thread, or -1."""
    return core.current_run() or -1


def _current_autograd_node():
    """The node that the innermost backward of this thread runs, or None."""
    return core.current_node()


def _will_engine_execute_node(node):
    """Whether the innermost backward of this thread runs `node`."""
    if not isinstance(node, core.Node):
        raise RuntimeError(f"_will_engine_execute_node expects an grad_fn, but got {type(node).__name__}")
    if not core.current_run():
        raise RuntimeError("_get_should_execute_nodes should only be called during the backward pass")
    if isinstance(node, core.AccumulateGrad) and core.current_run_captures(node):
        raise RuntimeError(
            "A leaf node was passed to _will_engine_execute_node but we are currently running autograd.grad(). This is currently not supported."
        )
    return core.current_run_reaches(node)


def _current_graph_task_execution_order():
    """The nodes of the innermost backward of this thread in the order in which they run."""
    if not core.current_run():
        raise RuntimeError("_current_graph_task_execution_order should only be called during the backward pass")
    if _is_multithreading_enabled():
        raise RuntimeError(
            "get_current_graph_task_execution_order expects the current backward to be executed with multithreading disabled, e.g. by running:\n\n"
            ">>> with torch.autograd.set_multithreading_enabled(False):\n...     torch.autograd.grad(...)\n"
        )
    return core.execution_order()


def _set_view_replay_enabled(enabled):
    """Sets what `_is_view_replay_enabled` tells: histories of views are windows on those of their bases whatever it is."""
    _view_replay.enabled = enabled


def _is_view_replay_enabled():
    """What `_set_view_replay_enabled` has set in this thread."""
    return _view_replay.enabled


# ---- tensors ----------------------------------------------------------------------------------------------------------------
class _WeakTensorRef:
    """A weak reference to a tensor: `expired()` once it is gone."""

    def __init__(self, tensor):
        self._reference = weakref.ref(tensor)

    def expired(self):
        """Whether the tensor is gone."""
        return self._reference() is None


_cached = WeakIdKeyDictionary()


def _set_cached_tensors_enabled(enabled):
    """Does nothing: nothing asks which tensors are kept for another use."""


def _add_cached_tensor(t):
    """Notes that a tensor is kept for another use."""
    _cached[t] = True


def _remove_cached_tensor(t):
    """Takes the note back."""
    _cached.pop(t, None)


def _is_cached_tensor(t):
    """Whether a tensor is noted as kept for another use."""
    return t in _cached


def _is_alias_of(x, y):
    """Whether two tensors lie over the same memory."""
    return x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()


# ---- compilers, which are not there ---------------------------------------------------------------------------------------
globals().update(
    _answering(
        __name__,
        {
            "_get_tracing_state()": None,
            "_is_tracing()": False,
            "_log_api_usage_once(event)": None,
            "_get_accelerator(check_available=None)": device("cpu"),
            "_get_privateuse1_backend_name()": "privateuseone",
            "_get_graph_executor_optimize(new_setting=None)": True,
            "_jit_can_fuse_on_cpu()": False,
            "_jit_can_fuse_on_gpu()": False,
            "_jit_override_can_fuse_on_cpu(enabled)": None,
            "_jit_override_can_fuse_on_gpu(enabled)": None,
            "_jit_set_num_profiled_runs(count)": 1,
            "_jit_set_nvfuser_enabled(enabled)": False,
            "_jit_set_profiling_executor(enabled)": True,
            "_jit_set_profiling_mode(enabled)": True,
            "_jit_set_texpr_fuser_enabled(enabled)": None,
        },
    )
)


def _is_torch_function_mode_enabled():
    """Whether a mode is asked about calls."""
    return bool(core.function_modes())


def _len_torch_function_stack():
    """How many modes are asked about calls."""
    return len(core.function_modes())


def _are_functorch_transforms_active():
    """Whether a function is being transformed."""
    return core.transform_depth() > 0


def _get_default_device():
    """Where tensors are made."""
    return "cpu"


def __getattr__(name):
    if name == "ScriptFunction":
        from rushlight.jit import ScriptFunction

        return ScriptFunction
    if name == "_LinAlgError":
        from rushlight.linalg import LinAlgError

        return LinAlgError
    if name == "_len_torch_dispatch_stack":
        from rushlight.utils._python_dispatch import _len_torch_dispatch_stack

        return _len_torch_dispatch_stack
    if name in ("PyTorchFileReader", "PyTorchFileWriter"):
        return getattr(rushlight, name)
    if name in ("_fft", "_linalg", "_nn", "_special"):
        return importlib.import_module(f"rushlight._C.{name}")
    if name in ("DispatchKey", "DispatchKeySet", "_ExcludeDispatchKeyGuard"):
        from rushlight._C import _dispatch

        return getattr(_dispatch, name.removeprefix("_"))
    raise AttributeError(f"module 'torch._C' has no attribute '{name}'", name=name)
