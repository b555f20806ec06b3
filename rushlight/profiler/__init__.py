"""Profiles of the steps of a program: which steps are watched, and what becomes of what was seen."""

from rushlight.autograd.profiler import KinetoStepTracker, kineto_available, record_function
from rushlight.profiler import itt
from rushlight.profiler.profiler import (
    DeviceType,
    ProfilerAction,
    ProfilerActivity,
    ProfilerState,
    RecordScope,
    _KinetoProfile,
    profile,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)

__all__ = [
    "DeviceType",
    "KinetoStepTracker",
    "ProfilerAction",
    "ProfilerActivity",
    "ProfilerState",
    "RecordScope",
    "_KinetoProfile",
    "itt",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
