"""Forward calls at the edges of what an op takes: the same values and dtype as PyTorch's, or its error, of the same type and text.

Which of several complaints comes first is part of it: memory before shapes, shapes before dtypes, and a kernel without code for a dtype last.
"""

import math
import warnings

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch as pytorch  # noqa: E402

import rushlight  # noqa: E402

CALLS = """
torch.addcmul(i(3), i(3), i(3), value=0.5)
torch.addcmul(i(3).int(), i(3), i(3), value=-1.5)
torch.addcmul(i(3), i(3), i(3), value=1 + 2j)
torch.addcmul(f(3), f(3), f(3), value=1 + 2j)
torch.addcmul(f(3), f(3), f(3), value=1 + 0j)
torch.addcmul(i(3).int(), i(3).int(), i(3).int(), value=2**40)
torch.addcmul(i(3), i(3), i(3), value=nan)
i(3).addcmul_(i(3), i(3), value=0.5)
torch.addcdiv(h(3), h(3), h(3), value=1j)
torch.lerp(f(3), f(3), 1 + 2j)
torch.nansum(f(2, 3), dtype=torch.complex64)
torch.nansum(c(2, 3), 0, dtype=torch.float32)
torch.nansum(i(2, 3), 0, dtype=torch.complex64)
torch.nansum(f(0, 3), 0, dtype=torch.complex64)
torch.nansum(f(0, 3), 5, dtype=torch.complex64)
torch.nanmean(f(2, 3), 0, dtype=torch.complex128)
torch.normal(cr(3), 1.0)
torch.normal(i(0), 1.0)
torch.randn_like(i(0))
torch.randn(0, dtype=torch.int64)
F.soft_margin_loss(cr(3), c(3), reduction="none")
F.soft_margin_loss(b(3), f(3))
F.margin_ranking_loss(b(3), b(3), b(3))
F.margin_ranking_loss(b(3), f(3), b(3))
F.alpha_dropout(b(3), 0.5, True)
F.feature_alpha_dropout(b(2, 3), 0.5, True)
F.multilabel_margin_loss(torch.full((2, 4), inf), torch.tensor([[3, 0, -1, 1], [1, -1, 0, 0]]))
F.multilabel_margin_loss(torch.tensor([[nan, 1.0, 2, 3]]), torch.tensor([[0, -1, -1, 1]]), reduction="none")
F.multi_margin_loss(torch.tensor([[nan, 1.0, 2, 3]]), torch.tensor([1]), reduction="none")
F.multi_margin_loss(h(0, 3), i(0), p=2, reduction="none")
F.multi_margin_loss(torch.tensor([0.1, 0.2, 0.3]), torch.tensor([1]), reduction="none")
F.multi_margin_loss(torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor(1), reduction="none")
torch.index_select(f(0, 3), 0, torch.tensor([0]))
torch.index_select(f(3, 0), 0, torch.tensor([5]))
torch.index_select(f(0), 0, torch.tensor([0]))
torch.cummax(c(0), 0)
torch.cummax(cr(0), 0)
torch.cummin(torch.tensor(1j), 0)
torch.cummin(torch.tensor(1.0), 5)
b(3).cumprod_(0)
b(0).cumprod_(0)
b().cumsum_(0)
f(3).cumsum_(0, dtype=torch.int64)
torch.mode(torch.tensor(1j))
torch.mode(cr(3, 0), 0)
torch.median(cr(0))
torch.kthvalue(torch.tensor(1j), 1)
torch.nanmedian(f(0, 3), 0)
torch.sort(c(0))
torch.argsort(c(0), stable=True)
torch.unique_consecutive(c(3), dim=0)
torch.amax(c(0))
torch.amin(c(0, 3), 1)
torch.amin(c(0, 3), -2)
torch.amin(cr(0, 3), 1)
torch.amin(c(3), 5)
torch.aminmax(c(0), dim=0)
torch.aminmax(c(0, 3), dim=1)
torch.aminmax(torch.tensor(1j), dim=0)
torch.max(c(0))
torch.max(c(0), 0)
torch.log_softmax(cr(0), 0)
torch.histc(torch.tensor([nan, 1.0]), 4)
torch.index_reduce(b(3), 0, torch.tensor([0, 0, 1]), b(3), "amax")
torch.index_reduce(b(3, 2), 0, torch.tensor([0, 0, 1]), b(3, 2), "mean")
torch.index_reduce(c(3, 2), 0, torch.tensor([0, 0, 1]), c(3, 2), "prod", include_self=False)
torch.scatter_reduce(b(3), 0, torch.tensor([0, 0, 1]), b(3), "mean")
(cr(3) * 1).scatter_reduce_(0, torch.tensor([0, 1, 2]), c(3), "prod").detach()
(cr(3) * 1).nan_to_num_().detach()
torch.linalg.matrix_norm(h(2, 3), ord="nuc")
torch.linalg.matrix_rank(i(2, 3), tol=0.1)
F.linear(f(2, 2, 0), f(0, 0), f(0))
torch.pow(b(3), True)
torch.pow(b(3), False)
torch.pow(b(3), b(3))
torch.cdist(torch.tensor([[1.0, nan]]), torch.tensor([[1.0, 2]]), p=inf)
torch.cdist(torch.tensor([[nan]]), torch.tensor([[inf]]), p=0.0)
torch.pdist(torch.tensor([[nan, 1], [1, 2], [inf, inf], [inf, inf]]), p=0.0)
F.batch_norm(i(0, 3), None, None, training=True)
F.batch_norm(f(2, 0), torch.zeros(0), torch.ones(0), weight=f(0), training=False)
F.batch_norm(f(2, 3), torch.zeros(3).double(), torch.ones(3), training=True)
F.batch_norm(f(2, 3), torch.zeros(3), torch.ones(3).double(), training=False)
F.batch_norm(f(2, 3), torch.zeros(3), None, training=True)
F.batch_norm(f(2, 3), torch.zeros(3, requires_grad=True), torch.ones(3), training=False)
F.batch_norm(f(3), torch.zeros(3), torch.ones(3), training=False)
F.layer_norm(h(2, 3), (3,), f(3), h(3))
F.group_norm(f(2, 4), 2, f(4).double())
F.rms_norm(f(2, 3), (3,), f(3).double())
F.bilinear(f(2, 3), f(2, 4), f(5, 3, 4), torch.tensor(1.0))
F.bilinear(f(2, 3), f(2, 4), f(5))
F.bilinear(f(2, 3), f(2, 4).double(), f(5, 3, 4))
F.hardtanh(i(3).to(torch.uint8))
F.hardtanh(i(3).to(torch.uint8), -0.5, 1.7)
torch._C._nn.hardtanh(f(3), -0.5, 0.7)
torch._C._special.special_round(f(3) * 0.7)
torch._C._linalg.linalg_det(f(2, 2))
torch.baddbmm(b(2, 3, 3), b(2, 3, 3), b(2, 3, 3))
torch.mv(b(3, 3), b(3))
torch.dot(f(3), f(2).double())
torch.mm(i(2, 2), f(2, 2))
f(2).addr_(f(2), f(2))
torch.div(c(3), c(3), rounding_mode="trunc")
torch.clamp(f(3), 0.5, 1 + 2j)
torch.clamp(i(3), 0.5, 1 + 2j)
torch.clamp(b(3), b(3), b(3))
torch.clamp(h(3), c(3), h(3))
i(3).clamp_min_(0.5)
b(3).clamp_max_(1)
b(3).clamp_max_(True)
i(1).expand(3).acos_()
i(1).expand(3).div_(2)
f(1).expand(3).add_(f(2))
f(3)[1:].add_(f(3)[:2].unsqueeze(0).expand(2, 2))
i(3).ldexp_(i(3))
torch.ldexp(f(3), i(3), out=i(3))
torch.maximum(c(3), c(2))
torch.heaviside(f(3), i(2))
torch.sub(b(3), b(2))
torch.rsub(f(2, 3), f(2))
i(2, 1).lerp_(i(1, 2), 0.3)
b(3, 2).expand_as(f(5))
h(3, 2).expand(5)
torch.topk(c(0), 0)
torch.topk(b(3), 0)
torch.topk(c(3), 5)
torch.kthvalue(c(1, 0, 2), 2)
torch.kthvalue(c(3), 5)
torch.kthvalue(torch.tensor(True), 1)
c(0).random_()
c(0).bernoulli_()
c(0).geometric_(0.5)
torch.bernoulli(c(0))
torch.bucketize(c(0), f(3))
torch.searchsorted(b(3), b(0))
F.pad(b(2, 3), [3, 3], mode="reflect")
F.pad(b(2, 3), [1, 1], mode="reflect")
F.cosine_similarity(f(2, 3), f(2, 4))
F.cosine_similarity(f(3).double(), h(3), dim=0).float()
torch.norm(i(2, 3, 4), "fro", dim=[-2, 0, 1])
torch.norm(f(2, 3, 4), "fro", dim=[0, 1, 2])
torch.cross(b(3), f(3), dim=0)
torch.special.zeta(torch.tensor([nan, 3.0, 2.0, 0.5, 1.0]), torch.tensor([-2.0, inf, -inf, nan, nan]))
torch.polygamma(1, torch.tensor([-1.0, -2.0, inf]))
torch.polygamma(2, torch.tensor([inf, -inf, nan]))
f(1).expand(3).conj_physical_()
torch.zeros(2, dtype=torch.complex128).copy_(0.001)
f(2, 3, 4)[..., 5]
f(2, 3, 4, 5)[:, None, ..., 7]
f(2, 3, 4, 5)[torch.tensor([0]), ..., 9]
f(2, 3, 4, 5)[True, ..., 9]
torch.inverse(b(3, 1))
torch.argmax(b(3), 5)
torch.argmax(c(0), 0)
torch.argmin(c(3), 0)
torch.signbit(c(3), out=f(3))
torch.isposinf(c(3), out=f(3))
F.soft_margin_loss(f(3), f(2, 3))
torch.linalg.det(i(3, 1))
torch.linalg.cholesky(i(3, 1))
torch.addmm(f(3, 3), f(3), f(3).double())
f(4, 3).expand_as(f(3, 1, 2))
b(4, 6)[:, ::2].view(torch.float32)
torch.histc(i(3).to(torch.uint8), bins=3, min=-1, max=1)
c(3, 2).expand(5)
f(3).threshold_(1, 2)
"""


def make(torch):
    def counted(*shape):
        return torch.arange(1.0, 1 + math.prod(shape)).reshape(shape)

    return {
        "torch": torch,
        "F": torch.nn.functional,
        "inf": math.inf,
        "nan": math.nan,
        "f": counted,
        "i": lambda *shape: counted(*shape).long(),
        "h": lambda *shape: counted(*shape).bfloat16(),
        "c": lambda *shape: counted(*shape).to(torch.complex64),
        "cr": lambda *shape: counted(*shape).to(torch.complex64).requires_grad_(),
        "b": lambda *shape: torch.ones(shape, dtype=torch.bool),
    }


def shown(value):
    if isinstance(value, tuple):
        return [shown(item) for item in value]
    return (
        str(value.dtype).partition(".")[2],
        tuple(value.shape),
        [repr(item) for item in value.double().reshape(-1).tolist()]
        if not value.is_complex()
        else [repr(item) for item in value.reshape(-1).tolist()],
    )


def outcome(torch, call):
    torch.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return shown(eval(call, make(torch)))
    except Exception as error:
        return type(error).__name__, str(error).partition("\n")[0].replace("rushlight.", "torch.")


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_a_call_ends_as_in_pytorch(call):
    assert outcome(rushlight, call) == outcome(pytorch, call)


def test_no_public_names_beside_those_of_pytorch():
    assert {name for name in dir(rushlight) if name.endswith("_") and name[0] != "_" and not hasattr(pytorch, name)} == set()
    extra = {name for name in dir(rushlight.Tensor) if name[0] != "_" and not hasattr(pytorch.Tensor, name)}
    assert extra <= {"fill", "names", "spmm"}
