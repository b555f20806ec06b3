"""The layers and losses of `nn` as functions: parameters are arguments, and nothing is kept between calls."""

from .activation import *  # noqa: F403
from .classification_loss import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .linear import *  # noqa: F403
from .margin_loss import *  # noqa: F403
from .normalization import *  # noqa: F403
from .regression_loss import *  # noqa: F403
from .sparse import *  # noqa: F403
