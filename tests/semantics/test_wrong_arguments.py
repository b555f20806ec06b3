"""What is said of arguments that cannot be: sizes, dtypes, numbers that do not fit, things that are no tensors."""

import pytest


def refusal(function, *args, **kwargs):
    with pytest.raises(Exception) as caught:
        function(*args, **kwargs)
    return type(caught.value), str(caught.value).split("\n")[0]


def test_the_constructor_of_tensors(torch):
    assert torch.Tensor(2, 3).shape == (2, 3) and torch.Tensor().shape == (0,)
    assert torch.Tensor([1, 2]).tolist() == [1.0, 2.0] and torch.Tensor(torch.Size([2])).shape == (2,)
    kept = torch.ones(2, dtype=torch.int32)
    assert torch.Tensor(kept).dtype is torch.int32
    assert torch.Tensor(range(3)).tolist() == [0.0, 1.0, 2.0]
    for wrong in (1.5, None, {}, True, object()):
        assert refusal(torch.Tensor, wrong) == (TypeError, f"new(): data must be a sequence (got {type(wrong).__name__})")
    assert torch.Tensor.__new__(torch.Tensor).shape == (0,)


def test_sizes(torch):
    for name in ("empty", "ones", "rand", "randn"):
        make = getattr(torch, name)
        assert refusal(make, 2, -3) == (RuntimeError, "Trying to create tensor with negative dimension -3: [2, -3]")
    for name in ("empty", "zeros", "ones", "rand", "randn"):
        make = getattr(torch, name)
        start = f"{name}(): argument 'size' "
        for wrong in (1.5, "a", None):
            kind = type(wrong).__name__
            assert refusal(make, (wrong,)) == (
                TypeError,
                f"{start}(position 1) must be tuple of ints, but found element of type {kind} at pos 0",
            )
        assert refusal(make, True) == (TypeError, f"{start}(position 1) must be tuple of ints, not bool")
        assert refusal(make, torch.tensor(3.0)) == (TypeError, f"{start}(position 1) must be tuple of ints, not Tensor")
        assert make(torch.tensor(3)).shape == (3,) and make((torch.tensor(3), 2)).shape == (3, 2)
        overflow = f'{start}failed to unpack the object at pos 1 with error "Overflow when unpacking long long'
        kind, text = refusal(make, 2**63)
        assert kind is TypeError and text.startswith(overflow)
    for name in ("empty", "zeros", "ones"):
        assert refusal(getattr(torch, name), 2, dtype="x") == (
            TypeError,
            f"{name}(): argument 'dtype' must be torch.dtype, not str",
        )


def test_a_dimension_is_an_integer(torch):
    x = torch.ones(2, 3)
    for function, arguments in ((torch.sort, (x, 1.5)), (torch.topk, (x, 1, 1.5)), (torch.gather, (x, 0.5, x.long()))):
        with pytest.raises(TypeError):
            function(*arguments)


def test_numbers_that_do_not_fit(torch):
    for dtype, name in ((torch.float32, "float"), (torch.float16, "c10::Half"), (torch.bfloat16, "c10::BFloat16")):
        expected = (RuntimeError, f"value cannot be converted to type {name} without overflow")
        x = torch.ones(2, dtype=dtype)
        assert refusal(x.fill_, 1e50) == expected
        assert refusal(torch.full, (2,), -1e50, dtype=dtype) == expected
        assert refusal(torch.full_like, x, 1e50) == expected
        assert refusal(x.masked_fill, torch.tensor([True, False]), 1e50) == expected
        assert x.tolist() == [1.0, 1.0]
        assert x.fill_(float("inf")).tolist() == [float("inf")] * 2
    assert torch.ones(1).fill_(3.4028234663852886e38).isfinite().all()


def test_things_that_are_no_tensors(torch):
    x, index = torch.ones(2, 3), torch.tensor([0, 1])
    assert refusal(torch.index_select, x, 0, 1) == (
        TypeError,
        "index_select(): argument 'index' (position 3) must be Tensor, not int",
    )
    assert refusal(torch.gather, x, 0, 1) == (TypeError, "gather(): argument 'index' (position 3) must be Tensor, not int")
    assert refusal(torch.index_add, x, 0, index, 3) == (
        TypeError,
        "index_add(): argument 'source' (position 4) must be Tensor, not int",
    )
    assert refusal(x.index_put_, index, torch.tensor(1.0)) == (
        TypeError,
        "index_put_(): argument 'indices' (position 1) must be tuple of Tensors, not Tensor",
    )


def test_what_else_is_refused(torch):
    x, z = torch.ones(2, 3), torch.tensor(1.0)
    complex_numbers = torch.tensor([1 + 1j, 2 - 1j])
    assert refusal(lambda: z[:]) == (IndexError, "slice() cannot be applied to a 0-dim tensor.")
    assert refusal(complex_numbers.max, 0) == (RuntimeError, "max(): does not support complex input")
    assert refusal(complex_numbers.min, 0) == (RuntimeError, "min(): does not support complex input")
    assert refusal(torch.isclose, x, x, rtol=float("nan")) == (
        RuntimeError,
        "rtol must be greater than or equal to zero, but got nan",
    )
    assert refusal(torch.add, x, x, alpha="a") == (TypeError, "add(): argument 'alpha' must be Number, not str")
    assert refusal(torch.sub, x, x, alpha="a") == (TypeError, "sub(): argument 'alpha' must be Number, not str")
    assert torch.add(x > 0, x > 0, alpha=2).all()


def test_hooks_of_nodes_see_what_inputs_take(torch):
    x, y = torch.ones(3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    z = x + y
    seen = []
    z.grad_fn.register_hook(lambda gi, go: seen.append([tuple(g.shape) for g in gi]))
    z.sum().backward()
    assert seen == [[(3,), (2, 3)]]


def test_what_module_hooks_may_return(torch):
    def run(register, result):
        layer = torch.nn.Linear(2, 2)
        getattr(layer, register)(lambda *args: result)
        layer(torch.ones(4, 2, requires_grad=True)).sum().backward()

    expected = "Backward hook returned an invalid number of grad_input, got 4, but expected 1"
    assert refusal(run, "register_full_backward_hook", (None,) * 4) == (RuntimeError, expected)
    assert refusal(run, "register_full_backward_hook", torch.ones(4, 2)) == (RuntimeError, expected)
    assert refusal(run, "register_full_backward_hook", 3) == (TypeError, "object of type 'int' has no len()")
    assert refusal(run, "register_full_backward_pre_hook", torch.ones(4, 2)) == (
        RuntimeError,
        "Backward pre hook returned an invalid number of grad_output, got 4, but expected 1",
    )


def test_the_parts_of_module_hooks(torch):
    hooks = torch.utils.hooks
    seen = []
    layer = torch.nn.Linear(2, 2)
    hook = hooks.BackwardHook(layer, [lambda module, gi, go: seen.append((len(gi), len(go)))], [])
    x = torch.ones(4, 2, requires_grad=True)
    hook.setup_output_hook(layer(hook.setup_input_hook((x,))[0])).sum().backward()
    assert seen == [(1, 1)]
    y = torch.ones(1, requires_grad=True)
    y.register_hook(hooks.unserializable_hook(lambda g: g))
    hooks.warn_if_has_hooks(y)
    y.register_hook(lambda g: g)
    with pytest.warns(UserWarning, match="will not be serialized"):
        hooks.warn_if_has_hooks(y)
    assert torch.nn.utils.stateless.functional_call


def test_what_kernels_and_reductions_refuse(torch):
    names = ("bessel_j0", "bessel_y1", "modified_bessel_i0", "erfcx", "ndtri", "log_ndtr")
    for dtype, title in ((torch.float16, "Half"), (torch.bfloat16, "BFloat16")):
        for name in names:
            function = getattr(torch.special, name)
            assert refusal(function, torch.ones(2, dtype=dtype)) == (
                NotImplementedError,
                f"\"{name}_cpu\" not implemented for '{title}'",
            )
    x, mask = torch.ones(2), torch.tensor([True, False])
    assert refusal(torch.ldexp, x, mask) == (NotImplementedError, "\"ldexp_cpu_exp\" not implemented for 'Bool'")
    assert torch.ldexp(mask, mask).tolist() == [2.0, 0.0]
    for values in (x, x.long(), x + 1j):
        text = "output with shape [] doesn't match the broadcast shape [1]"
        assert refusal(torch.logsumexp, values, dim=[]) == (RuntimeError, text)
        assert torch.logsumexp(values, dim=[], keepdim=True).shape == (1,)
    empty = torch.zeros(1, 0, 2)
    assert refusal(torch.amax, empty, dim=[0, -2]) == (IndexError, "amax(): Expected reduction dim -2 to have non-zero size.")
    assert torch.addcmul(mask, mask, torch.tensor([2, 3], dtype=torch.uint8)).tolist() == [3, 0]
    assert torch.zeros(0, dtype=torch.int64).log_normal_().normal_().exponential_().shape == (0,)


EXPANDED = "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "


def test_outputs_that_share_memory_come_first(torch):
    """Elementwise ops look at the memory of `out=` before shapes and dtypes, even where it would be resized."""
    x, i = torch.rand(2, 3), torch.arange(6).reshape(2, 3)
    calls = {
        "sin abs neg exp": (x,),
        "asinh sqrt erf": (i,),
        "add mul atan2 maximum": (x, x),
        "eq lt logical_or": (i, torch.ones(5)),
        "addcmul lerp": (x, x, x),
        "clamp_min": (i, 1.0),
    }
    for names, arguments in calls.items():
        for name in names.split():
            for dtype in (torch.float32, torch.int64):
                kind, text = refusal(getattr(torch, name), *arguments, out=torch.empty(3, dtype=dtype).expand(5, 3))
                assert kind is RuntimeError and text.startswith(EXPANDED), (name, text)


def test_what_is_asked_first(torch):
    """Which of several mistakes is spoken of, and mistakes that hide where nothing is computed."""
    F = torch.nn.functional
    x = torch.rand(3)
    several, nothing = (
        "Boolean value of Tensor with more than one value is ambiguous",
        "Boolean value of Tensor with no values is ambiguous",
    )
    assert refusal(x.unique_consecutive, torch.zeros(2), 2**63 - 1) == (RuntimeError, several)
    assert refusal(torch.unique, x, True, torch.zeros(0)) == (RuntimeError, nothing)
    assert refusal(x.__format__, torch.zeros(2)) == (TypeError, "__format__() argument must be str, not Tensor")
    assert refusal(torch.zeros(0).map_, torch.zeros(1, dtype=torch.int16), None)[0] is TypeError
    assert refusal(x.type, torch.zeros(2)) == (TypeError, "dtype must be a type, str, or dtype object")
    assert refusal(x.unflatten, [1], ()) == (RuntimeError, "unflatten: sizes must be non-empty")
    assert refusal(x.tensor_split, torch.ones(2)) == (
        RuntimeError,
        "tensor_split expected tensor_indices_or_sections to have dtype of long, but got Float",
    )
    assert refusal(torch.split, 1j, 2) == (AttributeError, "'complex' object has no attribute 'split'")
    assert refusal(torch.split_copy, 1j, 2)[0] is TypeError
    assert refusal(torch.nonzero, x, out=x, as_tuple=True) == (
        RuntimeError,
        "nonzero does not support the out kwarg when as_tuple is True",
    )
    assert refusal(torch.unravel_index, x.long(), x) == (
        TypeError,
        f"expected 'shape' to be int or sequence of ints, but got {torch.Tensor}",
    )
    assert refusal(torch.broadcast_shapes, 1.5)[0] is RuntimeError
    assert refusal(torch.broadcast_shapes, -2) == (ValueError, "Attempting to broadcast a dimension with negative length!")
    assert refusal(torch.tensordot, x, x, torch.ones(3)) == (
        AssertionError,
        "dims tensor must have size 2 in first dimension, got 3",
    )
    assert refusal(torch.linalg.tensorinv, x) == (RuntimeError, "ArrayRef: invalid slice, N = 2; size = 1")
    assert refusal(torch.renorm, torch.ones(2, 2), float("nan"), 0, 1) == (
        RuntimeError,
        "renorm: non-positive-norm not supported",
    )
    assert refusal(torch.binomial, x, x.double()) == (RuntimeError, "Found dtype Double but expected Float")
    assert refusal(torch.scatter_reduce, x, 5, x, x, "xyz")[0] is IndexError
    assert refusal(F.soft_margin_loss, torch.ones(3, 1), x) == (
        RuntimeError,
        "output with shape [3, 1] doesn't match the broadcast shape [3, 3]",
    )
    assert refusal(F.soft_margin_loss, 1, x)[0] is TypeError
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        assert refusal(loss, 1, x, reduction="xyz") == (AttributeError, "'int' object has no attribute 'size'")
        with pytest.warns(UserWarning, match="that is different to the input size"):
            assert refusal(loss, x, torch.ones(2), reduction="xyz")[0] is RuntimeError
    assert refusal(F.gaussian_nll_loss, x, x, 2)[0] is TypeError
    assert refusal(torch.take_along_dim, torch.ones(2, 3).t(), torch.ones(2).long())[0] is RuntimeError
    assert torch.take_along_dim(x, torch.tensor([1, 0], dtype=torch.int32)).tolist() == x[:2].flip(0).tolist()


def test_booleans_are_bytes(torch):
    """A boolean may be any byte, where memory was looked at as booleans."""
    seen = torch.tensor([0, 1, 2, 128, 255], dtype=torch.uint8).view(torch.bool)
    for dtype in (torch.float32, torch.int64, torch.float16, torch.complex64):
        assert seen.to(dtype).real.tolist() == seen[::1].expand(2, 5).to(dtype)[1].real.tolist() == [0, 1, 1, 1, 1]


def test_capsules_are_of_tensors(torch):
    for wrong in (None, 1, [1.0]):
        assert refusal(torch.to_dlpack, wrong)[0] is TypeError
    assert torch.from_dlpack(torch.to_dlpack(torch.ones(2, requires_grad=True))).tolist() == [1, 1]


def test_the_words_of_outputs_of_another_dtype(torch):
    x, m, integers = torch.ones(3), torch.eye(3), torch.ones((), dtype=torch.int64)
    cannot = "Expected result to be safely castable from Float dtype, but got result with dtype Long"
    joined = "torch.cat(): input types can't be cast to the desired output type Long"
    contracted = "tensordot: Expected the output tensor to have dtype Float, but got an output tensor with dtype Long"
    expected = {
        "Expected out tensor to have dtype float, but got long int instead": ("mm", (m, m)),
        "result dtype Long does not match input dtype Float": ("dot", (x, x)),
        "logsumexp(): Expected floating point type for result tensor, but got: Long": ("logsumexp", (x, 0)),
        "linalg.norm expected out tensor dtype Float but got: Long": ("linalg.norm", (m,)),
        "linalg.matrix_norm expected out tensor dtype Float but got: Long": ("linalg.matrix_norm", (m, 2)),
        "linalg.vecdot: Expected out of dtypeFloat but found Long": ("linalg.vecdot", (x, x)),
        f"linalg.cond: {cannot}": ("linalg.cond", (m,)),
        f"linalg.pinv: {cannot}": ("linalg.pinv", (m,)),
        f"cholesky_inverse: {cannot}": ("cholesky_inverse", (m,)),
    }
    for text, (name, arguments) in expected.items():
        called = torch
        for part in name.split("."):
            called = getattr(called, part)
        assert refusal(called, *arguments, out=integers) == (RuntimeError, text), name
    for name in ("cat", "stack", "vstack"):
        assert refusal(getattr(torch, name), [x], out=integers) == (TypeError, joined)
    for name, arguments in (("inner", (x, x)), ("tensordot", (x, x, 1))):
        assert refusal(getattr(torch, name), *arguments, out=integers) == (RuntimeError, contracted)
    assert refusal(torch.multinomial, x, 1, out=x) == (RuntimeError, "multinomial expects Long tensor out, got: Float")
    assert refusal(torch.bucketize, x, x, out=x)[1].startswith("torch.searchsorted(): output tensor's dtype is wrong")


def test_sizes_one_by_one_of_any_kind_of_integer(torch):
    two, x = torch.tensor(2), torch.ones(2, 3)
    for made in (
        x.new(two, 3),
        torch.zeros(two, 3),
        torch.ones(3, two).t(),
        x.view(two, 3),
        x[:1].expand(two, 3),
        x[:, :1].repeat(1, 3),
    ):
        assert made.shape == (2, 3)
    assert x.new((two, 3)).tolist() == [2.0, 3.0]
