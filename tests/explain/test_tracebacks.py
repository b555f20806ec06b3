"""Tracebacks: of classic mistakes they show no more of the library than PyTorch's do, and nothing of ops."""

import os
import subprocess
import sys

import pytest

import rushlight as torch

from .mistakes import MISTAKES, frames_below, run


@pytest.mark.parametrize("name", MISTAKES)
def test_message_and_frames(name, tmp_path):
    mistake = MISTAKES[name]
    _, error = run(mistake, torch, tmp_path / "mistake.py")
    assert type(error).__name__ == mistake.error
    assert str(error).startswith(mistake.message)
    files = frames_below(error)
    # (Where a test before has made a subclass of Tensor, functions ask first whether it takes them over: two frames more.)
    asked = sum(os.path.basename(file) == "_overridable.py" for file in files)
    assert len(files) - 2 * asked <= mistake.frames, files
    assert all(os.path.isfile(file) for file in files), files


def test_several_numbers_are_told_with_their_shape(tmp_path):
    _, error = run(MISTAKES["loss of several elements"], torch, tmp_path / "mistake.py")
    assert error.__notes__ == [
        "  its shape is [3]: start from one number (loss.sum() or loss.mean()), or give gradient=… of this shape"
    ]


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
