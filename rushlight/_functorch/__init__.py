"""The transforms of `torch.func` under the paths where programs of other times import them from."""
