"""What deterministic algorithms do besides."""

fill_uninitialized_memory = True
"""Whether new memory is filled where `torch.use_deterministic_algorithms` is on."""
