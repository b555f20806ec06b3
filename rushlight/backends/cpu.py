"""What the processor can do."""

import functools

__all__ = ["get_cpu_capability"]


@functools.cache
def processor_flags() -> frozenset[str]:
    """The sets of instructions, as Linux names them; empty where it does not tell."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() in ("flags", "Features"):
                    return frozenset(value.split())
    except OSError:
        pass
    return frozenset()


def get_cpu_capability() -> str:
    """The set of instructions that kernels can use: "AVX512", "AVX2" or "DEFAULT".

    >>> import rushlight as torch
    >>> torch.backends.cpu.get_cpu_capability() in ("AVX512", "AVX2", "DEFAULT")
    True
    """
    flags = processor_flags()
    if {"avx512f", "avx512vl", "avx512bw", "avx512dq"} <= flags:
        return "AVX512"
    return "AVX2" if {"avx2", "fma"} <= flags else "DEFAULT"
