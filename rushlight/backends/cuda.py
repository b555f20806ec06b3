"""A device that is not there; products of float32 matrices are exact on the CPU whatever is set."""

from rushlight import _settings


def is_built() -> bool:
    """False."""
    return False


class _Products:
    @property
    def allow_tf32(self) -> bool:
        """Whether less exact products are allowed where hardware has them."""
        return _settings.get_float32_matmul_precision() != "highest"

    @allow_tf32.setter
    def allow_tf32(self, allowed: bool) -> None:
        _settings.set_float32_matmul_precision("high" if allowed else "highest")


matmul = _Products()
