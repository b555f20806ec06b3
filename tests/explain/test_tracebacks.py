"""Tracebacks show nothing of ops, and all of the program."""

import os
import subprocess
import sys

import pytest

import rushlight as torch

from .mistakes import frames_below


def raised_by(function):
    """The error that a call raises."""
    with pytest.raises(Exception) as caught:
        function()
    return caught.value


class TestFramesOfOps:
    def test_an_op_in_python_leaves_none(self):
        error = raised_by(lambda: torch.ones(3).gather(5, torch.zeros(3, dtype=torch.int64)))
        assert frames_below(error)[1:] == []

    def test_the_users_functions_stay(self):
        class Failing(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, g):
                raise ZeroDivisionError

        x = torch.ones(3, requires_grad=True)
        error = raised_by(lambda: Failing.apply(x).sum().backward())
        assert frames_below(error)[-1] == __file__

    def test_a_hook_stays(self):
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        y.register_hook(lambda g: 1 / 0)
        assert frames_below(raised_by(lambda: y.sum().backward()))[-1] == __file__

    def test_a_caught_error_can_be_raised_again(self):
        def again():
            try:
                return torch.ones(2) + torch.ones(3)
            except RuntimeError as error:
                raise ValueError("again") from error

        error = raised_by(again)
        assert frames_below(error) == [__file__]
        assert len(frames_below(error.__cause__)) == 0

    def test_all_frames_where_they_are_asked_for(self):
        program = "import rushlight as torch\ntorch.ones(2) + torch.ones(3)"
        for asked in ("", "1"):
            environment = {**os.environ, "RUSHLIGHT_CORE_FRAMES": asked}
            ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
            assert ended.returncode == 1
            assert (".pxi" in ended.stderr) == bool(asked)
