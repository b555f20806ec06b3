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
