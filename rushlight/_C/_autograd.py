"""What autograd keeps: saved tensors and their hooks, versions, numbers of nodes."""

from rushlight import core
from rushlight.autograd.profiler import kineto_available
from rushlight.core import SavedTensor
from rushlight.profiler import DeviceType

__all__ = ["DeviceType", "SavedTensor", "kineto_available"]


def _saved_tensors_hooks_is_enabled():
    """Whether saved tensor hooks are allowed."""
    return core.saved_tensor_hooks_message() is None


def _saved_tensors_hooks_disable(error_message, fail_if_non_empty=True):
    """Refuses saved tensor hooks with this message."""
    core.disable_saved_tensor_hooks(error_message)


def _saved_tensors_hooks_enable():
    """Allows saved tensor hooks again."""
    core.disable_saved_tensor_hooks(None)


def _saved_tensors_hooks_get_disabled_error_message():
    """The message with which hooks are refused, or None."""
    return core.saved_tensor_hooks_message()


def _push_saved_tensors_default_hooks(pack_hook, unpack_hook):
    """Makes these the hooks of every tensor that this thread saves."""
    core.push_saved_tensor_hooks(pack_hook, unpack_hook)


def _pop_saved_tensors_default_hooks():
    """Ends the innermost pair of hooks."""
    core.pop_saved_tensor_hooks()


def _top_saved_tensors_default_hooks(ignore_is_tracing):
    """The innermost pair of hooks, or None."""
    return core.top_saved_tensor_hooks()


def _unsafe_set_version_counter(tensors, versions):
    """Puts the versions of tensors back."""
    for tensor, version in zip(tensors, versions, strict=True):
        core.set_version(tensor, version)


def _get_sequence_nr():
    """The number that the next node gets."""
    return core.sequence_number()
