"""Algorithms over processes."""

from rushlight.distributed.algorithms.join import Join, Joinable, JoinHook
