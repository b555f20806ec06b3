"""Collectives of Python objects, which go through pickle."""

import pickle

from rushlight.distributed._groups import _find
from rushlight.distributed._work import _check_root


def _through_pickle(value):
    """What another process would have received."""
    return pickle.loads(pickle.dumps(value))


def all_gather_object(object_list, obj, group=None) -> None:
    """Puts the objects of all processes into a list.

    Args:
        object_list: A list with a place for each process.
        obj: This process's object.
        group: The group; None is that of all processes.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [None]
    >>> torch.distributed.all_gather_object(out, {"rank": 0}); out
    [{'rank': 0}]
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    object_list[0] = _through_pickle(obj)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None) -> None:
    """all_gather_object, for one process alone.

    Args:
        obj: This process's object.
        object_gather_list: A list with a place for each process, at the process that gets it.
        dst: The process that gets it, by its number among all.
        group: The group; None is that of all processes.
        group_dst: The process that gets it, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [None]
    >>> torch.distributed.gather_object({"rank": 0}, out); out
    [{'rank': 0}]
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    if not object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    object_gather_list[0] = _through_pickle(obj)


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None) -> None:
    """Gives all processes the objects of one: it has them.

    Args:
        object_list: The objects: what is sent, or the places for it.
        src: The process that sends, by its number among all.
        group: The group; None is that of all processes.
        device: The device by which they are sent.
        group_src: The process that sends, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> objects = ["settings"]
    >>> torch.distributed.broadcast_object_list(objects, src=0); objects
    ['settings']
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    _check_root(src, "broadcast")


def scatter_object_list(scatter_object_output_list, scatter_object_input_list=None, src=None, group=None, group_src=None) -> None:
    """Gives each process one object of a list.

    Args:
        scatter_object_output_list: A list, whose first place is for this process's.
        scatter_object_input_list: An object for each process, at the process that has them.
        src: The process that has them, by its number among all.
        group: The group; None is that of all processes.
        group_src: The process that has them, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> out = [None]
    >>> torch.distributed.scatter_object_list(out, ["settings"]); out
    ['settings']
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    if not isinstance(scatter_object_output_list, list) or len(scatter_object_output_list) < 1:
        raise ValueError("Expected argument scatter_object_output_list to be a list of size at least 1.")
    scatter_object_output_list[0] = _through_pickle(scatter_object_input_list[0])
