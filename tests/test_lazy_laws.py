"""Laws of lazy conjugates and negatives: an op on one is the op on what it stands for, and so is a write into one."""

import warnings

import pytest

import rushlight as torch
from rushlight.ops import table

from .laws.calls import is_differentiable, tensors_in
from .test_laws import (
    IN_PLACE,
    SAMPLES,
    UNMATCHED,
    call,
    call_public,
    cases,
    differentiated,
    direction,
    get,
    gradients,
    outputs_of,
    put,
)

pytestmark = pytest.mark.core


def conjugate(t):
    """A tensor of t's elements and strides that is lazily conjugated; a real one is `t`."""
    return laid_like(t.conj(), t).conj() if t.is_complex() else t


def negative(t):
    """One that is lazily negative."""
    return torch._neg_view(laid_like(-t, t)) if t.dtype is not torch.bool else t


def both(t):
    return torch._neg_view(laid_like(-t.conj(), t)).conj() if t.is_complex() else negative(t)


def laid_like(made, t):
    """A copy of the elements of `made` with t's strides."""
    extent = 1 + sum((size - 1) * stride for size, stride in zip(t.shape, t.stride(), strict=True)) if t.numel() else 0
    out = torch.zeros(extent, dtype=t.dtype).as_strided(t.shape, t.stride())
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return out.copy_(made) if not torch.core.is_expanded(out) else made.clone()


OUT = 2
"""The mode of a call with out=."""

KINDS = (conjugate, negative, both)

REFUSES = {
    "view_as_real": "refuses lazy conjugates",
    "view": "refuses another dtype of lazy ones",
    "_unsafe_view": "refuses another dtype of lazy ones",
}


def lazied(kind, arguments):
    """The arguments with every tensor made lazy; None where no tensor can be."""
    found = [
        kind(v.detach())
        if isinstance(v, torch.Tensor)
        else type(v)([kind(t.detach()) if isinstance(t, torch.Tensor) else t for t in v])
        if type(v) in (list, tuple) and tensors_in(v)
        else v
        for v in arguments
    ]
    return found if any(is_lazy(t) for t in tensors_in(found)) else None


def is_lazy(t):
    return t.is_conj() or t.is_neg()


def plain(arguments):
    return put(
        [v.detach() if isinstance(v, torch.Tensor) else [t.detach() if isinstance(t, torch.Tensor) else t for t in v]
         if type(v) in (list, tuple) and tensors_in(v) else v for v in arguments], {}
    )  # fmt: skip


def same(found, wanted):
    """Equal to the last bit, in the same layout, and lazy only where it is a view."""
    found, wanted = tensors_in(found), tensors_in(wanted)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype is b.dtype and a.shape == b.shape and a.stride() == b.stride()
        assert a.tolist() == b.tolist() or (
            torch.equal(a.isnan(), b.isnan()) and a.nan_to_num().tolist() == b.nan_to_num().tolist()
        )


def by_position_and_name(op, arguments):
    return arguments[: op.positional], dict(zip(op.parameters[op.positional :], arguments[op.positional :], strict=True))


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.name not in UNMATCHED and op.name not in REFUSES))
def test_an_op_on_a_lazy_tensor_is_the_op_on_what_it_stands_for(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    with torch.no_grad():
        wanted = call(op, plain(arguments))
        for kind in KINDS:
            given = lazied(kind, arguments)
            if given is None:
                continue
            found = call(op, given)
            same(found, wanted)
            assert op.takes_lazy or [is_lazy(t) for t in tensors_in(found)] == [is_lazy(t) for t in tensors_in(wanted)]


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.allows_out))
def test_out_may_be_lazy(name, number):
    op, arguments = table[name], plain(SAMPLES[name][number])
    with torch.no_grad():
        wanted = call(op, arguments)
        if not isinstance(wanted, torch.Tensor) or wanted.dtype is torch.bool:
            return
        for kind in KINDS:
            memory = torch.zeros(wanted.shape, dtype=wanted.dtype)
            out = kind(memory)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert torch.core.run(op, tuple(arguments), {"mode": OUT, "out": out}) is out
            assert is_lazy(out) == is_lazy(kind(memory))
            assert torch.allclose(out, wanted, rtol=1e-12, atol=1e-14, equal_nan=True)


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.name in IN_PLACE))
def test_a_write_into_a_lazy_tensor_is_a_write_through_it(name, number):
    op, arguments = table[name], plain(SAMPLES[name][number])
    if not isinstance(arguments[0], torch.Tensor) or not is_differentiable(arguments[0]):
        return
    with torch.no_grad():
        positional, named = by_position_and_name(op, arguments)
        wanted = arguments[0].clone()
        try:
            call_public(IN_PLACE[name], wanted, *positional[1:], **named)
        except RuntimeError:
            return  # the result does not fit into the first argument
        for kind in KINDS:
            target = kind(arguments[0].clone())
            before = target._version
            assert call_public(IN_PLACE[name], target, *positional[1:], **named) is target
            assert target._version == before + 1 and is_lazy(target) == is_lazy(kind(arguments[0]))
            same(target.clone(), wanted)


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.rules and op.name not in UNMATCHED and op.name not in REFUSES))
def test_second_derivatives_of_lazy_tensors(name, number):
    op, arguments, places, _, _, indices = differentiated(name, number)
    results = []
    for kind in (lambda t: t, *KINDS):
        leaves = {place: get(arguments, place).detach().clone().requires_grad_() for place in places}
        given = {place: lazy_of(kind, leaf) for place, leaf in leaves.items()}
        result = outputs_of(call(op, put(arguments, given)))
        seeds = [direction(result[i].detach(), 0.3 + i) for i in indices]
        inputs = list(leaves.values())
        first = gradients([result[i] for i in indices], seeds, inputs, create_graph=True)
        tracked = [(g, direction(g.detach(), 0.7)) for g in first if g is not None and g.requires_grad]
        second = gradients([g for g, _ in tracked], [w for _, w in tracked], inputs) if tracked else ()
        results.append([None if g is None else g.detach() for g in (*first, *second)])
    for found in results[1:]:
        assert len(found) == len(results[0])
        for a, b in zip(found, results[0], strict=True):
            zero = (a is None or not a.any()) and (b is None or not b.any())
            assert zero or torch.allclose(a, b, rtol=1e-9, atol=1e-11, equal_nan=True)


def lazy_of(kind, leaf):
    """`kind` of a leaf, with a gradient that is the leaf's."""
    if kind is conjugate:
        return leaf.conj_physical().conj() if leaf.is_complex() else leaf
    if kind is negative:
        return torch._neg_view(-leaf)
    return torch._neg_view((-leaf).conj_physical()).conj() if kind is both else leaf


def test_recorded_writes_into_a_lazy_base():
    """A detached conjugate is lazy, but no view: writes into its views are windows on what lies in memory
    (PyTorch fails in backward where the view is a part.)"""
    x = torch.tensor([1 + 2j, 3j], requires_grad=True)
    for part in (lambda t: t[:1], lambda t: t.real[:1], lambda t: t.imag[:1], lambda t: t.conj()[:1]):
        for lazy in (True, False):
            base = (torch.tensor([1 + 1j, 2.0]).conj() if lazy else torch.tensor([1 - 1j, 2.0])).detach()
            assert base.is_conj() == lazy and not base._is_view()
            view = part(base)
            view.mul_(x[0] if view.is_complex() else x[0].real)
            assert view.grad_fn is not None and base.grad_fn.name().endswith("CopySlices")
            total = (base * x).real.sum() + (2 * view.real).sum() + (base.imag * x.real).sum()
            found = torch.autograd.grad(total, x)[0]
            if lazy:
                wanted = found
        assert torch.allclose(found, wanted)
