"""Profiles of the steps of a program: which steps are watched, and what becomes of what was seen."""

from rushlight.autograd.profiler import kineto_available, record_function
from rushlight.profiler.steps import (
    DeviceType,
    ProfilerAction,
    ProfilerActivity,
    profile,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)

__all__ = [
    "DeviceType",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
