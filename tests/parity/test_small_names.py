"""Names at the edges: streams and events of the CPU, modules of devices, private names of autograd.functional, tools around a build."""

import importlib

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

CALLS = """
t.newaxis
t.legacy_contiguous_format
t.GradScaler is t.amp.GradScaler
t.get_device_module().__name__
t.get_device_module("cuda").__name__
t.get_device_module(t.device("cpu")).is_available()
t.get_device_module("foo")
t.get_device_module("meta")
t.get_device_module(3)
t.Stream()
t.Stream("meta")
t.Stream(device="cpu", priority=1)
t.Stream("cuda")
t.Stream(3)
t.Stream() == t.Stream()
t.Stream().device, t.Stream().device_index, t.Stream().device_type, t.Stream().stream_id
t.Stream().query(), t.Stream().synchronize(), t.Stream().is_capturing()
t.Stream().wait_stream(t.Stream())
t.Stream().wait_event(t.Event())
t.Stream().record_event()
t.Stream().native_handle
t.Stream().__enter__()
t.Event()
t.Event("cpu", enable_timing=True)
t.Event("cuda")
t.Event().query(), t.Event().synchronize(), t.Event().wait(), t.Event().event_id, t.Event().device
t.Event().record()
t.Event().elapsed_time(t.Event())
t.Event().ipc_handle()
t.ones(1).record_stream(None)
t.autograd.functional._as_tuple(t.ones(1))
t.autograd.functional._as_tuple((t.ones(1),), "outputs", "f")
t.autograd.functional._as_tuple([t.ones(1)], "outputs", "f")
t.autograd.functional._as_tuple([3])
t.autograd.functional._tuple_postprocess((1, 2), True)
t.autograd.functional._tuple_postprocess((1,), False)
t.autograd.functional._tuple_postprocess(((1,), (2,)), (True, False))
t.autograd.functional._grad_postprocess((t.ones(1, requires_grad=True),), create_graph=False)
t.autograd.functional._grad_preprocess((t.ones(1),), create_graph=False, need_graph=True)
t.autograd.functional._construct_standard_basis_for((t.ones(2), t.ones(1)), (2, 1))
t.autograd.functional._validate_v((t.ones(2),), (t.ones(3),), True)
t.per_tensor_affine, t.per_channel_symmetric, type(t.per_tensor_affine)
t.qscheme()
t.torch is t
t._C._get_torch_function_state(), t._C._TorchFunctionState.__members__.keys()
t._C.ScriptMethod()
t._refs.add(t.ones(1), 2), t._refs.nn.functional.relu(t.ones(1)), t._refs.linalg.norm(t.ones(4))
t._refs.masked_fill_(t.ones(2), t.tensor([True, False]), 0)
t.cuda.jiterator._create_jit_fn("template <typename T> T f(T x) { return x; }").kernel_name
t.backends.python_native.available_dsls
module("utils._foreach_utils")._group_tensors_by_device_and_dtype([[t.ones(2), t.ones(3)], [None, t.ones(1)]], True)
module("utils._foreach_utils")._group_tensors_by_device_and_dtype([[t.ones(2)], [None, t.ones(1)]])
module("utils._foreach_utils")._group_tensors_by_device_and_dtype([[None], [t.ones(1)]])
module("utils._foreach_utils")._has_foreach_support([t.ones(2), None], t.device("cpu"))
module("utils._import_utils")._check_module_exists("no_such_module")
module("testing._utils").wrapper_set_seed(t.rand, 3)
t.nn.functional.scaled_mm(t.ones(16, 32).to(t.float8_e4m3fn), t.ones(32, 16).to(t.float8_e4m3fn), t.tensor(2.0), t.nn.functional.ScalingType.TensorWise, t.tensor(0.5), t.nn.functional.ScalingType.TensorWise).sum()
t.nn.functional.scaled_mm(t.ones(16, 32).to(t.float8_e4m3fn), t.ones(32, 16).to(t.float8_e4m3fn), t.ones(16, 1), t.nn.functional.ScalingType.RowWise, t.tensor(0.5), t.nn.functional.ScalingType.TensorWise)
t.has_lapack, t.has_mkl, t.has_openmp, t.has_spectral, t.compiled_with_cxx11_abi(), t.is_vulkan_available()
t.set_num_interop_threads(0)
t.set_num_interop_threads("x")
t.set_num_interop_threads(3), t.get_num_interop_threads()
t.set_num_interop_threads(4)
t.get_device(t.ones(1)), t.is_distributed(t.ones(1)), t.ones(1).is_distributed()
t.ones(2).is_set_to(t.ones(2))
(lambda x: (x.is_set_to(x.view(2)), x.is_set_to(x[:1])))(t.ones(2))
t.kl_div(t.ones(2).log(), t.ones(2) / 2)
t.kl_div(t.ones(2).log(), t.ones(2) / 2, 0, log_target=True)
t.kl_div(t.ones(2).log(), t.ones(2) / 2, reduction=2)
t.kl_div(1, 2)
t.kl_div(t.ones(2).log(), t.ones(2) / 2, 1)
t.kl_div(target=t.ones(2) / 2, input=t.ones(2).log(), reduction=5)
t.hinge_embedding_loss(t.arange(3.0), t.tensor([1.0, -1, 1]), 2.0)
t.poisson_nll_loss(t.arange(3.0), t.ones(3), True, False, 1e-8, 2)
t.margin_ranking_loss(t.arange(3.0), t.ones(3), t.ones(3), reduction=0)
t.cosine_embedding_loss(t.eye(3), t.ones(3, 3), t.ones(3), 0.5)
t.triplet_margin_loss(t.eye(3), t.ones(3, 3), t.zeros(3, 3), 1.0, 2, 1e-6, True)
t.instance_norm(t.arange(8.0).view(1, 2, 4), None, None, None, None, True, 0.1, 1e-5, False)
t._check_with(ValueError, False, lambda: "x")
t._check_tensor_all(t.tensor([True, False]))
t._check_tensor_all(t.tensor([True, False]), lambda: "x")
t._check_tensor_all(t.tensor([1]))
t._check_tensor_all(1)
t._utils._flatten_dense_tensors([t.ones(2, 2), t.zeros(1)])
t._utils._unflatten_dense_tensors(t.arange(5.0), [t.ones(2, 2), t.zeros(1)])
t.version.rocm
module("_prims_common").is_contiguous_or_false(t.ones(2, 3).t())
module("_prims_common").alert_not_deterministic("f")
module("utils._pytree")._get_node_type([1])
module("utils.model_zoo").load_url is module("hub").load_state_dict_from_url
module("utils.cpp_extension").CUDAExtension("a", ["a.cpp"])
module("utils.cpp_extension").CUDA_HOME
module("utils.cpp_extension").get_cxx_compiler()
module("utils.cpp_extension").get_default_build_root().rpartition("/")[0]
module("utils.collect_env").run("echo a; echo b >&2; exit 3")
module("utils.collect_env").run_and_read_all(module("utils.collect_env").run, "echo ' hi '; exit 1")
module("utils.collect_env").run_and_parse_first_match(module("utils.collect_env").run, "echo v1.2", "v(.*)")
module("utils.collect_env").run_and_return_first_line(module("utils.collect_env").run, "echo a; echo b")
module("utils.collect_env").get_os(module("utils.collect_env").run)
module("utils.collect_env").get_gcc_version(module("utils.collect_env").run)
module("utils.collect_env").get_cpu_info(module("utils.collect_env").run)[:100]
module("utils.collect_env").get_libc_version()
module("utils.collect_env").SystemEnv._fields
""".strip().splitlines()


def outcome(library, call):
    """What an expression gives, as text, or its error."""
    names = {"t": library, "module": lambda name: importlib.import_module(f"{library.__name__}.{name}")}
    try:
        return repr(eval(call, names))
    except (RuntimeError, TypeError, ValueError, OSError, NotImplementedError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("call", CALLS)
def test_names_answer_as_pytorch_does(call):
    """Values, texts and errors."""
    assert outcome(rushlight, call).replace("rushlight", "torch") == outcome(torch, call)


@pytest.mark.parametrize("name", ["eig", "lstsq", "matrix_rank", "solve", "symeig"])
def test_removed_functions_say_so(name):
    """What to use is said in each library's words."""
    for library in (torch, rushlight):
        with pytest.raises(RuntimeError, match=r"This function was deprecated since version 1\.9 and is now removed\."):
            getattr(library, name)(*[library.eye(2)] * (1 + (name in ("lstsq", "solve"))))


def test_the_report_has_the_same_lines():
    """What each says may differ."""
    ours, theirs = (
        [
            line.partition(":")[0]
            for line in importlib.import_module(f"{library.__name__}.utils.collect_env").get_pretty_env_info().split("\n")
        ]
        for library in (rushlight, torch)
    )
    end = theirs.index("CPU") + 1
    assert ours[:end] == theirs[:end]
    assert "Versions of relevant libraries" in ours


def test_what_would_compile_is_an_error():
    """It says why."""
    from rushlight.utils import cpp_extension

    for call in (
        lambda: cpp_extension.load("a", ["a.cpp"]),
        lambda: cpp_extension.load_inline("a", ""),
        lambda: cpp_extension.CppExtension("a", ["a.cpp"]),
        cpp_extension.BuildExtension.with_options(use_ninja=False),
    ):
        with pytest.raises(RuntimeError, match="headers"):
            call()


KINDS = ["DEFAULT", "NO_OPMATH", "INT_TO_FLOAT", "ALWAYS_BOOL", "COMPLEX_TO_FLOAT", "BOOL_TO_LONG"]
DTYPES = ["bool", "uint8", "int64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("kind", KINDS)
def test_dtypes_of_element_wise_ops(kind):
    def found(library):
        common = importlib.import_module(f"{library.__name__}._prims_common")
        kinds = common.ELEMENTWISE_TYPE_PROMOTION_KIND
        values = [True, 2, 2.5, 1j, None]
        values += [library.ones(shape, dtype=getattr(library, name)) for name in DTYPES for shape in ((2,), ())]
        return [
            [str(dtype) for dtype in common.elementwise_dtypes(a, b, type_promotion_kind=kinds[kind])]
            for a in values
            for b in values
        ]

    assert found(rushlight) == found(torch)


@pytest.mark.parametrize(
    "text",
    (
        "zeros(2, pin_memory=True)",
        "empty(2, pin_memory=True)",
        "full((2,), 1, pin_memory=True)",
        "tensor([1], pin_memory=True)",
        "rand(2, pin_memory=True)",
        "arange(3, pin_memory=True)",
        "zeros_like(t.ones(2), pin_memory=True)",
        "ones(2).new_zeros(2, pin_memory=True)",
        "hann_window(2, pin_memory=True)",
        "ones(2, pin_memory=False)",
        "device(0)",
        "device(-1)",
        "ones(2).to(1)",
        "ones(2).to(-1)",
        "ones(2, device=-1)",
        "is_vulkan_available(1)",
        "sym_fresh_size(t.tensor(3))",
        "ones(2, 3).view(t.tensor(True), 6).shape",
        "isin(2**63, t.tensor([2]))",
        "ones(2).copy_(2**63)",
    ),
)
def test_pins_and_places(text):
    said = []
    for t in (rushlight, torch):
        try:
            said.append(repr(eval(f"t.{text}", {"t": t})))
        except Exception as error:
            said.append((type(error).__name__, str(error).partition("  (Could")[0]))
    assert said[0] == said[1]
