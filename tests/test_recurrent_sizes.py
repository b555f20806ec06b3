"""The layers of recurrent nets as ops: what does not fit is refused before anything is read or written."""

import pytest

import rushlight as torch
from rushlight.ops.recurrent import STEPS, _recurrent_layer

TENSORS = ("x", "h", "c", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


def arguments(cell, packed):
    gates, lstm = STEPS[cell][1], cell == "lstm"
    rows = (5,) if packed else (3, 2)
    sizes = ((*rows, 4), (2, 3), (2, 3) if lstm else None, (gates * 3, 4), (gates * 3, 3), (gates * 3,), (gates * 3,))
    made = [None if size is None else torch.ones(size) for size in sizes]
    return [*made, torch.tensor([2, 2, 1]) if packed else None, cell, False]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("cell", STEPS)
def test_sizes_that_do_not_fit_are_refused(cell, packed):
    given = arguments(cell, packed)
    assert _recurrent_layer(*given)[0].shape == given[0].shape[:-1] + (3,)
    for at, value in enumerate(given[: len(TENSORS)]):
        for dim in range(0 if value is None else value.dim()):
            if at == 0 and dim == 0 and not packed:
                continue  # (any number of steps)
            wrong = [*given]
            wrong[at] = value.narrow(dim, 1, value.shape[dim] - 1)
            with pytest.raises((RuntimeError, ValueError)):
                _recurrent_layer(*wrong)


@pytest.mark.parametrize("sizes", [[2, 2], [2, 2, 2], [1, 2, 2], [3, 1, 1], [2, 3], [5], [2, 2, 1, 0], [2, 2, 2, -1], []])
@pytest.mark.parametrize("cell", STEPS)
def test_steps_that_are_not_those_of_packed_sequences_are_refused(cell, sizes):
    given = arguments(cell, True)
    given[7] = torch.tensor(sizes, dtype=torch.int64)
    with pytest.raises(RuntimeError, match="do not fit each other"):
        _recurrent_layer(*given)


@pytest.mark.parametrize("cell", STEPS)
def test_rows_of_no_sequences_are_refused(cell):
    given = arguments(cell, True)
    given[1:3] = [None if state is None else state[:0] for state in given[1:3]]
    with pytest.raises(RuntimeError, match="do not fit each other"):
        _recurrent_layer(*given)
