"""The dtypes that came late beside PyTorch: all pairs, every number of 8 bits, and what ops give or refuse."""

import itertools
import math
import re

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch as pytorch  # noqa: E402

import rushlight  # noqa: E402

from ..dtypes import FLOAT8, LATE, NAMES  # noqa: E402

BOTH = (rushlight, pytorch)


def outcome(function, library):
    """What a call gives, as text; or its error."""
    library.manual_seed(0)
    try:
        return shown(function(library), library)
    except Exception as error:
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def shown(value, library):
    if isinstance(value, library.Tensor):
        return f"{value.dtype} {tuple(value.shape)} {value.tolist()}"
    if isinstance(value, (tuple, list)):
        return str([shown(item, library) for item in value])
    return str(value)


def rounded(text):
    """Fractions to six digits: the last one of exp and its kin depends on the instruction set."""
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.6g}", text)


def same(program, **names):
    """Asserts that a program comes to the same in both, or fails alike."""
    ours, theirs = (outcome(lambda torch: eval(program, {"torch": torch, **names}), library) for library in BOTH)
    assert ours == theirs, (program, names)


@pytest.mark.parametrize("name", LATE)
def test_pairs(name):
    for one, two in itertools.chain(itertools.product([name], NAMES), itertools.product(NAMES, [name])):
        same(f"torch.promote_types(torch.{one}, torch.{two})")
        same(f"torch.can_cast(torch.{one}, torch.{two})")
        for left, right in itertools.product(((), (2,)), repeat=2):
            same(f"torch.result_type(torch.ones({left}, dtype=torch.{one}), torch.ones({right}, dtype=torch.{two}))")
        same(f"torch.tensor([0, 1, 3, 100]).to(torch.{one}).to(torch.{two})")


@pytest.mark.parametrize("name", LATE)
def test_facts(name):
    for fact in ("itemsize", "is_floating_point", "is_complex", "is_signed", "to_real()", "to_complex()"):
        same(f"torch.{name}.{fact}")
    same(f"torch.finfo(torch.{name})")
    same(f"torch.iinfo(torch.{name})")


@pytest.mark.parametrize("name", FLOAT8)
def test_every_number_of_8_bits(name):
    same(f"torch.arange(256, dtype=torch.uint8).view(torch.{name})")
    same(f"repr(torch.arange(255, dtype=torch.uint8).view(torch.{name}))")
    for dtype in ("float16", "bfloat16", "float32", "float64", "complex64", "bool"):
        same(f"torch.arange(256, dtype=torch.uint8).view(torch.{name}).to(torch.{dtype})")
    for dtype in ("float16", "bfloat16"):
        patterns = list(range(-(2**15), 2**15))
        found = [narrowed(library, patterns, dtype, name) for library in BOTH]
        assert found[0] == found[1]


def narrowed(torch, patterns, dtype, name):
    """The bits of numbers of 16 bits, given by their patterns, as numbers of 8 bits; straight, and by way of wider ones."""
    x = torch.tensor(patterns, dtype=torch.int16).view(getattr(torch, dtype))
    return [
        y.to(getattr(torch, name)).view(torch.uint8).tolist() for y in (x, x.float(), x.double(), x[::3], x.to(torch.complex64))
    ]


@pytest.mark.parametrize("name", FLOAT8)
def test_floats_and_doubles(name):
    generator = pytorch.Generator().manual_seed(1)
    patterns = pytorch.randint(-(2**31), 2**31, (40000,), generator=generator)
    wide = pytorch.randn(20000, generator=generator, dtype=pytorch.float64) * 2.0 ** pytorch.randint(
        -20, 20, (20000,), generator=generator
    )
    found = []
    for torch in BOTH:
        floats = torch.tensor(patterns.tolist(), dtype=torch.int64).to(torch.int32).view(torch.float32)
        doubles = torch.tensor(wide.tolist(), dtype=torch.float64)
        found.append([x.to(getattr(torch, name)).view(torch.uint8).tolist() for x in (floats, doubles, doubles.float())])
    assert found[0] == found[1]


NUMBERS = (
    -1,
    1e6,
    -70000,
    2**16,
    2**32,
    2**64 - 1,
    2**64,
    -(2**40),
    1e10,
    1e20,
    math.inf,
    math.nan,
    1j,
    True,
    70000.5,
    -1.5,
    1e39,
    0,
)


@pytest.mark.parametrize("name", LATE)
def test_numbers(name):
    for number in NUMBERS:
        same(f"torch.full((2,), number, dtype=torch.{name})", number=number)
        same(f"torch.tensor([number], dtype=torch.{name})", number=number)
        same(f"torch.ones(1, dtype=torch.{name}).fill_(number)", number=number)
        same(f"torch.ones(2, dtype=torch.{name}) * number", number=number)
        same(f"torch.ones(2, dtype=torch.{name}) == number", number=number)


EXPRESSIONS = """
x+x
x-x
x*x
x/x
x//x
x%x
x**2
x**x
x+1
x*2
x*2.0
x*1j
x+1.5
1+x
2*x
-x
~x
x&x
x|x
x^x
x&1
x<<1
x>>1
x<x
x<=1
x>0
x==x
x==1
x!=x
x==1.5
x.abs()
x.sign()
x.sgn()
x.square()
x.sqrt()
x.sin()
x.sum()
x.sum(0)
x.sum(dtype=torch.float32)
x.sum(dtype=x.dtype)
x.prod()
x.mean()
x.amax()
x.amin()
x.max(0)
x.min(0)
x.argmax()
x.argmin()
x.all()
x.any()
x.all(0)
x.count_nonzero()
x.cumsum(0)
x.cumprod(0)
x.sort()
x.argsort()
x.unique()
x.topk(1)
x.kthvalue(1)
x.nonzero()
x[m]
x[i]
x[x]
torch.where(m,x,x)
torch.where(m,x,0)
x.scatter_add(0,i,x[:2])
x.scatter_reduce(0,i,x[:2],'sum')
x.clone().__setitem__(0,5)
x.roll(1)
x.repeat(2)
torch.cat([x,x])
torch.stack([x,x])
torch.cat([x,x.float()])
x.tril()
x.diag()
torch.arange(3,dtype=x.dtype)
torch.full((2,),3,dtype=x.dtype)
torch.rand(2,dtype=x.dtype)
torch.randn(2,dtype=x.dtype)
torch.randperm(3,dtype=x.dtype)
x.clone().random_()
x.clone().random_(2,5)
x.clone().bernoulli_()
x.clone().bernoulli_(0.5)
x.clone().uniform_()
x.clone().normal_()
x.clone().exponential_()
x.bernoulli()
x.clone().geometric_(.5)
x.clone().zero_()
x.clone().fill_(3)
x.clone().fill_(2.5)
x.clone().fill_(x[0])
x.clone().add_(1)
x.clone().mul_(2)
x.clone().copy_(torch.ones(3))
torch.ones(3).copy_(x)
x.isnan()
x.isinf()
x.isfinite()
x.isreal()
x.isposinf()
x.isneginf()
x.signbit()
x.floor()
x.ceil()
x.trunc()
x.round()
x.round(decimals=1)
x.frac()
torch.maximum(x,x)
x.logical_not()
x.logical_and(x)
x.logical_or(x)
x.nan_to_num()
torch.searchsorted(x,x)
torch.bucketize(x,x)
torch.bincount(x)
x@x
torch.dot(x,x)
torch.outer(x,x)
torch.addcmul(x,x,x)
torch.addcdiv(x,x,x)
x.real
x.imag
x.conj()
x.conj().resolve_conj()
x.angle()
x.to(torch.bool)
x.bool()
x.long()
x.half()
x.float().to(x.dtype)
bool(x[0])
int(x[1])
float(x[1])
complex(x[1])
x[1].item()
x.tolist()
x.unique_consecutive()
x.repeat_interleave(2)
torch.repeat_interleave(x)
x.exp()
x.softmax(0)
x.log_softmax(0)
torch.nn.functional.one_hot(x)
torch.gcd(x,x)
torch.bitwise_not(x)
x.diff()
x.view(torch.uint8)
x.view(torch.int8)
torch.result_type(x,1)
torch.result_type(x,1.0)
torch.result_type(x,x[0])
torch.result_type(x,torch.tensor(1))
torch.result_type(x,torch.tensor(1.))
x+torch.tensor(1)
x+torch.ones(3)
x*torch.tensor(2.)
x==torch.ones(3)
[1,2,3,4][x[1]]
torch.ones(5)[x[1]]
x.element_size()
x.is_signed()
x.share_memory_().dtype
format(x[1])
f'{x[1]:.2f}'
x.new_tensor([1,2])
x.new_zeros(2)
x.type_as(torch.ones(1))
torch.ones(1).type_as(x)
x.requires_grad_().dtype
torch.embedding(x.reshape(3,1),i)
torch.block_diag(x,x)
torch.cartesian_prod(x,x)
torch.kron(x,x)
torch.meshgrid(x,x,indexing='ij')
x.unfold(0,2,1)
x.heaviside(x)
x.copysign(x)
x.xlogy(x)
x.cummax(0)
x.cummin(0)
x.nansum()
torch.cov(x)
x.tensor_split(2)
torch.view_as_real(x)
torch.complex(x,x)
torch.polar(x,x)
x.byte()
x.data
x.detach()
x.pow(2)
2**x
x.reciprocal()
x.rsqrt()
x.neg()
x.positive()
torch.add(x,x,alpha=2)
torch.scalar_tensor(3,dtype=x.dtype)
torch.nn.functional.dropout(x.clone(),0.5)
torch.einsum('i,i',x,x)
torch.bmm(x.reshape(1,3,1),x.reshape(1,1,3))
x.logaddexp(x)
x.fmod(x)
x.remainder(2)
torch.true_divide(x,x)
torch.div(x,x,rounding_mode='floor')
torch.tril_indices(2,2,dtype=x.dtype)
x.sum((0,)).dtype
x.quantile(0.5)
torch.signbit(x)
x.erf()
x.lgamma()
x.nextafter(x)
x.logit()
x.atan2(x)
torch.hypot(x,x)
x.float_power(2)
"""

MOVED = """
x.mode()
x.masked_fill(m,x[0])
x.masked_select(m)
x.gather(0,i)
x.scatter(0,i,x[:2])
x.scatter(0,i,1)
x.index_select(0,i)
x.take(i)
x.put(i,x[:2])
x.index_copy(0,i,x[:2])
x.index_fill(0,i,1)
x.index_put((i,),x[:2])
x.clone().__setitem__(i,x[:2])
x.clone().__setitem__(m,1)
x.flip(0)
x.reshape(3,1).tril()
x.reshape(3,1).triu()
torch.eye(2,dtype=x.dtype)
torch.equal(x,x)
x.masked_scatter(m,x)
torch.combinations(x)
"""
"""What only moves elements is done for every dtype; PyTorch's kernels leave some out."""


@pytest.mark.parametrize("name", ["uint16", "uint32", "uint64", "complex32", "float8_e4m3fn", "float8_e8m0fnu"])
def test_ops(name):
    differ = []
    for line in filter(None, (EXPRESSIONS + MOVED).splitlines()):

        def evaluated(torch, line=line):
            x = torch.tensor([1 + 1j, 2 - 1j, 3] if name == "complex32" else [1, 2, 3], dtype=getattr(torch, name))
            return eval(line, {"torch": torch, "x": x, "m": torch.tensor([True, False, True]), "i": torch.tensor([0, 2])})

        ours, theirs = (rounded(outcome(evaluated, torch)) for torch in BOTH)
        refused = theirs.startswith("NotImplementedError") and line in MOVED.splitlines()
        if ours != theirs and not (refused and "Error" not in ours):
            differ.append((line, ours, theirs))
    assert not differ
