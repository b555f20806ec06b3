"""What is not there, devices, compilers, scripts, answers as in PyTorch built for the CPU alone: values, errors and their texts, warnings."""

import contextlib
import inspect
import warnings

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.parity

import torch  # noqa: E402

import rushlight  # noqa: E402

ARGUMENTS = {
    "device": None, "fraction": 0.5, "seed": 1, "new_states": [], "path": "/nowhere", "stream": None, "msg": "x", "peer_device": 0,
    "guard_entries": [], "tensors": [], "optim": None,
}  # fmt: skip
TENSORS = {
    "inputs": lambda t: [t.ones(1)], "outputs": lambda t: [t.ones(1)], "tensor": lambda t: t.ones(1), "new_state": lambda t: t.get_rng_state(),
    "enabled": lambda t: True,
}  # fmt: skip
MACHINE = {  # what the machine has, and what PyTorch was built with
    "torch.backends.mkldnn.is_available", "torch.backends.mkl.is_available", "torch.backends.openmp.is_available",
    "torch.backends.nnpack.is_available", "torch.backends.nnpack.set_flags", "torch.cpu.get_capabilities",
}  # fmt: skip
OWN = {  # errors of PyTorch's own making, whose texts are of its files
    "torch.mps.load_metallib", "torch.accelerator.set_stream", "torch.compiler.load_compiled_function",
    "torch.backends.cuda.can_use_flash_attention", "torch.backends.cuda.can_use_efficient_attention",
    "torch.backends.cuda.can_use_cudnn_attention", "torch.cuda.make_graphed_callables", "torch.cuda.device_of",
    "torch.backends.cuda.preferred_blas_library", "torch.backends.cuda.preferred_linalg_library",
    "torch.backends.cuda.preferred_rocm_fa_library", "torch.compiler.list_backends", "torch.compiler.disable", "torch.cuda.nccl.all_gather", "torch.cuda.nccl.reduce",
    "torch.cuda.nccl.reduce_scatter", "torch.cuda.nccl.broadcast", "torch.cuda.nccl.all_reduce",
}  # fmt: skip
MODULES = (
    "accelerator", "backends.cuda", "backends.cudnn", "backends.cusparselt", "backends.kleidiai", "backends.mha", "backends.miopen",
    "backends.mkl", "backends.mkldnn", "backends.mps", "backends.nnpack", "backends.openmp", "backends.opt_einsum", "compiler", "cpu", "cuda",
    "cuda.amp", "cuda.memory", "cuda.nccl", "cuda.nvtx", "cuda.profiler", "cuda.random", "mps", "mps.profiler", "mtia", "xpu",
)  # fmt: skip


def unused():
    """What compilers are told things about that they remember: nothing else must call it."""


@pytest.fixture(autouse=True)
def same_switches():
    """Asking every function switches some off, in PyTorch too: they are put back."""
    before = [library.backends.mha.get_fastpath_enabled() for library in (torch, rushlight)]
    yield
    for library, enabled in zip((torch, rushlight), before):
        library.backends.mha.set_fastpath_enabled(enabled)


def find(library, path):
    import importlib

    found = library
    for part in path.split(".")[1:]:
        try:
            found = getattr(found, part)
        except AttributeError:
            found = importlib.import_module(f"{found.__name__}.{part}")
    return found


def functions():
    for module in MODULES:
        theirs, ours = find(torch, "torch." + module), find(rushlight, "rushlight." + module)
        for name in dir(ours):
            function = getattr(ours, name)
            if not name.startswith("_") and inspect.isroutine(function) and callable(getattr(theirs, name, None)):
                path = f"torch.{module}.{name}"
                if path not in MACHINE | OWN and not name.startswith(("set_flags", "flags")):
                    yield path


def answer(library, path):
    """What a call with plain arguments gives: a plain value, or what kind of object, or the error; and what it warns of."""
    function = find(library, path.replace("torch", library.__name__, 1))
    reference = find(torch, path)
    given = []
    for parameter in inspect.signature(reference).parameters.values():
        if parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
        ):
            if parameter.name in TENSORS:
                given.append(TENSORS[parameter.name](library))
                continue
            given.append(unused if parameter.name in ("fn", "original_fn") else ARGUMENTS.get(parameter.name, 0))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = function(*given)
            if hasattr(result, "__enter__"):
                with result:
                    pass
                result = "a context"
            elif not isinstance(result, (int, float, str, list, dict, tuple, type(None))):
                result = "an object"
        except Exception as error:
            result = type(error).__name__, str(error).splitlines()[:1]
    told = [(w.category, str(w.message)) for w in seen if "jit.script_method" not in str(w.message)]
    return result, told


@pytest.mark.parametrize("path", sorted(functions()))
def test_functions_answer_the_same(path):
    assert answer(rushlight, path) == answer(torch, path)


def test_most_functions_of_devices_are_there():
    """Those that are not, are of profilers, pools and graphs that no program meets without a device."""
    for module in ("accelerator", "cpu", "cuda", "mps", "mtia", "xpu"):
        theirs, ours = getattr(torch, module), getattr(rushlight, module)
        public = [n for n in getattr(theirs, "__all__", []) if not inspect.ismodule(getattr(theirs, n, None))]
        lacking = [name for name in public if not hasattr(ours, name)]
        assert len(lacking) <= len(public) // 5, (module, lacking)


def outcome(function, library):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = function(library)
        except Exception as error:
            result = type(error).__name__, str(error).splitlines()[:1]
    return result if isinstance(result, tuple) else repr(result), [
        (w.category, str(w.message).partition(" (Trigg")[0]) for w in seen
    ]


def add(x):
    return x + 1


CALLS = {
    "to cuda": lambda t: t.ones(1).to("cuda"),
    "to cuda:0": lambda t: t.ones(1).to("cuda:0"),
    "cuda()": lambda t: t.ones(1).cuda(),
    "to xpu": lambda t: t.ones(1).to("xpu"),
    "to mps": lambda t: t.ones(1).to("mps"),
    "to mtia": lambda t: t.ones(1).to("mtia"),
    "to hpu": lambda t: t.ones(1).to("hpu"),
    "to vulkan": lambda t: t.ones(1).to("vulkan"),
    "to foo": lambda t: t.ones(1).to("foo"),
    "ones on cuda": lambda t: t.ones(1, device="cuda"),
    "randn on xpu": lambda t: t.randn(1, device="xpu"),
    "module to cuda": lambda t: t.nn.Linear(1, 1).cuda(),
    "module to mps": lambda t: t.nn.Linear(1, 1).to("mps"),
    "set_device": lambda t: t.cuda.set_device(0),
    "set_device cpu": lambda t: t.cuda.set_device("cpu"),
    "set_device by name": lambda t: t.cuda.set_device("cuda:0"),
    "set_device -1": lambda t: t.cuda.set_device(-1),
    "FloatTensor": lambda t: t.cuda.FloatTensor(1),
    "instance of FloatTensor": lambda t: isinstance(t.ones(1), t.cuda.FloatTensor),
    "device": lambda t: t.cuda.device(0).__enter__(),
    "device_of": lambda t: t.cuda.device_of(t.ones(1)).__enter__(),
    "stream": lambda t: t.cuda.stream(None).__enter__(),
    "Stream": lambda t: t.cuda.Stream(),
    "Event": lambda t: t.cuda.Event(enable_timing=True),
    "CUDAGraph": lambda t: t.cuda.CUDAGraph(),
    "manual_seed": lambda t: t.cuda.manual_seed("a"),
    "xpu device": lambda t: t.xpu.device(0).__enter__(),
    "OutOfMemoryError": lambda t: t.cuda.OutOfMemoryError.__mro__[1:],
    "cufft": lambda t: t.backends.cuda.cufft_plan_cache[0],
    "unknown setting": lambda t: t.backends.cuda.matmul.foo,
    "tf32": lambda t: t.backends.cuda.matmul.allow_tf32,
    "cudnn": lambda t: [
        getattr(t.backends.cudnn, n) for n in ("enabled", "benchmark", "deterministic", "allow_tf32", "benchmark_limit")
    ],
    "deterministic settings": lambda t: t.backends.cudnn.set_flags(),
    "compile": lambda t: t.compile(add, backend="eager")(1),
    "compile as a decorator": lambda t: t.compile(backend="eager", dynamic=True)(add)(1),
    "compile keeps the name": lambda t: t.compile(add, backend="eager").__name__,
    "compile nothing": lambda t: t.compile(3),
    "compile by nothing": lambda t: t.compile(add, backend="foo"),
    "compile in no mode": lambda t: t.compile(add, mode="foo"),
    "compile in a mode with options": lambda t: t.compile(add, mode="default", options={}),
    "compiled module": lambda t: t.compile(t.nn.Linear(1, 1), backend="eager"),
    "state of a compiled module": lambda t: list(t.compile(t.nn.Linear(1, 1), backend="eager").state_dict()),
    "attribute of a compiled module": lambda t: t.compile(t.nn.Linear(1, 2), backend="eager").out_features,
    "no attribute of a compiled module": lambda t: t.compile(t.nn.Linear(1, 2), backend="eager").foo,
    "training of a compiled module": lambda t: (
        t.compile(t.nn.Sequential(t.nn.ReLU()), backend="eager").eval()._orig_mod[0].training
    ),
    "length of a compiled module": lambda t: len(t.compile(t.nn.Sequential(t.nn.ReLU()), backend="eager")),
    "names in a compiled module": lambda t: [
        n for n, _ in t.compile(t.nn.Sequential(t.nn.ReLU()), backend="eager").named_modules()
    ],
    "module.compile": lambda t: t.nn.Linear(1, 1).compile(backend="eager"),
    "no setting of the compiler": lambda t: t._dynamo.config.foo,
    "settings of the compiler": lambda t: (t._dynamo.config.cache_size_limit, t._dynamo.config.suppress_errors),
    "disable nothing": lambda t: t.compiler.disable(3),
    "script of a number": lambda t: t.jit.script(3),
    "script of a class": lambda t: t.jit.script(t.nn.Linear),
    "is_scripting": lambda t: (t.jit.is_scripting(), t.jit.is_tracing()),
    "annotate": lambda t: t.jit.annotate(list[int], [1]),
    "isinstance": lambda t: [
        t.jit.isinstance(v, k) for v in (1, [1], {"a": 1}, (1, "a")) for k in (int, list[int], dict[str, int], tuple[int, str])
    ],
    "Attribute": lambda t: t.jit.Attribute(3, int),
    "ignore": lambda t: t.jit.ignore(lambda x: x).__dict__,
    "ignore(True)": lambda t: t.jit.ignore(True)(lambda x: x).__dict__,
    "unused": lambda t: t.jit.unused(lambda x: x).__dict__,
    "export": lambda t: t.jit.export(lambda x: x).__dict__,
    "script_if_tracing": lambda t: t.jit.script_if_tracing(add)(1),
    "trace of what gives no tensor": lambda t: t.jit.trace(lambda x: 3, t.ones(1)),
    "trace of methods": lambda t: (
        t.jit.trace_module(t.nn.Bilinear(2, 3, 1), {"forward": [t.ones(2), t.ones(3)]}, check_trace=False)(
            t.zeros(2), t.ones(3)
        ).shape
    ),
    "trace of a method of one tensor": lambda t: t.jit.trace_module(t.nn.ReLU(), {"forward": t.ones(2)}, check_trace=False)(
        -t.ones(2)
    ),
    "trace of no methods": lambda t: t.jit.trace_module(t.nn.ReLU(), [t.ones(2)]),
    "trace without inputs": lambda t: t.jit.trace(add),
    "load of no file": lambda t: t.jit.load("/nowhere"),
    "unwrap": lambda t: t.jit._unwrap_optional(None),
    "fork and wait": lambda t: t.jit.wait(t.jit.fork(add, 2)),
    "fuser": lambda t: t.jit.fuser("foo").__enter__(),
    "wait_all": lambda t: t.futures.wait_all([]),
    "copy to wrapper": lambda t: t._jit_internal._copy_to_script_wrapper(lambda x: x).__dict__,
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_give_the_same(name):
    ours, theirs = outcome(CALLS[name], rushlight), outcome(CALLS[name], torch)
    assert ours == theirs


def futures(library):
    future = library.futures.Future()
    later = future.then(lambda f: f.value() + 1)
    seen = []
    future.add_done_callback(lambda f: seen.append(f.value()))
    collected = library.futures.collect_all([future, later])
    before = future.done(), collected.done()
    future.set_result(1)
    failing = library.futures.Future()
    failing.set_exception(ValueError("bad"))
    with contextlib.suppress(Exception):
        future.set_result(2)
    return before, later.wait(), seen, [f.wait() for f in collected.wait()], failing.done()


def test_futures():
    assert futures(rushlight) == futures(torch)
    failing = rushlight.futures.Future()
    failing.set_exception(ValueError("bad"))
    with pytest.raises(ValueError, match="bad"):
        failing.wait()
    with pytest.raises(RuntimeError, match="Future can only be marked completed once"):
        failing.set_result(1)
