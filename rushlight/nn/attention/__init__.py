"""Which ways to compute `nn.functional.scaled_dot_product_attention` are allowed."""

from contextlib import contextmanager
from enum import Enum

from rushlight import _settings
from rushlight._late import late as _late

__all__ = [
    "WARN_FOR_UNFUSED_KERNELS",
    "SDPBackend",
    "activate_flash_attention_impl",
    "current_flash_attention_impl",
    "list_flash_attention_impls",
    "register_flash_attention_impl",
    "restore_flash_attention_impl",
    "sdpa_kernel",
]

WARN_FOR_UNFUSED_KERNELS = False

__getattr__ = _late(
    __name__,
    {
        "bias": "rushlight.nn.attention.bias",
        "flex_attention": "rushlight.nn.attention.flex_attention",
        **{
            name: f"rushlight.backends.cuda:{name}"
            for name in ("SDPAParams", "can_use_efficient_attention", "can_use_flash_attention")
        },
    },
)


class SDPBackend(Enum):
    """The ways that PyTorch has to compute attention; the CPU has MATH and FLASH_ATTENTION.

    >>> import rushlight as torch
    >>> torch.nn.attention.SDPBackend.MATH
    <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __int__(self):
        return self.value

    __index__ = __int__


_SWITCHES = {
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "mem_efficient",
    SDPBackend.MATH: "math",
    SDPBackend.CUDNN_ATTENTION: "cudnn",
    SDPBackend.OVERRIDEABLE: "overrideable",
}


def _cur_sdpa_kernel_backends(with_priority=False):
    return [backend for backend, name in _SWITCHES.items() if _settings.attention_kernels[name]]


@contextmanager
def sdpa_kernel(backends, set_priority=False):
    """Within the block attention is computed in the given ways alone.

    Args:
        backends: An `SDPBackend`, or a list of them.
        set_priority: Whether the list's order counts; here there is one implementation.

    >>> import rushlight as torch
    >>> from rushlight.nn.attention import SDPBackend, sdpa_kernel
    >>> x = torch.zeros(1, 1, 2, 2, requires_grad=True)
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     y = torch.nn.functional.scaled_dot_product_attention(x, x, x)
    """
    if not isinstance(backends, list | SDPBackend):
        raise AssertionError(
            f"Backend must be an instance of SDPBackend or a list of SDPBackend instances, got {type(backends).__name__}"
        )
    allowed = set([backends] if isinstance(backends, SDPBackend) else backends)
    switches = _settings.attention_kernels
    before = dict(switches)
    switches.update({name: backend in allowed for backend, name in _SWITCHES.items()})
    try:
        yield {}
    finally:
        switches.update(before)


_implementations: dict = {}
_active = None


def register_flash_attention_impl(impl, *, register_fn):
    """Remembers an implementation of flash attention on GPUs by its name `impl`; `register_fn` is called when it is activated.

    >>> import rushlight as torch
    >>> from rushlight.nn import attention
    >>> attention.register_flash_attention_impl("MINE", register_fn=lambda: None)
    >>> "MINE" in attention.list_flash_attention_impls()
    True
    """
    _implementations[impl] = register_fn


def list_flash_attention_impls():
    """The names of what was registered, sorted.

    >>> import rushlight as torch
    >>> from rushlight.nn import attention
    >>> attention.register_flash_attention_impl("OTHER", register_fn=lambda: None)
    >>> attention.list_flash_attention_impls()[-1]
    'OTHER'
    """
    return sorted(_implementations)


def activate_flash_attention_impl(impl):
    """Activates what was registered by the name `impl`; ValueError where nothing was.

    >>> import rushlight as torch
    >>> from rushlight.nn import attention
    >>> attention.register_flash_attention_impl("MINE", register_fn=lambda: None)
    >>> attention.activate_flash_attention_impl("MINE")
    >>> attention.restore_flash_attention_impl()
    """
    global _active
    if impl not in _implementations:
        raise ValueError(f"Unknown flash attention impl '{impl}'. Available implementations: {list_flash_attention_impls()}")
    _implementations[impl]()
    _active = impl


def current_flash_attention_impl():
    """The name of what was activated, None at first.

    >>> import rushlight as torch
    >>> from rushlight.nn import attention
    >>> print(attention.current_flash_attention_impl())
    None
    """
    return _active


def restore_flash_attention_impl():
    """Goes back to the implementation of the beginning.

    >>> import rushlight as torch
    >>> from rushlight.nn import attention
    >>> attention.restore_flash_attention_impl()
    """
    global _active
    _active = None
