"""Weights from the network, by an older name."""

from rushlight.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
