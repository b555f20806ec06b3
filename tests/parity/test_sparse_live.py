"""Sparse tensors beside PyTorch's: writes in place, matrices turned around, factories, and what is refused."""

import re

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

CALLS = """
s.mul_(2)
c.mul_(2)
c.mul_(s)
c.mul_(d)
s.div_(2)
s.div_(s)
c.div_(2, rounding_mode="floor")
c.floor_divide_(2)
c // 2
s.sub_(s)
s.add_(s)
d.add_(s)
s.neg_()
c.abs_()
s.abs_()
c.sqrt_()
c.sin_()
c.log1p_()
c.round_()
c.zero_()
c.detach_()
c.detach()
c.unsqueeze(0)
c.unsqueeze(2)
c.narrow_copy(0, 0, 1)
c.narrow_copy(1, 1, 2)
c.any()
c.numpy()
c.item()
c.reshape(3, 2)
c.data_ptr()
c.cuda()
c.pin_memory()
c.to_dense(t.float64)
c.to_dense(0)
c.new_tensor([1])
c.new_zeros(2, 3)
c.stride()
c.is_contiguous()
c.t()
t.ones(3).to_sparse().t()
t.ones(2, 3, 4).to_sparse().t()
t.ones(2, 3, 4).to_sparse(2).t()
t.ones(2, 3, 4).to_sparse().T.to_dense().shape
t.ones(2, 3, 4).to_sparse(2).transpose(0, 2)
t.zeros(2, 3, layout=t.sparse_coo)
t.empty(2, 3, layout=t.sparse_coo)
t.zeros(2, 3, layout=t.sparse_coo, dtype=t.float64, requires_grad=True)
t.zeros((), layout=t.sparse_coo)
t.zeros_like(d, layout=t.sparse_coo)
t.empty_like(c)
d.new_zeros(2, 3, layout=t.sparse_coo)
d.new_empty((2, 3), layout=t.sparse_coo)
t.ones(2, 3, layout=t.sparse_coo)
t.full((2, 3), 1.0, layout=t.sparse_coo)
t.sparse_coo_tensor(size=(2, 3))
d.to_sparse(0)
d.to_sparse(1)
d.to_sparse(-1)
d.to_sparse(3)
d.to_sparse("a")
d.to_sparse(1, 2)
d.to_sparse_csr().stride()
d.to_sparse_csr().is_contiguous()
d.to_sparse_csr(-1)
d.to_sparse_csr(True)
d.to_dense(0)
d.to_dense(d)
t.smm(c, d.t())
t.smm(d, d.t())
t.smm(c, d.t()).coalesce().values().numel()
t.smm(s, t.ones(3))
t.dsmm(c, d.t())
t.dsmm(d, d.t())
t.dsmm(d)
t.hsmm(s, d.t())
t.hsmm(s, d.t()).is_coalesced()
t.sspaddmm(s, t.eye(2).to_sparse(), d)
t.saddmm(s, t.eye(2).to_sparse(), d, beta=2, alpha=-1)
s.sspaddmm(t.eye(2).to_sparse(), d)
s.sspaddmm(mat1=t.eye(2).to_sparse(), mat2=d, alpha=3)
t.sspaddmm(s, t.eye(2).to_sparse(), d, out=t.sparse_coo_tensor(size=(1,)))
t.sspaddmm(s, d, d)
t.sspaddmm(s, s, s)
t.sspaddmm(s, s, d)
t.sspaddmm(s, s, t.ones(3, 2))
t.sspaddmm(s, s, t.ones(3))
t.sspaddmm(s.double(), t.eye(2).to_sparse(), d)
t.sspaddmm(s, t.eye(2).to_sparse(), d.double())
t.sspaddmm(s, 3, d)
s.new()
s.double().new()
s.new(2, 3)
s.new(s.size())
s.new((2, 3))
s.new(s._indices(), s._values())
s.double().new(s._indices(), s._values(), s.size())
s.new().resize_as_(s)
c.new().resize_as_(c).shape
(c * 1).requires_grad_().mul_(2)
"""


def outcome(t, text):
    places, values = t.tensor([[0, 1, 1], [2, 0, 2]]), t.tensor([3.0, 4.0, 5.0])
    s = t.sparse_coo_tensor(places, values, (2, 3))
    names = {"t": t, "s": s, "c": s.coalesce(), "d": t.ones(2, 3)}
    try:
        result = eval(text, names)
    except Exception as error:
        return type(error).__name__, str(error)
    return re.sub(r"\s+", " ", repr(result)), repr(names["s"]), repr(names["c"]), values.tolist()


@pytest.mark.parametrize("text", CALLS.strip().split("\n"))
def test_calls(text):
    assert outcome(rushlight, text) == outcome(torch, text)
