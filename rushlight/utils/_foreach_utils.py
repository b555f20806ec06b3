"""What optimizers ask before they step many tensors at once."""

import rushlight as torch

_foreach_supported_types = [torch.Tensor]


def _get_foreach_kernels_supported_devices() -> list[str]:
    """The devices, besides the CPU, whose kernels take lists of tensors."""
    return ["cuda", "xpu", "mtia", "privateuseone"]


def _get_fused_kernels_supported_devices() -> list[str]:
    """The devices that have a kernel for a whole step."""
    return ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


def _device_has_foreach_support(device) -> bool:
    """Whether functions of lists of tensors work on a device."""
    return device.type in (*_get_foreach_kernels_supported_devices(), "cpu")


def _has_foreach_support(tensors, device) -> bool:
    """Whether functions of lists take these tensors, all plain ones or None."""
    return _device_has_foreach_support(device) and all(t is None or type(t) in _foreach_supported_types for t in tensors)


def _group_tensors_by_device_and_dtype(tensorlistlist, with_indices=False):
    """(device, dtype) -> (for each list its tensors at the places where the first has one of these, the places).

    The lists are as long as the first or empty, and may have None but for the first.

    >>> params, grads = [torch.ones(1), torch.ones(1).half()], [None, torch.ones(1).half()]
    >>> groups = torch.utils._foreach_utils._group_tensors_by_device_and_dtype([params, grads], True)
    >>> groups[torch.device("cpu"), torch.float16]
    ([[tensor([1.], dtype=torch.float16)], [tensor([1.], dtype=torch.float16)]], [1])
    """
    suffix = " to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
    if not tensorlistlist:
        raise RuntimeError(f"Expected !nested_tensorlist.empty(){suffix}")
    first = tensorlistlist[0]
    if not first:
        raise RuntimeError(f"Expected !nested_tensorlist[0].empty(){suffix}")
    if any(len(each) not in (0, len(first)) for each in tensorlistlist):
        raise RuntimeError(
            "Expected std::all_of( nested_tensorlist.cbegin(), nested_tensorlist.cend(), [&](const auto& tensorlist) -> bool { return "
            f"tensorlist.size() == num_tensors || tensorlist.size() == 0; }}){suffix}"
        )
    places: dict = {}
    for place, tensor in enumerate(first):
        if tensor is None:
            raise RuntimeError(
                f"Tensors of the first list of nested Tensor lists are supposed to be defined but the {place}-th Tensor is not."
            )
        places.setdefault((tensor.device, tensor.dtype), []).append(place)
    return {
        key: ([[each[i] for i in found] if each else [] for each in tensorlistlist], found if with_indices else [])
        for key, found in places.items()
    }
