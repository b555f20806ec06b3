"""What functions of CUDA answer on a machine without it: as PyTorch built for the CPU alone, to the text of each error."""

from collections import OrderedDict

from rushlight._absent import answering, dummies

NO_CUDA = AssertionError("Torch not compiled with CUDA enabled")
NO_NVML = ModuleNotFoundError("nvidia-ml-py does not seem to be installed or it can't be imported.")


def no_binding(name):
    """The error of functions that PyTorch's build without CUDA finds no binding for."""
    return AttributeError(f"module 'torch._C' has no attribute '{name}'")


def without(prefix, error):
    """The answers that devices with memory and random numbers have in common; `prefix` is that of the bindings, such as "_cuda"."""
    return {
        "can_device_access_peer(device, peer_device)": error,
        "current_device()": error,
        "current_stream(device=None)": error,
        "device_count()": 0,
        "empty_cache()": None,
        "get_arch_list()": [],
        "get_device_capability(device=None)": error,
        "get_device_name(device=None)": error,
        "get_device_properties(device=None)": error,
        "get_gencode_flags()": "",
        "get_per_process_memory_fraction(device=None)": error,
        "get_rng_state_all()": [],
        "get_stream_from_external(data_ptr, device=None)": error,
        "init()": error,
        "initial_seed()": error,
        "is_available()": False,
        "is_bf16_supported(including_emulation=True)": False,
        "is_initialized()": False,
        "is_tf32_supported()": False,
        "max_memory_allocated(device=None)": 0,
        "max_memory_reserved(device=None)": 0,
        "mem_get_info(device=None)": error,
        "memory_allocated(device=None)": 0,
        "memory_reserved(device=None)": 0,
        "memory_stats(device=None)": OrderedDict(),
        "memory_stats_as_nested_dict(device=None)": {},
        "reset_accumulated_memory_stats(device=None)": no_binding(prefix + "_resetAccumulatedMemoryStats"),
        "reset_peak_memory_stats(device=None)": no_binding(prefix + "_resetPeakMemoryStats"),
        "seed()": None,
        "seed_all()": None,
        "set_per_process_memory_fraction(fraction, device=None)": error,
        "set_stream(stream)": None,
        "synchronize(device=None)": error,
        "_is_compiled()": False,
        "_is_in_bad_fork()": False,
        "_lazy_call(callable, **kwargs)": None,
        "_lazy_init()": error,
    }


ANSWERS = {
    **without("_cuda", NO_CUDA),
    "caching_allocator_alloc(size, device=None, stream=None)": NO_CUDA,
    "caching_allocator_delete(mem_ptr)": no_binding("_cuda_cudaCachingAllocator_raw_delete"),
    "caching_allocator_enable(value=True)": None,
    "change_current_allocator(allocator)": no_binding("_cuda_changeCurrentAllocator"),
    "clock_rate(device=None)": NO_NVML,
    "cudart()": NO_CUDA,
    "current_blas_handle()": NO_CUDA,
    "current_solver_handle()": NO_CUDA,
    "default_stream(device=None)": NO_CUDA,
    "device_memory_used(device=None)": NO_NVML,
    "get_allocator_backend()": no_binding("_cuda_getAllocatorBackend"),
    "get_rng_state(device='cuda')": NO_CUDA,
    "get_sync_debug_mode()": NO_CUDA,
    "graph_pool_handle()": RuntimeError("Tried to instantiate dummy base class _graph_pool_handle"),
    "host_memory_stats()": OrderedDict(),
    "host_memory_stats_as_nested_dict()": {},
    "ipc_collect()": NO_CUDA,
    "is_current_stream_capturing()": RuntimeError("Tried to instantiate dummy base class _cuda_isCurrentStreamCapturing"),
    "list_gpu_processes(device=None)": "pynvml module not found, please install nvidia-ml-py",
    "memory_snapshot(mempool_id=None, include_traces=True)": no_binding("_cuda_memorySnapshot"),
    "memory_summary(device=None, abbreviated=False)": KeyError("allocated_bytes.all.current"),
    "memory_usage(device=None)": NO_NVML,
    "power_draw(device=None)": NO_NVML,
    "reset_accumulated_host_memory_stats()": no_binding("_cuda_resetAccumulatedHostMemoryStats"),
    "reset_peak_host_memory_stats()": no_binding("_cuda_resetPeakHostMemoryStats"),
    "set_sync_debug_mode(debug_mode)": NO_CUDA,
    "temperature(device=None)": NO_NVML,
    "utilization(device=None)": NO_NVML,
    "_device_count_nvml()": -1,
    "_sleep(cycles)": no_binding("_cuda_sleep"),
    "_record_memory_history(enabled='all', *args, **kwargs)": no_binding("_cuda_record_memory_history"),
    "_snapshot(device=None, augment_with_fx_traces=False)": no_binding("_cuda_memorySnapshot"),
}


def functions(module, names=None):
    """The functions of ANSWERS, all or those of the given names, as functions of `module`."""
    wanted = ANSWERS if names is None else {text: answer for text, answer in ANSWERS.items() if text.partition("(")[0] in names}
    return answering(module, wanted)


def classes(module, *names):
    """Classes of which no object can be made."""
    return dummies(module, *names)
