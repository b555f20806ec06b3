"""Element-wise kernels that a program writes as CUDA text: they are read, and need a device to be called."""

import re

__all__: list[str] = []

_TEMPLATE = re.compile(r"\s*template\s*<.+>\s*\w+\s+(\w+)\s*\(.+\)\s*\{.+\}\s*", re.DOTALL)


class _JittedFunction:
    """A kernel; a call of it refuses, as there is no device."""

    def __init__(self, code_string, return_by_ref, num_outputs, **kwargs):
        found = _TEMPLATE.match(code_string)
        if found is None:
            raise Exception(f"Couldn't parse code, please check correctness:\n {code_string}")
        self.code_string, self.kernel_name = code_string, found[1]
        self.return_by_ref, self.num_outputs, self.kwargs_dict = return_by_ref, num_outputs, kwargs
        self.is_cuda_available = False

    def __call__(self, *tensors, **kwargs):
        raise AssertionError("Jiterator is only supported on CUDA and ROCm GPUs, none are available.")


def _create_jit_fn(code_string, **kwargs):
    """A kernel with one output; keywords are the defaults of its numbers."""
    return _JittedFunction(code_string, return_by_ref=False, num_outputs=1, **kwargs)


def _create_multi_output_jit_fn(code_string, num_outputs, **kwargs):
    """A kernel with several outputs; keywords are the defaults of its numbers."""
    return _JittedFunction(code_string, return_by_ref=True, num_outputs=num_outputs, **kwargs)
