"""Random programs and random wrong calls beside PyTorch: `python -m tests.fuzz --help`."""
