"""Names of PyTorch's code generator that programs use; there is none."""

from rushlight._late import late as _late

__all__ = ["config", "list_mode_options", "list_options"]


def list_options() -> list[str]:
    """The settings that `torch.compile(options=...)` takes: any, as nothing depends on them."""
    from rushlight._inductor import config

    return sorted(name for name in vars(config) if not name.startswith("_"))


def list_mode_options(mode=None, dynamic=None) -> dict:
    """What each mode of `torch.compile` sets: nothing."""
    from rushlight._compile import MODES

    return {name: {} for name in MODES} if mode is None else {}


__getattr__ = _late(__name__, {"config": f"{__name__}.config"})
