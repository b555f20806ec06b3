"""Sums beside PyTorch's, bit for bit: every layout in which it adds differently, for any number of threads here and one thread there."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch as pytorch  # noqa: E402

import rushlight  # noqa: E402

DTYPES = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")

# Shapes; how the tensor is seen; the dimensions to sum over.
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129, 500, 513, 1000, 2049, 5000, 32768, 32769, 70001)
LAYOUTS = [
    *(((n,), view, (0,)) for n in SIZES for view in ("x", "x[::2]", "x[x.numel() // 9 :]")),
    *(((n, m), view, dims) for n in (3, 7, 40, 300) for m in (1, 3, 4, 7, 8, 13, 31, 32, 37, 40, 64, 100, 300)
      for view in ("x", "x.t()", "x[:, ::2]", "x[::2]", "x[:, x.shape[1] // 9 :]") for dims in ((0,), (1,), (0, 1))),
    *(((n, 5), "x", (0,)) for n in (255, 256, 257, 4095, 4097, 20000)),
    *(((n, 40), view, dims) for n in (1023, 1025, 5000) for view in ("x", "x.t()") for dims in ((0,), (1,))),
    *((shape, view, dims) for shape in ((5, 40, 30), (30, 5, 40), (3, 300, 9), (6, 1, 50), (64, 3, 11), (2, 20000, 3))
      for view in ("x", "x.transpose(0, 2)", "x.transpose(1, 2)", "x[:, :, ::2]", "x[:, :1].expand(x.shape)")
      for dims in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))),
    *((shape, view, dims) for shape in ((4, 5, 7, 7), (8, 3, 16, 16), (2, 17, 9, 4))
      for view in ("x", "x.contiguous(memory_format=torch.channels_last)", "x.permute(2, 3, 0, 1)")
      for dims in ((0, 2, 3), (2, 3), (0,), (1,), (0, 3), (1, 2, 3), (0, 1, 2, 3))),
]  # fmt: skip
REDUCTIONS = ("x.sum(d)", "x.mean(d)", "x.nansum(d)", "x.sum(d, keepdim=True)", "x.sum(d, dtype=torch.float64)")


@pytest.fixture(autouse=True)
def one_thread():
    before = pytorch.get_num_threads(), rushlight.get_num_threads()
    pytorch.set_num_threads(1)
    yield
    pytorch.set_num_threads(before[0])
    rushlight.set_num_threads(before[1])


def mirrored(x):
    """The same tensor, of dense memory, for Rushlight."""
    if x.dtype is pytorch.bfloat16:
        return rushlight.from_numpy(x.view(pytorch.int16).numpy()).view(rushlight.bfloat16)
    return rushlight.from_numpy(x.numpy())


def bits(x):
    x = x.detach().contiguous()
    return (x.float() if str(x.dtype)[6:] == "bfloat16" else x).numpy().tobytes()


def evaluate(library, code, **names):
    return eval(code, {"torch": library, "F": library.nn.functional, **names})


def differing(dtype, layouts):
    pytorch.manual_seed(0)
    for shape, view, dims in layouts:
        theirs = pytorch.randn(shape, dtype=getattr(pytorch, dtype))
        ours = evaluate(rushlight, view, x=mirrored(theirs))
        theirs = evaluate(pytorch, view, x=theirs)
        for code in REDUCTIONS:
            if dtype.startswith("complex") and ("nansum" in code or "dtype" in code):
                continue
            if bits(evaluate(rushlight, code, x=ours, d=dims)) != bits(evaluate(pytorch, code, x=theirs, d=dims)):
                yield shape, view, dims, code


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums(dtype, threads):
    rushlight.set_num_threads(threads)
    assert list(differing(dtype, LAYOUTS)) == []


def test_large_sums():
    rushlight.set_num_threads(2)
    layouts = [((1_500_000,), "x", (0,)), ((3, 400_000), "x", (1,)), ((400_000, 3), "x", (0,)), ((50_000, 40), "x", (0,)),
               ((400_000, 4), "x[:, x.shape[1] // 9 :]", (0,)), ((4, 3, 300, 300), "x", (0, 2, 3))]  # fmt: skip
    for dtype in DTYPES[:2]:
        assert list(differing(dtype, layouts)) == []


def test_nan_is_passed_over():
    for dtype in DTYPES[:4]:
        for shape, dims in (((1000,), (0,)), ((40, 70), (0,)), ((40, 70), (1,)), ((6, 5, 50), (0, 2))):
            theirs = pytorch.randn(shape).to(getattr(pytorch, dtype))
            theirs[pytorch.rand(shape) < 0.1] = float("nan")
            assert bits(mirrored(theirs).nansum(dims)) == bits(theirs.nansum(dims))


LOSSES = (
    *(f"F.{name}(x, y)" for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")),
    *("F.mse_loss(x, y, reduction='sum')", "F.hinge_embedding_loss(x, y.sign())", "F.margin_ranking_loss(x, y, y.sign())"),
)


@pytest.mark.parametrize("code", LOSSES)
def test_losses_and_their_gradients(code):
    for dtype in DTYPES[:2]:
        for shape in ((10,), (64, 10), (32, 3, 28, 28)):
            pytorch.manual_seed(1)
            x, y = (pytorch.randn(shape, dtype=getattr(pytorch, dtype)) for _ in range(2))
            found = []
            for library, read in ((pytorch, pytorch.clone), (rushlight, mirrored)):
                leaf = read(x).requires_grad_()
                loss = evaluate(library, code, x=leaf, y=read(y))
                loss.backward()
                found.append((bits(loss), bits(leaf.grad)))
            assert found[0] == found[1], shape


@pytest.mark.parametrize("dtype", DTYPES[:4])
def test_losses_of_labels(dtype):
    for shape in ((1, 3), (17, 3), (300, 5), (70_000, 3), (4, 5, 7, 9), (20, 3, 40, 40)):
        pytorch.manual_seed(3)
        scores = pytorch.randn(shape).to(getattr(pytorch, dtype))
        labels = pytorch.randint(0, shape[1], (shape[0], *shape[2:]))
        weight = pytorch.rand(shape[1]).to(scores.dtype)
        if shape[0] > 1:
            labels[0] = labels[-1] = -100
        for options in ("", ", w", ", reduction='sum'", ", w, reduction='sum'", ", w, reduction='none'"):
            code = f"F.nll_loss(x, y{options})"
            theirs = evaluate(pytorch, code, x=scores, y=labels, w=weight)
            ours = evaluate(rushlight, code, x=mirrored(scores), y=mirrored(labels), w=mirrored(weight))
            assert bits(ours) == bits(theirs), (shape, options)


def test_gradients_of_what_was_broadcast():
    for shape, leaf_shape in (
        ((64, 10), (10,)),
        ((32, 100), (32, 1)),
        ((8, 3, 16, 16), (3, 1, 1)),
        ((300, 40), ()),
        ((5, 6, 7), (6, 1)),
    ):
        pytorch.manual_seed(2)
        x, leaf = pytorch.randn(shape), pytorch.randn(leaf_shape)
        found = []
        for read in (pytorch.clone, mirrored):
            parameter = read(leaf).requires_grad_()
            other = read(x)
            ((parameter + other) * other).sum().backward()
            found.append(bits(parameter.grad))
        assert found[0] == found[1], shape
