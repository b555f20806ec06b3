"""A warning names the line of the program, however deep in the package it arose."""

import warnings

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F

LATE = nn.Linear(2, 2)
LATE.register_full_backward_hook(lambda *given: None)
SCHEDULED = torch.optim.SGD(LATE.parameters(), 0.1)
CAUSES = {
    "implicit dim": lambda: F.softmax(torch.zeros(2)),
    "implicit dim of a module": lambda: nn.Softmax()(torch.zeros(2)),
    "copy": lambda: torch.tensor(torch.zeros(2)),
    "sequences": lambda: torch.zeros(2, 2)[[range(2), range(2)]],
    "out": lambda: torch.add(torch.zeros(2), 1, out=torch.zeros(3)),
    "bytes": lambda: torch.zeros(2)[torch.tensor([1, 0], dtype=torch.uint8)],
    "reduction": lambda: F.mse_loss(torch.zeros(2), torch.zeros(3).sum(), size_average=True),
    "sizes of losses": lambda: F.mse_loss(torch.zeros(2), torch.zeros(1)),
    "no elements": lambda: nn.init.kaiming_uniform_(torch.zeros(0, 2)),
    "hooks": lambda: LATE(torch.zeros(2)).sum().backward(),
    "schedule": lambda: torch.optim.lr_scheduler.StepLR(SCHEDULED, 1).step(),
    "dropout of one layer": lambda: nn.LSTM(2, 2, dropout=0.5),
    "degrees": lambda: torch.ones(1).std(),
    "old name": lambda: nn.init.xavier_uniform(torch.zeros(2, 2)),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_warning_names_the_line_of_the_program(cause):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CAUSES[cause]()
    assert caught
    assert {warning.filename for warning in caught} == {__file__}
    assert {warning.lineno for warning in caught} == {CAUSES[cause].__code__.co_firstlineno}


def test_volatile_is_no_more():
    x = torch.ones(2)
    with pytest.warns(UserWarning, match=r"volatile was removed \(Variable.volatile is always False\)"):
        assert x.volatile is False
    with pytest.warns(UserWarning, match="volatile was removed and now has no effect"):
        x.volatile = True
