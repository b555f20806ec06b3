"""A library that Rushlight does not use."""

enabled = False
