"""The layers and losses of `nn` as functions: parameters are arguments, and nothing is kept between calls."""

from .activation import *
from .classification_loss import *
from .distance import *
from .dropout import *
from .linear import *
from .margin_loss import *
from .normalization import *
from .padding import *
from .regression_loss import *
from .sparse import *
