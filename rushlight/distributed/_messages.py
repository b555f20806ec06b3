"""Tensors sent from one process to another, of which there is none."""

from rushlight.distributed._groups import _find
from rushlight.distributed._work import _check_tensor


def _no_other(what, direction):
    return ValueError(f"Invalid {what} rank: {what} rank should not be the same as the rank of the current process.")


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Raises: there is no other process.

    Args:
        tensor: The tensor.
        dst: The process that gets it, by its number among all.
        group: The group; None is that of all processes.
        tag: A number that sending and receiving have in common.
        group_dst: The process that gets it, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.send(torch.ones(2), dst=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid destination rank: destination rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    raise _no_other("destination", "to")


isend = send


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Raises: there is no other process.

    Args:
        tensor: The tensor for what comes.
        src: The process that sends, by its number among all.
        group: The group; None is that of all processes.
        tag: A number that sending and receiving have in common.
        group_src: The process that sends, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.recv(torch.empty(2), src=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid source rank: source rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _check_tensor(tensor, "tensor")
    _find(group)
    raise _no_other("source", "from")


irecv = recv


def send_object_list(object_list, dst=None, group=None, device=None, group_dst=None, use_batch=False):
    """Raises: there is no other process.

    Args:
        object_list: The objects.
        dst: The process that gets them, by its number among all.
        group: The group; None is that of all processes.
        device: The device by which they are sent.
        group_dst: The process that gets them, by its number in the group.
        use_batch: Whether sizes and objects are sent together.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.send_object_list(["settings"], dst=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid destination rank: destination rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    raise _no_other("destination", "to")


def recv_object_list(object_list, src=None, group=None, device=None, group_src=None, use_batch=False):
    """Raises: there is no other process.

    Args:
        object_list: The places for what comes.
        src: The process that sends, by its number among all.
        group: The group; None is that of all processes.
        device: The device by which they are sent.
        group_src: The process that sends, by its number in the group.
        use_batch: Whether sizes and objects are sent together.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.recv_object_list([None], src=1)
    Traceback (most recent call last):
        ...
    ValueError: Invalid source rank: source rank should not be the same as the rank of the current process.
    >>> torch.distributed.destroy_process_group()
    """
    _find(group)
    raise _no_other("source", "from")


class P2POp:
    """A tensor to send to, or receive from, another process.

    Args:
        op: `torch.distributed.isend` or `irecv`.
        tensor: The tensor.
        peer: The other process, by its number among all.
        group: The group; None is that of all processes.
        tag: A number that sending and receiving have in common.
        group_peer: The other process, by its number in the group.

    >>> import rushlight as torch
    >>> torch.distributed.P2POp(len, torch.ones(2), 0)
    Traceback (most recent call last):
        ...
    ValueError: Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or ``torch.distributed.irecv``.
    """

    def __init__(self, op, tensor, peer=None, group=None, tag=0, group_peer=None):
        if op not in (isend, irecv):
            raise ValueError(
                "Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or ``torch.distributed.irecv``."
            )
        self.op, self.tensor, self.peer, self.group, self.tag = op, tensor, peer, group, tag


def batch_isend_irecv(p2p_op_list) -> list:
    """Raises: there is no other process.

    Args:
        p2p_op_list: A list of `P2POp`.

    >>> import rushlight as torch
    >>> torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    >>> torch.distributed.batch_isend_irecv([])
    Traceback (most recent call last):
        ...
    IndexError: list index out of range
    >>> torch.distributed.destroy_process_group()
    """
    if not (isinstance(p2p_op_list, list) and all(isinstance(op, P2POp) for op in p2p_op_list)):
        raise ValueError("Invalid ``p2p_op_list``. Each op is expected to to be of type ``torch.distributed.P2POp``.")
    _find(p2p_op_list[0].group)
    return [op.op(op.tensor, op.peer, op.group, op.tag) for op in p2p_op_list]
