"""Weights from the network, by an older name."""

from rushlight.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]


def __getattr__(name):
    if name == "tqdm":
        from rushlight import hub

        return hub.tqdm
    raise AttributeError(f"module 'torch.utils.model_zoo' has no attribute '{name}'")
