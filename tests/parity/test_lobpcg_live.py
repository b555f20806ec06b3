"""torch.lobpcg beside PyTorch's: every step of the search, results, derivatives and refusals."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402


def matrices(t):
    t.manual_seed(0)
    Q = t.randn(12, 12, dtype=t.float64)
    return Q @ Q.t() + t.eye(12, dtype=t.float64), t.diag(t.arange(1.0, 13, dtype=t.float64))


def searched(t, options):
    """What the tracker sees at each step, and the results."""
    A, B = matrices(t)
    options = {key: {"B": B, "iK": t.linalg.inv(A)}.get(key, value) for key, value in options.items()}
    A = options.pop("convert", lambda A: A)(A)
    steps, settings = [], []

    def track(worker):
        settings.append((worker.iparams, worker.fparams, worker.bparams, worker.method))
        steps.append((dict(worker.ivars), worker.E.tolist(), worker.tvars["rerr"].tolist()))

    t.manual_seed(1)
    E, X = t.lobpcg(A, tracker=track, **options)
    return settings, steps, E.flatten().tolist(), X.abs().flatten().tolist()


@pytest.mark.parametrize("largest", (True, False))
@pytest.mark.parametrize("method", ("basic", "ortho"))
@pytest.mark.parametrize(
    "options",
    (
        {"k": 2, "niter": 12},
        {"k": 2, "tol": 1e-3},
        {"k": 1, "B": True, "niter": 12},
        {"k": 2, "iK": True, "niter": 6},
        {"k": 1, "n": 3, "niter": 5},
        {"k": 2, "n": 1, "niter": 4},
        {"k": 1, "niter": 5, "convert": lambda A: A.float()},
        {"k": 1, "niter": 5, "convert": lambda A: A.to_sparse()},
        {"k": 2, "niter": 5, "convert": lambda A: A.expand(2, 12, 12)},
        {"n": 2, "niter": 5},
    ),
    ids=lambda options: ",".join(key if callable(value) else f"{key}={value}" for key, value in options.items()),
)
def test_steps(options, method, largest):
    options = {**options, "method": method, "largest": largest}
    (settings, steps, E, X), expected = searched(rushlight, options), searched(torch, options)
    assert settings == expected[0] and [step[0] for step in steps] == [step[0] for step in expected[1]]
    near = {"rel": 1e-3, "abs": 1e-4} if "convert" in options else {"rel": 1e-6, "abs": 1e-9}
    for found, wanted in zip(steps, expected[1]):
        assert found[1] == pytest.approx(wanted[1], **near) and found[2] == pytest.approx(wanted[2], **near)
    assert pytest.approx(expected[2], **near) == E and pytest.approx(expected[3], rel=1e-3, abs=1e-4) == X


def test_settings_of_the_orthogonalization():
    options = {"k": 2, "niter": 6, "ortho_iparams": {"ortho_i_max": 1}, "ortho_bparams": {"ortho_use_drop": True}}
    found, wanted = searched(rushlight, options), searched(torch, options)
    assert found[0] == wanted[0] and found[2] == pytest.approx(wanted[2])


def test_derivatives():
    results = []
    for t in (rushlight, torch):
        A = matrices(t)[0].requires_grad_()
        start = t.eye(12, 2, dtype=t.float64)
        E, X = t.lobpcg(A, k=2, X=start)
        loss = E.sum() + (X[0] ** 2).sum()
        (g,) = t.autograd.grad(loss, A, create_graph=True)
        results.append([*g.flatten().tolist(), *t.autograd.grad((g * g).sum(), A)[0].flatten().tolist()])
        assert type(E.grad_fn).__name__ == "LOBPCGAutogradFunctionBackward"
    assert results[0] == pytest.approx(results[1], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    "call",
    (
        lambda t, A, B: t.lobpcg(A, k=5),
        lambda t, A, B: t.lobpcg(A, k=0),
        lambda t, A, B: t.lobpcg(A[:3], k=1),
        lambda t, A, B: t.lobpcg(A, B=B[:3, :3]),
        lambda t, A, B: t.lobpcg(A, X=A[:11, :2]),
        lambda t, A, B: t.lobpcg(A.int()),
        lambda t, A, B: t.lobpcg(A.half()),
        lambda t, A, B: t.lobpcg(A, X=t.ones(12, 2)),
        lambda t, A, B: t.lobpcg(A, X=t.ones(12, 2, dtype=t.float64)),
        lambda t, A, B: t.lobpcg(A, B=-B, method="basic"),
        lambda t, A, B: t.lobpcg(A[0]),
        lambda t, A, B: t.lobpcg(A.requires_grad_(), B=B, k=1)[0].sum().backward(),
    ),
    ids=range(12),
)
def test_refusals(call):
    said = []
    for t in (rushlight, torch):
        with pytest.raises(Exception) as raised:
            call(t, *matrices(t))
        said.append((type(raised.value).__name__, str(raised.value)))
    assert said[0] == said[1]


def test_a_tracker_ends_it():
    for t in (rushlight, torch):
        calls = []

        def stop(worker):
            calls.append(worker.ivars["istep"])  # noqa: B023
            worker.bvars["force_stop"] = True

        t.lobpcg(matrices(t)[0], tracker=stop)
        assert calls == [1]
