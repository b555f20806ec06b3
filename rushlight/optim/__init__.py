"""Optimizers: one algorithm a file, all on the base class in `optimizer`; schedules of learning rates; averages of weights."""

from rushlight.optim import _functional, lr_scheduler, swa_utils
from rushlight.optim._adafactor import Adafactor
from rushlight.optim._muon import Muon
from rushlight.optim.adadelta import Adadelta
from rushlight.optim.adagrad import Adagrad
from rushlight.optim.adam import Adam
from rushlight.optim.adamax import Adamax
from rushlight.optim.adamw import AdamW
from rushlight.optim.asgd import ASGD
from rushlight.optim.lbfgs import LBFGS
from rushlight.optim.nadam import NAdam
from rushlight.optim.optimizer import Optimizer
from rushlight.optim.radam import RAdam
from rushlight.optim.rmsprop import RMSprop
from rushlight.optim.rprop import Rprop
from rushlight.optim.sgd import SGD
from rushlight.optim.sparse_adam import SparseAdam

for _class in (Adafactor, Muon):
    _class.__module__ = __name__  # (as PyTorch has it, in pickles too)

__all__ = [
    *("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "Optimizer", "RAdam"),
    *("RMSprop", "Rprop", "SGD", "SparseAdam", "lr_scheduler", "swa_utils"),
]
