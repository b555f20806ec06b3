"""The transforms of `torch.func` under the paths where programs of other times import them from."""

from rushlight._functorch import config

__all__ = ["config"]
