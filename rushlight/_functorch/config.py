"""Settings of a compiler that is not there."""

donated_buffer = True
functionalize_rng_ops = False
