"""What PyTorch's own test suites are written with, `torch.testing._internal` of the installed PyTorch, runs on Rushlight under the name torch."""

import json
import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

START = """
import json, sys
import torch
torch.testing.__path__.append(sys.argv[1])
"""


def run(program):
    """What a program prints with the alias, as JSON."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "rushlight", "-c", START + program, torch.testing.__path__[0]]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert not done.returncode, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_databases_are_read():
    found = run("""
from torch.testing._internal import common_methods_invocations, common_modules, common_optimizers, common_nn
print(json.dumps([
    [info.name for info in common_methods_invocations.op_db],
    [info.name.removeprefix("rushlight.") for info in common_modules.module_db],
    [info.name for info in common_optimizers.optim_db],
    len(common_nn.get_new_module_tests()),
]))
""")
    from torch.testing._internal import common_methods_invocations, common_modules, common_nn, common_optimizers

    assert found == [
        [info.name for info in common_methods_invocations.op_db],
        [info.name for info in common_modules.module_db],
        [info.name for info in common_optimizers.optim_db],
        len(common_nn.get_new_module_tests()),
    ]


IMPORTS = """
from torch.__future__ import get_swap_module_params_on_conversion
from torch._dynamo.testing import CompileCounter, CompileCounterWithBackend
from torch._subclasses.meta_utils import assert_metadata_eq
from torch import _mkldnn
from torch._C import _ConvBackend
from torch.nn.parallel._functions import Broadcast
from torch.testing._internal.common_cuda import tf32_on_and_off
from torch.testing._internal.common_mkldnn import reduced_f32_on_and_off
from torch.testing._internal.common_nn import NNTestCase, NewModuleTest
from torch.testing._internal.common_utils import swap
from torch.testing._internal.two_tensor import TwoTensor
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
"""


def test_what_suites_import_is_there():
    assert run(IMPORTS + "print(json.dumps(True))")


SUITE = """
import unittest
from torch.testing._internal.common_device_type import dtypes, instantiate_device_type_tests, onlyCPU, ops
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import module_db, modules
from torch.testing._internal.common_utils import TestCase, freeze_rng_state, make_tensor, parametrize, subtest

class TestSuite(TestCase):
    @dtypes(torch.float32, torch.int64)
    def test_dtypes(self, device, dtype):
        x = make_tensor((3,), device=device, dtype=dtype, low=1, high=9)
        self.assertEqual(x + x, 2 * x)
        self.assertEqual(x, x.tolist())
        self.assertNotEqual(x, x + 1)

    @onlyCPU
    @parametrize("factor", [1, subtest(2, name="two")])
    def test_parametrized(self, device, factor):
        with freeze_rng_state():
            first = torch.rand(3, device=device)
        self.assertEqual(first * factor, torch.rand(3) * factor)
        with self.assertRaisesRegex(RuntimeError, "must match the size"):
            torch.ones(2) + torch.ones(3)

    @onlyCPU
    def test_what_differs(self, device):
        for given in ((torch.ones(2), torch.zeros(2)), (1, 2.5), (True, torch.tensor(False)), ("a", "b"), ({"k": [1]}, {"k": [2]}),
                      (torch.ones(2), torch.ones(3)), (torch.ones(2), torch.ones(2).double()), (None, 1), ({1, 2}, {1})):
            try:
                self.assertEqual(*given)
            except AssertionError as error:
                texts.append(str(error))

    @ops([op for op in op_db if op.name in ("add", "nn.functional.conv2d", "sum")], allowed_dtypes=(torch.float64,))
    def test_ops(self, device, dtype, op):
        for sample in op.sample_inputs(device, dtype, requires_grad=True):
            self.assertEqual(op(sample.input, *sample.args, **sample.kwargs).dtype, dtype)

    @modules([info for info in module_db if info.module_cls in (torch.nn.Linear, torch.nn.BatchNorm1d)])
    def test_modules(self, device, dtype, module_info, training):
        for sample in module_info.module_inputs_func(module_info, device=device, dtype=dtype, requires_grad=False, training=training):
            module = module_info.module_cls(*sample.constructor_input.args, **sample.constructor_input.kwargs)
            module.to(dtype).train(training)(*sample.forward_input.args, **sample.forward_input.kwargs)

texts = []
instantiate_device_type_tests(TestSuite, globals(), only_for="cpu")
result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(TestSuiteCPU))
names = sorted(name for name in dir(TestSuiteCPU) if name.startswith("test_") and callable(getattr(TestSuiteCPU, name)))
print(json.dumps([names, result.testsRun, [str(test) + text for test, text in result.errors + result.failures], len(result.skipped), texts]))
"""


def test_a_suite_runs():
    names, count, failed, skipped, texts = run(SUITE)
    names = [name.replace("rushlight_", "") for name in names]
    assert not failed and not skipped and count == len(names)
    command = [sys.executable, "-c", "import json, torch" + SUITE]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"}, timeout=300)
    assert [names, count, failed, skipped, texts] == json.loads(done.stdout.splitlines()[-1])


MAIN = """
import sys
import torch
torch.testing.__path__.append({path!r})
from torch.testing._internal.common_utils import TestCase, do_test_empty_full, run_tests

class TestNew(TestCase):
    def test_empty(self):
        do_test_empty_full(self, [torch.float32, torch.complex32, torch.bool], torch.strided, torch.device("cpu"))

if __name__ == "__main__":
    run_tests()
"""


def test_a_suite_runs_as_a_program(tmp_path):
    script = tmp_path / "test_new.py"
    script.write_text(MAIN.format(path=torch.testing.__path__[0]))
    outside = {name: value for name, value in os.environ.items() if name != "CI"}  # under CI the suite wants a writer of XML
    command = [sys.executable, "-m", "rushlight", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=outside, timeout=300)
    assert not done.returncode and "Ran 1 test" in done.stderr, done.stderr[-4000:]
