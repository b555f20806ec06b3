"""Autocast: which ops compute in which dtype, what is recorded, and a scaler's steps."""

import warnings

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

from .op_db import convert  # noqa: E402
from .test_op_db import INFOS, PRESENT  # noqa: E402

PARTS = {  # made of other parts than PyTorch's, of which some are cast
    "linalg.pinv", "linalg.pinv.singular", "linalg.pinv.hermitian", "pinverse", "gradient", "matrix_exp", "svd_lowrank", "pca_lowrank",
    "inner", "linalg.det", "nn.functional.triplet_margin_with_distance_loss", "nn.functional.pdist", "nn.functional.pad.circular", "nn.functional.multi_head_attention_forward", "combinations", "_chunk_cat", "fft.fftshift", "fft.ifftshift",
    *(f"nn.functional.linear_cross_entropy{kind}" for kind in ("", ".chunked", ".chunked_none")), "sparse.mm.reduce", "sparse.sampled_addmm",
}  # fmt: skip


def cast(library, value, dtype):
    if isinstance(value, library.Tensor):
        return value.detach().to(dtype) if value.is_floating_point() else value
    return type(value)(cast(library, x, dtype) for x in value) if type(value) in (list, tuple) else value


def dtypes(value):
    if isinstance(value, (torch.Tensor, rushlight.Tensor)):
        return str(value.dtype)
    return [dtypes(x) for x in value] if isinstance(value, (list, tuple)) else None


def results(library, function, sample, convert_value):
    found = []
    for name in ("float32", "bfloat16"):
        dtype = getattr(library, name)
        args = [cast(library, convert_value(x), dtype) for x in (sample.input, *sample.args)]
        kwargs = {key: cast(library, convert_value(x), dtype) for key, x in sample.kwargs.items()}
        try:
            with library.autocast("cpu"):
                found.append(dtypes(function(*args, **kwargs)))
        except Exception:
            found.append("error")
    return found


@pytest.mark.parametrize("name", sorted(n for n in PRESENT if n not in PARTS and torch.float32 in INFOS[n].dtypes))
def test_ops_compute_in_the_same_dtype(name):
    from .op_db import find
    from .test_op_db import ADAPTED

    info = INFOS[name]
    sample = next(iter(info.sample_inputs("cpu", torch.float32)))
    adapted = ADAPTED.get(name)
    ours, theirs = (adapted(rushlight), adapted(torch)) if adapted else (find(rushlight, info.name), info.op)
    expected = results(torch, theirs, sample, lambda x: x)
    found = results(rushlight, ours, sample, lambda x: convert(x, []))
    for mine, reference in zip(found, expected, strict=True):
        assert mine == reference or reference == "error"


def training(library, dtype, scaled):
    """Losses, scales and gradients of a small network under autocast."""
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
    optimizer = library.optim.SGD(model.parameters(), lr=0.1)
    scaler = library.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=2, enabled=scaled)
    x, target = library.randn(6, 4), library.tensor([0, 1, 2, 0, 1, 2])
    seen = []
    for step in range(6):
        optimizer.zero_grad()
        with library.autocast("cpu", dtype=getattr(library, dtype)):
            out = model(x)
            loss = nn.functional.cross_entropy(out, target) * (1e38 if step == 3 and scaled else 1)
        assert out.dtype == getattr(library, dtype) and loss.dtype == library.float32
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        seen.append((loss.item(), scaler.get_scale(), scaler.state_dict()))
    return seen, [p.detach().tolist() for p in model.parameters()]


@pytest.mark.parametrize("dtype, scaled", [("bfloat16", False), ("bfloat16", True), ("float16", True)])
def test_training(dtype, scaled):
    (ours, our_parameters), (theirs, their_parameters) = training(rushlight, dtype, scaled), training(torch, dtype, scaled)
    for (loss, scale, state), (expected, expected_scale, expected_state) in zip(ours, theirs, strict=True):
        assert loss == pytest.approx(expected, rel=2e-2, nan_ok=True)
        assert scale == expected_scale and state == expected_state
    for mine, reference in zip(our_parameters, their_parameters, strict=True):
        assert rushlight.tensor(mine).flatten().tolist() == pytest.approx(
            torch.tensor(reference).flatten().tolist(), abs=2e-2, nan_ok=True
        )


def graph(library):
    """What is recorded: a parameter is cast once."""
    w = library.ones(2, 2, requires_grad=True)
    with library.autocast("cpu"):
        first, second = library.nn.functional.linear(w, w), w @ w
    names = []
    for out in (first, second):
        nodes, seen = [out.grad_fn], []
        while nodes:
            node = nodes.pop(0)
            if node is not None:
                seen.append(node.name() if hasattr(node, "name") else type(node).__name__)
                nodes += [n for n, _ in node.next_functions]
        names.append(seen)
    shared = {id(n) for n, _ in second.grad_fn.next_functions}
    return names, len(shared)


def test_a_parameter_is_cast_once():
    assert graph(rushlight) == graph(torch)


def nested(library):
    x = library.ones(2, 2)
    seen = []
    with library.autocast("cpu"):
        seen.append((library.is_autocast_enabled("cpu"), str((x @ x).dtype)))
        with library.autocast("cpu", enabled=False):
            seen.append((library.is_autocast_enabled("cpu"), str((x @ x).dtype)))
        with library.autocast("cpu", dtype=library.float16):
            seen.append((str(library.get_autocast_dtype("cpu")), str((x @ x).dtype)))
        seen.append(str((x @ x).dtype))
        seen.append(str(library.mm(x.double(), x.double()).dtype))
        seen.append(str(library.mm(x, x, out=library.empty(2, 2)).dtype))
        seen.append(str(x.clone().addmm_(x, x).dtype))
    library.set_autocast_enabled("cpu", True)
    seen.append(str((x @ x).dtype))
    library.set_autocast_enabled("cpu", False)
    seen.append((str((x @ x).dtype), library.is_autocast_enabled("cpu"), str(library.get_autocast_dtype("cpu"))))
    decorated = library.autocast("cpu")(lambda: str((x @ x).dtype))
    return [*seen, decorated()]


def test_nesting():
    assert nested(rushlight) == nested(torch)


def custom(library):
    seen = []

    class Product(library.autograd.Function):
        @staticmethod
        @library.amp.custom_fwd(device_type="cpu", cast_inputs=library.float32)
        def forward(ctx, a, b):
            seen.append((str(a.dtype), library.is_autocast_enabled("cpu")))
            ctx.save_for_backward(a, b)
            return a @ b

        @staticmethod
        @library.amp.custom_bwd(device_type="cpu")
        def backward(ctx, g):
            seen.append((str(g.dtype), library.is_autocast_enabled("cpu")))
            a, b = ctx.saved_tensors
            return g @ b.T, a.T @ g

    a = library.ones(2, 2, requires_grad=True)
    with library.autocast("cpu"):
        out = Product.apply(a.bfloat16(), a)
    out.sum().backward()
    return seen, str(out.dtype), str(a.grad.dtype)


def test_custom_functions():
    assert custom(rushlight) == custom(torch)


STATE = {
    "is_enabled": lambda t: [t.is_autocast_enabled(d) for d in ("cpu", "cuda", "mps", "xpu")],
    "dtypes": lambda t: [
        str(t.get_autocast_dtype(d)) for d in ["cpu", "cuda", "xpu", "mps", "mtia", "hpu", "xla", "ipu", "maia", "privateuseone"]
    ],
    "meta": lambda t: t.autocast("meta"),
    "meta with a dtype": lambda t: t.autocast("meta", dtype=t.float16),
    "foo": lambda t: t.autocast("foo"),
    "number": lambda t: t.autocast(1),
    "cuda": lambda t: t.autocast("cuda")._enabled,
    "float32": lambda t: t.autocast("cpu", dtype=t.float32)._enabled,
    "float64": lambda t: t.autocast("cpu", dtype=t.float64, enabled=False)._enabled,
    "nesting": lambda t: (t.autocast_increment_nesting(), t.autocast_decrement_nesting()),
    "cache": lambda t: (t.is_autocast_cache_enabled(), t.clear_autocast_cache()),
    "old names": lambda t: (t.is_autocast_cpu_enabled(), str(t.get_autocast_cpu_dtype()), str(t.get_autocast_gpu_dtype())),
    "old cuda": lambda t: t.cuda.amp.autocast()._enabled,
    "old cpu": lambda t: (t.cpu.amp.autocast()._enabled, t.cpu.amp.GradScaler().state_dict()),
    "old scaler": lambda t: t.cuda.amp.GradScaler().is_enabled(),
    "scaler": lambda t: (t.amp.GradScaler().is_enabled(), t.amp.GradScaler("cpu").get_scale(), t.amp.GradScaler().state_dict()),
    "growth": lambda t: t.amp.GradScaler("cpu", growth_factor=1.0),
    "backoff": lambda t: t.amp.GradScaler("cpu", backoff_factor=1.0),
    "step too early": lambda t: t.amp.GradScaler("cpu").step(t.optim.SGD([t.ones(1, requires_grad=True)], lr=1)),
    "scale of a list": lambda t: [x.tolist() for x in t.amp.GradScaler("cpu", init_scale=2.0).scale([t.ones(1), t.ones(2)])],
    "scale of a number": lambda t: t.amp.GradScaler("cpu", init_scale=2.0).scale(3),
    "custom_fwd": lambda t: t.amp.custom_fwd(len, device_type=1),
    "cat of half": lambda t: mixed(t),
}


def mixed(library):
    with library.autocast("cpu"):
        return library.cat([library.ones(1).half(), library.ones(1).bfloat16()])


@pytest.mark.parametrize("name", STATE)
def test_state_and_errors(name):
    found = []
    for library in (rushlight, torch):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            try:
                result = STATE[name](library)
            except Exception as error:
                result = type(error), str(error)
        found.append((result, [(w.category, str(w.message).partition(" (Trigg")[0]) for w in seen]))
    assert found[0] == found[1]


def stepped(torch, takes_scaler, unscaled):
    """What a step does of an optimizer that takes the scale off itself."""
    seen = []

    class Own(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})
            self._step_supports_amp_scaling = True

    class Takes(Own):
        def step(self, closure=None, *, grad_scaler=None):
            seen.append((grad_scaler is scaler, hasattr(self, "found_inf"), x.grad.tolist()))
            return 5

    class Finds(Own):
        def step(self, closure=None):
            scale = None if self.grad_scale is None else self.grad_scale.item()
            seen.append((scale, self.found_inf.item(), x.grad.tolist()))
            return 6

    x, scaler = torch.ones(1, requires_grad=True), torch.amp.GradScaler("cpu", init_scale=4.0)
    optimizer = (Takes if takes_scaler else Finds)([x])
    scaler.scale((2 * x).sum()).backward()
    if unscaled:
        scaler.unscale_(optimizer)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        seen.append(scaler.step(optimizer))
    return seen, [(str(each.message), each.category) for each in given], hasattr(optimizer, "found_inf")


@pytest.mark.parametrize("takes_scaler", [True, False])
@pytest.mark.parametrize("unscaled", [True, False])
def test_optimizers_that_take_the_scale_off(takes_scaler, unscaled):
    assert stepped(rushlight, takes_scaler, unscaled) == stepped(torch, takes_scaler, unscaled)
