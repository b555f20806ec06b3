"""What functions and classes of devices, and of other things that are not there, would do: sentences for their docstrings, which
`rushlight/_absent.py` composes with what each answers. Read where such a family is made."""

import re

FUNCTIONS = """\
all_gather: Puts the tensors of all devices behind each other, for each of them
all_reduce: Adds the tensors of all devices, for each of them
always_wrap_policy: Whether a module is sharded by itself: each is
async_save: Saves the parts of a state that processes hold, while the program goes on
broadcast: Copies a tensor to devices
broadcast_coalesced: Copies tensors to devices, small ones together
caching_allocator_alloc: Takes memory of the device, and gives its address
caching_allocator_delete: Gives memory of `caching_allocator_alloc` back
caching_allocator_enable: Has memory that is given back kept for what comes next, or not
can_device_access_peer: Whether a device reads another one's memory
change_current_allocator: Has memory taken from another allocator
clock_rate: How fast the device's processors run, in MHz
compile_shader: Compiles kernels that a program writes as text
context_parallel: A context in which attention is computed by several processes, a part of the sequence each
convert: Makes modules that have seen data ones with quantized weights
cudart: The module of CUDA's own functions
current_accelerator: The device that tensors would be computed on beside the CPU, without its number
current_allocated_memory: How many bytes tensors take
current_blas_handle: The address of what the library of matrix products keeps
current_device: The number of the current device
current_device_index: The number of the current device
current_solver_handle: The address of what the library of solvers keeps
current_stream: The stream that work goes to
default_stream: The stream that work goes to where a program chooses none
device: A context in which a device is the current one
device_count: How many devices there are
device_memory_used: How many bytes of the device all programs together use
distribute_module: Makes the parameters of a module tensors that processes hold in parts
distribute_tensor: Makes a tensor one that processes hold in parts
driver_allocated_memory: How many bytes the driver has taken, for all that is not a tensor too
empty: A tensor that processes hold in parts, with no values yet
empty_cache: Gives the memory back that is kept for tensors to come
empty_host_cache: Gives the pinned memory of the host back that is kept for tensors to come
enable_wrap: A context in which `wrap` shards modules
export.export: Makes a graph of a module, called with example arguments
export.load: Reads the graph of a program from a file
export.save: Writes the graph of a program to a file
onnx.export: Writes a module as an ONNX file
full: A tensor that processes hold in parts, of one value
fully_shard: Shards the parameters of a module over the processes
comm.gather: Puts the tensors of devices behind each other
get_allocator_backend: Which allocator has the memory of devices
get_arch_list: The kinds of devices that kernels were compiled for
get_device_capability: What the device can do, as two numbers of its generation
get_device_name: The name of the device
get_device_properties: The name of the device, its memory, and its processors
get_gencode_flags: The flags of the compiler by which kernels were compiled
get_memory_info: How many bytes of the device are free, and how many it has
get_model_state_dict: The state of a sharded module
get_optimizer_state_dict: The state of an optimizer over sharded parameters
get_per_process_memory_fraction: The part of the device's memory that this process may take
get_rng_state: The state of the device's random numbers, as a tensor of bytes
get_rng_state_all: The states of all devices' random numbers
get_state_dict: The states of a sharded module and its optimizers
get_stream_from_external: A stream that other code made, by its address
get_sync_debug_mode: What is told of calls that wait for the device: 0 nothing, 1 a warning, 2 an error
get_worker_info: The name and the number of a process that calls others
graph_pool_handle: A name for memory that graphs of captured work share
host_memory_stats: Counts of the host's pinned memory
host_memory_stats_as_nested_dict: Counts of the host's pinned memory, in dictionaries within each other
init: Sets up the device, which the first call that needs it does too
init_rank: Joins a group of devices that communicate
init_rpc: Has this process call functions in others, and the others here
profiler.init: Sets up the profiler
initial_seed: The seed of the device's random numbers
ipc_collect: Gives memory back that other processes had and have freed
is_available: Whether there is a device
is_bf16_supported: Whether the device computes with bfloat16
is_capturing_metal: Whether work is being captured
is_current_stream_capturing: Whether the current stream's work is being captured
is_in_onnx_export: Whether a module is being written as ONNX
is_initialized: Whether the device was set up
is_metal_capture_enabled: Whether work can be captured
is_tf32_supported: Whether the device multiplies with TF32
lambda_auto_wrap_policy: Whether a module is sharded by itself, as a function says
list_gpu_processes: The processes on the device and the memory they take, as text
checkpoint.load: Reads into a state the parts that this process holds
load_metallib: Loads kernels that were compiled before
load_state_dict: Reads into a state the parts that this process holds; the older name of `load`
local_map: Has a function of local tensors take those that processes hold in parts
loss_parallel: A context in which the loss of scores that are sharded is computed
manual_seed: Seeds the device's random numbers
manual_seed_all: Seeds the random numbers of all devices
mark: Marks an instant in the trace of NVIDIA's tools
max_memory_allocated: How many bytes tensors took at most
max_memory_reserved: How many bytes were taken from the device at most
mem_get_info: How many bytes of the device are free, and how many it has
memory_allocated: How many bytes tensors take
memory_reserved: How many bytes were taken from the device, those kept for tensors to come among them
memory_snapshot: The blocks of memory that were taken from the device
memory_stats: Counts of the device's memory, by name
memory_stats_as_nested_dict: Counts of the device's memory, in dictionaries within each other
memory_summary: Counts of the device's memory, as a text to print
memory_usage: For how much of the last second memory was read or written, in percent
ones: A tensor that processes hold in parts, of ones
parallelize_module: Shards the layers of a module over processes, by a plan
power_draw: How much power the device takes, in milliwatts
prepare: Puts into a model what looks at its numbers before it is quantized
prepare_qat: Puts into a model what rounds as quantized numbers are, for training
quantize_dynamic: A model whose weights are quantized, and whose activations are where they are used
rand: A tensor that processes hold in parts, of numbers from 0 to 1
randn: A tensor that processes hold in parts, of normal numbers
range_end: Ends a range of `range_start`
range_pop: Ends the innermost range of `range_push`
range_push: Begins a range in the trace of NVIDIA's tools, within the one that is open
range_start: Begins a range in the trace of NVIDIA's tools, which may end on another thread
recommended_max_memory: How many bytes a program should take at most
record_memory_history: Notes where memory is taken and given back
reduce: Adds the tensors of all devices, for one of them
reduce_add: Adds tensors of several devices on one
reduce_add_coalesced: Adds tensors of several devices on one, small ones together
reduce_scatter: Adds the tensors of all devices, and gives each a part of the sum
register_custom_op_symbolic: Says how an op is written as ONNX
register_dataclass: Has a dataclass be arguments of exported programs
register_fsdp_forward_method: Has another method of a sharded module gather its parameters, as forward does
remote: Calls a function in another process, which keeps what it returns
reset_accumulated_host_memory_stats: Sets the sums among the counts of pinned memory to 0
reset_accumulated_memory_stats: Sets the sums among the counts of memory to 0
reset_peak_host_memory_stats: Sets the highest counts of pinned memory to what they are now
reset_peak_memory_stats: Sets the highest counts of memory to what they are now
rpc_async: Calls a function in another process, and gives a Future
rpc_sync: Calls a function in another process, and waits for what it returns
checkpoint.save: Saves the parts of a state that processes hold
save_state_dict: Saves the parts of a state that processes hold; the older name of `save`
comm.scatter: Cuts a tensor into parts, one for each device
seed: Seeds the device's random numbers with a number by chance
seed_all: Seeds the random numbers of all devices with a number by chance
set_device: Makes a device the current one
set_model_state_dict: Loads a state into a sharded module
set_optimizer_state_dict: Loads a state into an optimizer over sharded parameters
set_per_process_memory_fraction: Has this process take only a part of the device's memory
set_rng_state: Sets the state of the device's random numbers
set_rng_state_all: Sets the states of all devices' random numbers
set_state_dict: Loads states into a sharded module and its optimizers
set_stream: Makes a stream the one that work goes to
set_sync_debug_mode: Says what is told of calls that wait for the device
shutdown: Ends the calls between processes
size_based_auto_wrap_policy: Whether a module is sharded by itself, as it is large enough
snapshot: The blocks of memory, and where they were taken
profiler.start: Begins to profile
profiler.stop: Ends to profile
mtia.stream: A context in which a stream is the one that work goes to
synchronize: Waits until all work of the device is done
temperature: How warm the device is, in degrees Celsius
transformer_auto_wrap_policy: Whether a module is sharded by itself, as it is one of the given classes
unique_id: A name for a group of devices that communicate
unregister_custom_op_symbolic: Forgets how an op is written as ONNX
utilization: For how much of the last second kernels ran, in percent
version: The version of the library
wrap: A module, sharded where `enable_wrap` says so
zeros: A tensor that processes hold in parts, of zeros
"""

CLASSES = """\
BackwardPrefetch: When the parameters of the next layer are gathered in backward
CPUOffload: Whether parameters wait in the host's memory
CPUOffloadPolicy: Has parameters wait in the host's memory
ColwiseParallel: Shards a layer by the columns of its weight
CUDAGraph: Work of a stream, captured to be done again
DTensor: A tensor that processes hold in parts
DefaultLoadPlanner: Says which parts of a saved state a process reads
DefaultSavePlanner: Says which parts of a state a process saves
DistributedOptimizer: An optimizer of parameters that lie in other processes
Event: A mark in a stream of work
ExportGraphSignature: What the inputs and outputs of an exported program are
ExportedProgram: The graph of a program, with its parameters
FSDPModule: What modules are that `fully_shard` has made
FileSystemReader: Reads the parts of a state from files
FileSystemWriter: Saves the parts of a state in files
FullOptimStateDictConfig: How the whole state of an optimizer is given
FullStateDictConfig: How the whole state of a module is given
FullyShardedDataParallel: A module whose parameters lie in parts over the processes
HuggingFaceStorageReader: Reads the parts of a state from safetensors files
HuggingFaceStorageWriter: Saves the parts of a state in safetensors files
LocalOptimStateDictConfig: How the part of an optimizer's state that a process holds is given
LocalStateDictConfig: How the part of a module's state that a process holds is given
MemPool: Memory of a device that is kept apart
MixedPrecision: The dtypes of parameters, gradients and buffers while they are computed with
MixedPrecisionPolicy: The dtypes of parameters and gradients while they are computed with
ModuleCallEntry: A call of a module within an exported program
ModuleWrapPolicy: Has modules of the given classes sharded by themselves
OffloadPolicy: Has parameters stay on the device
OptimStateKeyType: Whether the state of an optimizer is known by names or by numbers
ParallelStyle: How a layer is sharded
PostLocalSGDOptimizer: An optimizer after whose steps parameters are averaged over processes
PrepareModuleInput: Shards the inputs of a module
PrepareModuleOutput: Shards the outputs of a module
RRef: An object that another process keeps
RowwiseParallel: Shards a layer by the rows of its weight
SequenceParallel: Shards a layer by the positions of its input
ShardedOptimStateDictConfig: How an optimizer's state is given as parts
ShardedStateDictConfig: How a module's state is given as parts
ShardingStrategy: What of a module is sharded: parameters, gradients, the optimizer's state
StateDictOptions: What of a state is taken or loaded
StateDictType: Whether a state is whole, as a process holds it, or as parts
Stream: A queue of work on a device
TensorPipeRpcBackendOptions: How processes that call each other are connected
UnflattenedModule: An exported program, as modules again
UnshardHandle: Waits for parameters that are being gathered
XPUGraph: Work of a stream, captured to be done again
ZeroRedundancyOptimizer: An optimizer whose state lies in parts over the processes
"""

PARAMETERS = """\
abbreviated: whether some of the counts are left out
allocator: where memory is to be taken from
args: example arguments
buffer_size: how many bytes are copied together
check_available: whether it is to be a device that is there
chunk_sizes: the sizes of the parts along `dim`
cls: the dataclass
comms: the groups of the devices
debug_mode: 0, "default"; 1, "warn"; 2, "error"
data_ptr: the address of the stream
destination: the device of the result
device: the device, by its number, name or `torch.device`; None is the current one
device_index: the device, by its number, name or `torch.device`; None is the current one
devices: the devices
dim: the dimension along which tensors are cut or put behind each other
dtype: the dtype of the weights
dynamic_shapes: which sizes may differ between calls
enabled: what is noted; None, nothing
ep: the exported program
expected_opset_version: the versions of the sets of ops
extra_files: other files that lie beside it
f: the file, or its name
flags: what is profiled
fraction: the part, from 0 to 1
include_traces: whether it says where they were taken
including_emulation: whether it counts if other numbers stand in for it
inplace: whether the model itself is changed
inputs: a tensor on each device
kwargs: further arguments
mapping: which class becomes which
max_entries: how many entries are kept
mem_ptr: the address
mempool_id: which memory; None is all
mod: the module
mode: what is noted: "interval", "event", or both
model: the model
module: the module
msg: the text
new_state: a tensor of bytes, from `get_rng_state`
new_states: a tensor of bytes for each device
num_ranks: how many devices are in the group
op: how they become one: 0 adds them
opset_version: the version of the set of ops
out: tensors for the result
output: the tensor for the sum
output_file: the file for the trace
output_mode: how the trace is written
outputs: a tensor on each device for the result
peer_device: the other device
pickle_protocol: how arguments are pickled
prefer_deferred_runtime_asserts_over_guards: whether what was assumed of sizes is checked in calls
preserve_module_call_signature: modules whose calls stay as they are
qconfig_spec: which modules, and how
range_id: what `range_start` gave
rank: the number of this device in the group
root: the device that has it, or gets it
seed: the seed
serialized_type_name: its name in files
size: how many bytes
source: the text of the kernels, or the path of the library
stacks: which frames are noted
stream: the stream
streams: the streams of the devices
strict: whether code is read besides being run
symbolic_fn: writes a call of the op
symbolic_name: the op, such as "mydomain::relu"
tensor: the tensor
tensors: the tensors
uid: what `unique_id` gave
value: whether it is kept
wait_until_completed: whether each piece of work is waited for
"""

SAMPLES = {
    "allocator": "None", "cls": "tuple", "data_ptr": "0", "debug_mode": "0", "device": "0", "devices": "[0]", "ep": "None",
    "f": "'program.pt2'", "fraction": "0.5", "inputs": "[torch.ones(2)]", "mem_ptr": "0", "args": "(torch.ones(2),)",
    "mod": "torch.nn.ReLU()", "model": "torch.nn.ReLU()", "module": "torch.nn.ReLU()", "msg": "'forward'", "num_ranks": "1",
    "new_state": "torch.zeros(8)", "new_states": "[]", "opset_version": "20", "output_file": "'trace'", "peer_device": "1",
    "outputs": "[torch.ones(2)]", "range_id": "0", "rank": "0", "seed": "0", "size": "64", "source": "''", "stream": "None",
    "symbolic_fn": "None", "symbolic_name": "'mydomain::relu'", "tensor": "torch.ones(2)", "tensors": "[torch.ones(2)]",
    "uid": "b''",
}  # fmt: skip
"""What examples give for parameters without a default."""


def read(text):
    """A sentence by each name of a text."""
    return dict(line.partition(": ")[::2] for line in text.splitlines())


_functions, _classes, _parameters = map(read, (FUNCTIONS, CLASSES, PARAMETERS))


def found(sentences, module, name):
    """The sentence of a name in a module: that under the module's last name goes before."""
    return sentences.get(f"{module.rpartition('.')[2]}.{name}") or sentences.get(name)


def example(call, answer, warns=False):
    """The lines of an example: a call, and what it prints or raises; of one that warns, without that."""
    if warns:
        return f'>>> import warnings; warnings.simplefilter("ignore")\n{example(call, answer)}'
    if isinstance(answer, BaseException):
        return f">>> {call}\nTraceback (most recent call last):\n    ...\n{type(answer).__name__}: {answer}"
    return f">>> {call}" + (f"\n{answer!r}" if answer is not None else "")


def of_function(module, signature, answer):
    """The docstring of a function that gives one answer, or None of one that has no words."""
    name, _, parameters = signature[:-1].partition("(")
    about = found(_functions, module, name)
    if about is None:
        return None
    lines, given = [], []
    for parameter, default in re.findall(r"(?:^|, )(\**\w+)(?:=(.*?))?(?=, [\w*/]|$)", parameters):
        if parameter[0] != "*":
            lines.append(f"    {parameter}: {found(_parameters, module, parameter)}.")
            given += [] if default else [SAMPLES[parameter]]
    if isinstance(answer, BaseException):
        outcome = f"Raises: {type(answer).__name__}, always: there is nothing here that could."
    else:
        outcome = "Here it does nothing." if answer is None else f"Here it is always {answer!r}."
    parts = [f"{about}.", *(["\n".join(["Args:", *lines])] if lines else []), outcome]
    return "\n\n".join([*parts, example(f"{module.replace('rushlight', 'torch', 1)}.{name}({', '.join(given)})", answer)])


def of_class(module, name, error):
    """The docstring of a class of which no object can be made; `error` is what an attempt raises."""
    about = found(_classes, module, name)
    if about is None:
        return None
    path = f"{module.replace('rushlight', 'torch', 1)}.{name}"
    return f"{about}.\n\nRaises: {type(error).__name__}, always: there is none here.\n\n{example(f'{path}()', error)}"


def of_script_type(name):
    """The docstring of a type of TorchScript."""
    about = "What TorchScript calls a type, for annotations of programs: nothing is compiled here, and no value is one."
    return f"{about}\n\n>>> isinstance(None, torch.{name})\nFalse"
