"""CUDA's profiler, which is not there."""

import contextlib

from rushlight._absent import answering
from rushlight.cuda._answers import NO_CUDA

__all__ = ["init", "profile", "start", "stop"]

globals().update(
    answering(
        __name__, {"init(output_file, flags=None, output_mode='key_value')": NO_CUDA, "start()": NO_CUDA, "stop()": NO_CUDA}
    )
)


@contextlib.contextmanager
def profile():
    """Profiles a block; raises when it is entered.

    >>> import rushlight as torch
    >>> with torch.cuda.profiler.profile(): pass
    Traceback (most recent call last):
        ...
    AssertionError: Torch not compiled with CUDA enabled
    """
    raise AssertionError(*NO_CUDA.args)
    yield
