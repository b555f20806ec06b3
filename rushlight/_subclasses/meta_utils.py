"""Comparisons of what tensors are apart from their elements."""

import rushlight as torch

__all__ = ["assert_metadata_eq"]

_SPARSE = ("layout", "dense_dim", "sparse_dim")


def _fact(tensor, name):
    value = getattr(tensor, name)
    return value() if callable(value) else value


def assert_metadata_eq(assert_eq, m1, m2, *, skip_symbolic=False, skip_leaf=False) -> None:
    """Calls `assert_eq` with each fact of one tensor and the same of another: dtype, sizes, strides and so on, and those of their
    gradients and of the tensors that they are views of.

    >>> from rushlight._subclasses.meta_utils import assert_metadata_eq
    >>> facts = []
    >>> assert_metadata_eq(lambda first, second: facts.append(first == second), torch.ones(2), torch.zeros(2))
    >>> all(facts)
    True
    """
    names = ["dtype", "requires_grad", "is_sparse", "is_inference", "is_conj", "is_neg"]
    names += [] if skip_leaf else ["is_leaf"]
    names += [] if skip_symbolic else ["shape"]
    if m1.layout is not torch.strided:
        names += [*_SPARSE, "is_coalesced"] if m1.is_sparse else _SPARSE
    else:
        names += ["_is_view"] if skip_symbolic else ["stride", "storage_offset", "_is_view"]
    for name in names:
        assert_eq(_fact(m1, name), _fact(m2, name))
    first, second = ((x.grad if x.is_leaf else None) for x in (m1, m2))
    assert_eq(first is not None, second is not None)
    pairs = [(first, second), (m1._base, m2._base)] if m1.layout is torch.strided else [(first, second)]
    for first, second in pairs:
        if first is not None:
            assert_metadata_eq(assert_eq, first, second, skip_symbolic=skip_symbolic, skip_leaf=skip_leaf)
