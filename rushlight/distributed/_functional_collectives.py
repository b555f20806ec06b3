"""Communication as functions that give new tensors, for a group of one process."""

import rushlight.distributed.distributed_c10d as _c10d


def wait_tensor(tensor):
    """The tensor: nothing is under way."""
    return tensor


def all_reduce(self, reduceOp, group, tag=""):
    """The tensor, of one process."""
    return self.clone()


def all_gather_tensor(self, gather_dim, group, tag=""):
    """The tensor, of one process."""
    return self.clone()


def reduce_scatter_tensor(self, reduceOp, scatter_dim, group, tag=""):
    """The tensor, of one process."""
    return self.clone()


def broadcast(self, src, group, tag=""):
    """The tensor, of one process."""
    _c10d._check_root(src, "broadcast")
    return self.clone()


def all_to_all_single(self, output_split_sizes, input_split_sizes, group, tag=""):
    """The tensor, of one process."""
    return self.clone()


all_to_all_single_autograd = all_to_all_single
all_gather_tensor_autograd = all_gather_tensor
reduce_scatter_tensor_autograd = reduce_scatter_tensor
