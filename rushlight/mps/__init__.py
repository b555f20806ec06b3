"""MPS as a program meets it on a machine without."""

from rushlight._absent import answering as _answering
from rushlight._late import late as _late

__all__ = [
    "compile_shader", "current_allocated_memory", "device_count", "driver_allocated_memory", "empty_cache", "event", "get_rng_state",
    "is_available", "load_metallib", "manual_seed", "profiler", "recommended_max_memory", "seed", "set_per_process_memory_fraction",
    "set_rng_state", "synchronize",
]  # fmt: skip


def _no_mps(call):
    return RuntimeError(f"Cannot execute {call}() without MPS backend.")


globals().update(
    _answering(
        __name__,
        {
            "compile_shader(source)": RuntimeError("MPS is not available"),
            "current_allocated_memory()": _no_mps("getCurrentAllocatedMemory"),
            "device_count()": 0,
            "driver_allocated_memory()": _no_mps("getDriverAllocatedMemory"),
            "empty_cache()": _no_mps("emptyCache"),
            "get_rng_state(device='mps')": _no_mps("getDefaultGenerator"),
            "is_available()": False,
            "load_metallib(source)": RuntimeError("MPS is not available"),
            "recommended_max_memory()": _no_mps("getRecommendedMaxMemory"),
            "seed()": _no_mps("getDefaultGenerator"),
            "set_per_process_memory_fraction(fraction)": _no_mps("setMemoryFraction"),
            "set_rng_state(new_state, device='mps')": _no_mps("getDefaultGenerator"),
            "synchronize()": _no_mps("deviceSynchronize"),
        },
    )
)


def manual_seed(seed):
    """Does nothing: there is no MPS generator to seed.

    Args:
        seed: A number; anything else is an error.

    >>> import rushlight as torch
    >>> torch.mps.manual_seed(0)
    """
    int(seed)


def _is_in_bad_fork():
    """False."""
    return False


__getattr__ = _late(__name__, {name: f"{__name__}.{name}" for name in ("event", "profiler")})
