"""Functions and subclasses that take calls over: the protocol of `__torch_function__`."""

import contextlib
import functools
import inspect
import warnings

from rushlight import core
from rushlight.core import Tensor, has_torch_function

__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "enable_reentrant_dispatch",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "get_testing_overrides",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]


def has_torch_function_unary(value):
    """Whether the type of `value` is to be asked."""
    return has_torch_function((value,))


def has_torch_function_variadic(*values):
    """Whether a type among the arguments is to be asked."""
    return has_torch_function(values)


class TorchFunctionMode:
    """A context in which a mode is asked about every call of a public function: a subclass defines `__torch_function__`.

    Within it the mode itself is off. Modes may stand in each other; the innermost is asked first.

    >>> import rushlight as torch
    >>> class Names(torch.overrides.TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Names():
    ...     x = torch.ones(2) + 1
    ones
    add
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        _push_mode(self)
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        _pop_mode()

    @classmethod
    def push(cls, *args, **kwargs):
        """A new mode, to be entered."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def _push_mode(mode):
    core.push_function_mode(mode)


def _pop_mode():
    return core.pop_function_mode()


def _get_current_function_mode():
    stack = core.function_modes()
    return stack[-1] if stack else None


def _get_current_function_mode_stack():
    return list(core.function_modes())


def _len_torch_function_stack():
    return len(core.function_modes())


@contextlib.contextmanager
def _pop_mode_temporarily():
    mode = _pop_mode()
    try:
        yield mode
    finally:
        _push_mode(mode)


@contextlib.contextmanager
def enable_reentrant_dispatch():
    """Inside of a `__torch_dispatch__`, ops are recorded as they are outside of it.

    >>> import rushlight as torch
    >>> class Exponents(torch.Tensor):
    ...     @classmethod
    ...     def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
    ...         with torch.overrides.enable_reentrant_dispatch():
    ...             print(torch.ones(1, requires_grad=True).exp().requires_grad)
    ...         return super().__torch_dispatch__(func, types, args, kwargs)
    >>> x = torch.ones(2).as_subclass(Exponents).exp()
    True
    """
    before = core.is_grad_enabled()
    core.set_grad_mode(core.is_grad_enabled_outside())
    try:
        yield
    finally:
        core.set_grad_mode(before)


def is_tensor_like(inp):
    """Whether functions of tensors take `inp`: a tensor, or anything with a `__torch_function__`.

    >>> import rushlight as torch
    >>> torch.overrides.is_tensor_like(torch.ones(1)), torch.overrides.is_tensor_like(1)
    (True, False)
    """
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """What the types among `relevant_args` make of `public_api(*args, **kwargs)`, subclasses first; TypeError where none takes it.

    >>> import rushlight as torch
    >>> class Length:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return func.__name__
    >>> def double(x):
    ...     if torch.overrides.has_torch_function((x,)):
    ...         return torch.overrides.handle_torch_function(double, (x,), x)
    ...     return 2 * x
    >>> double(Length())
    'double'
    """
    values = core.torch_function_types(relevant_args)
    types = tuple(map(type, values))
    if core.function_modes():
        with _pop_mode_temporarily() as mode:
            result = mode.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    for value in values:
        if getattr(value.__torch_function__, "__self__", None) is value:
            warnings.warn(
                "Defining your `__torch_function__ as a plain method is deprecated and will be an error in future, please define it as a "
                "classmethod.",
                DeprecationWarning,
                stacklevel=2,
            )
        result = value.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = resolve_name(public_api) or f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {list(types)}")


def wrap_torch_function(dispatcher):
    """Decorates a function so that the types of what `dispatcher` gives for its arguments can take it over.

    >>> import rushlight as torch
    >>> @torch.overrides.wrap_torch_function(lambda a: (a,))
    ... def double(a):
    ...     return a + a
    >>> double(torch.ones(1))
    tensor([2.])
    """

    def decorate(function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return decorate


def get_default_nowrap_functions():
    """The attributes of Tensor whose values `Tensor.__torch_function__` gives as they are, in no subclass."""
    return {Tensor._base.__get__, Tensor.grad.__get__, Tensor._grad.__get__}


# What subclasses are not asked about: it takes no tensor, or only says something of one.
_IGNORED = {
    "": """
        arange as_torch compiled_with_cxx11_abi eig fork_rng from_dlpack from_file get_printoptions lstsq matrix_rank set_default_dtype solve
        symeig to_dlpack are_deterministic_algorithms_enabled as_strided as_tensor asarray autocast_decrement_nesting autocast_increment_nesting
        bartlett_window blackman_window can_cast clear_autocast_cache compile default_generator empty empty_permuted empty_strided eye fill
        from_numpy frombuffer full get_autocast_cpu_dtype get_autocast_dtype get_autocast_gpu_dtype get_autocast_ipu_dtype
        get_autocast_xla_dtype get_default_device get_default_dtype get_deterministic_debug_mode get_device_module
        get_float32_matmul_precision get_num_interop_threads get_num_threads get_rng_state hamming_window hann_window has_spectral
        initial_seed is_anomaly_check_nan_enabled is_anomaly_enabled is_autocast_cache_enabled is_autocast_cpu_enabled is_autocast_enabled
        is_autocast_ipu_enabled is_autocast_xla_enabled is_deterministic_algorithms_warn_only_enabled is_grad_enabled
        is_inference_mode_enabled is_storage is_tensor is_vulkan_available is_warn_always_enabled kaiser_window linspace load logspace
        manual_seed normal ones promote_types rand rand_like randint randint_like randn randn_like randperm range result_type save
        scalar_tensor seed set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_cpu_enabled set_autocast_dtype
        set_autocast_enabled set_autocast_gpu_dtype set_autocast_ipu_dtype set_autocast_ipu_enabled set_autocast_xla_dtype
        set_autocast_xla_enabled set_default_device set_default_tensor_type set_deterministic_debug_mode
        set_float32_matmul_precision set_num_interop_threads set_num_threads set_printoptions set_rng_state set_warn_always
        sparse_compressed_tensor sparse_coo_tensor sparse_csc_tensor sparse_csr_tensor sym_fresh_size tensor tril_indices triu_indices
        typename use_deterministic_algorithms vander vmap zeros""",
    ".functional": "broadcast_shapes",
    ".fft": "fftfreq rfftfreq",
    ".linalg": "",
    ".special": "",
    ".nn.functional": "",
    ".Tensor": """
        as_subclass eig lstsq new new_empty new_empty_strided new_full new_ones new_tensor new_zeros reinforce solve stride symeig
        to_padded_tensor to_sparse_coo to_sparse_csc to_sparse_csr unflatten __class__ __delitem__ __dir__ __getstate__ __hash__
        __init_subclass__ __iter__ __new__ __subclasshook__ __torch_dispatch__ __torch_function__ _as_strided_gradient _conj _conj_physical
        _make_subclass _make_wrapper_subclass _neg_view _real _to_dtype _typed_storage""",
}


NEVER_ASKED = frozenset(_IGNORED[""].split())
"""The functions of `torch` among them: `is_tensor` of what only stands for a tensor says no."""


def _namespaces():
    """The place of each namespace in the package, what it is, and the names there that subclasses are not asked about."""
    import rushlight

    for place, names in _IGNORED.items():
        namespace = functools.reduce(getattr, place.split(".")[1:], rushlight)
        yield place, namespace, {*names.split(), *getattr(namespace, "_ALONE", ())}


@functools.cache
def get_ignored_functions():
    """The functions that subclasses are not asked about, as they take no tensor, or only say something of one.

    >>> import rushlight as torch
    >>> torch.zeros in torch.overrides.get_ignored_functions()
    True
    """
    return {getattr(namespace, name) for _, namespace, names in _namespaces() for name in names if hasattr(namespace, name)}


@functools.cache
def _overridable():
    """function -> its namespace, and the name that programs call it by; a property counts as its `__get__`, and is the namespace of that."""
    found, ignored = {}, get_ignored_functions()
    for place, namespace, unasked in _namespaces():
        public = namespace is Tensor or not hasattr(namespace, "__all__")
        for name in sorted(dir(namespace) if public else namespace.__all__):
            value = getattr(namespace, name, None)
            if namespace is Tensor:
                if name in unasked or getattr(object, name, None) == value:
                    continue
            elif name.startswith("_") or name.endswith("_"):
                continue
            if isinstance(value, type) or value in (None, ()):
                continue
            if not callable(value) and namespace is Tensor and hasattr(type(value), "__get__"):
                found.setdefault(value.__get__, (value, f"torch{place}.{name}.__get__"))
            elif callable(value) and hasattr(value, "__name__") and value not in ignored:
                known = found.get(value)
                if (
                    known is None
                    or place in (".functional", ".nn.functional")
                    or (namespace is Tensor and value.__name__ == name)
                ):
                    found[value] = (namespace, f"torch{place}.{name}")
    return found


def _of_init():
    from rushlight.nn import init

    return (init.uniform_, init.normal_, init.constant_, init.kaiming_uniform_)


def get_overridable_functions():
    """Each namespace with the functions in it that subclasses may take over by `__torch_function__`.

    >>> import rushlight as torch
    >>> torch.nn.functional.softmax in torch.overrides.get_overridable_functions()[torch.nn.functional]
    True
    """
    found: dict = {}
    for function, (namespace, _) in _overridable().items():
        found.setdefault(namespace, []).append(function)
    return found


@functools.cache
def get_testing_overrides():
    """Each function that subclasses may take over with another of the same parameters, which returns -1.

    >>> import rushlight as torch
    >>> torch.overrides.get_testing_overrides()[torch.add](1, 2)
    -1
    """

    def stand_in(function):
        def made(*args, **kwargs):
            return -1

        with contextlib.suppress(ValueError, TypeError):  # (it has several, or is a slot of Python's: this takes them all)
            made.__signature__ = inspect.signature(function)
        return made

    return {function: stand_in(function) for function in (*_overridable(), *_of_init())}


def is_tensor_method_or_property(func):
    """Whether `func` is a method of Tensor, or reads one of its attributes.

    >>> import rushlight as torch
    >>> torch.overrides.is_tensor_method_or_property(torch.Tensor.add), torch.overrides.is_tensor_method_or_property(torch.add)
    (True, False)
    """
    name = getattr(func, "__name__", "")
    return name == "__get__" or getattr(Tensor, name, None) is func


def resolve_name(f):
    """The name of a function `f` as programs write it; None where it is none of those that subclasses may take over.

    >>> import rushlight as torch
    >>> torch.overrides.resolve_name(torch.Tensor.add_)
    'torch.Tensor.add_'
    """
    from rushlight._ops import AtenPacket, OpOverload, OpOverloadPacket

    found = _overridable().get(f)
    if found is not None:
        return found[1]
    if isinstance(f, (AtenPacket, OpOverload, OpOverloadPacket)):
        return str(f)
    name = getattr(f, "__name__", None)
    if name in ("__get__", "__set__"):
        attributes = [key for key, value in vars(Tensor).items() if value is getattr(f, "__self__", None)]
        return f"torch.Tensor.{attributes[0]}.{name}" if attributes else None
    for place, namespace, names in _namespaces():
        if name is not None and (name in names or namespace is Tensor) and getattr(namespace, name, None) is f:
            return f"torch{place}.{name}"
    return f"torch.nn.init.{name}" if f in _of_init() else None


def name_where_compiled(function):
    """The name of a function in the text that says that all refused it, as PyTorch's compiled code knows it."""
    name = resolve_name(function)
    if name is None:
        return f"torch.{getattr(function, '__name__', function)}"
    _, *places, last = name.split(".")
    if places and places[0] in ("linalg", "fft", "special"):
        return f"torch.{places[0]}.{places[0]}_{last}"
    return name.replace("torch.nn.functional.", "torch.nn.")
