"""Kernels written in other languages within Python: there are none."""

available_dsls: list[str] = []
all_dsls: list[str] = []


def get_dsl_operations(dsl_name: str) -> list[str]:
    """The ops that have a kernel in such a language: none."""
    return []
