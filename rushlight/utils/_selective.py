"""Selective checkpointing: which results the first forward keeps, so that the second need not compute them."""

import enum
from collections import defaultdict, deque

import rushlight as torch
from rushlight import core
from rushlight._ops import AtenOverload, AtenPacket, OpOverload
from rushlight.utils._python_dispatch import as_called

SAC_IGNORED_OPS = set()  # ops that are always computed again, whatever the policy says


class CheckpointPolicy(enum.Enum):
    """What a policy may say of an op. MUST goes before what anyone else might want, PREFER does not.

    >>> import rushlight as torch
    >>> torch.utils.checkpoint.CheckpointPolicy.MUST_SAVE.name
    'MUST_SAVE'
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_RECOMPUTED = (CheckpointPolicy.MUST_RECOMPUTE, CheckpointPolicy.PREFER_RECOMPUTE)


class SelectiveCheckpointContext:
    """What a policy is told besides the op and its arguments.

    Args:
        is_recompute: Whether this is the second forward.
        op_output: The op's result.

    >>> import rushlight as torch
    >>> torch.utils.checkpoint.SelectiveCheckpointContext(is_recompute=True).is_recompute
    True
    """

    def __init__(self, *, is_recompute, op_output=None):
        self.is_recompute, self.op_output = is_recompute, op_output


def map_tensors(function, value):
    """`value` with `function` applied to the tensors in it."""
    if isinstance(value, torch.Tensor):
        return function(value)
    return tuple(map_tensors(function, x) for x in value) if isinstance(value, (tuple, list)) else value


class Selection:
    """An interpreter of one of the two forwards; both share `kept`: for each op what its calls gave, in order."""

    def __init__(self, policy, kept, allow_mutation):
        self.policy, self.kept, self.allow_mutation = policy, kept, allow_mutation
        self.gave = set()  # the ops of which a second forward took what was kept

    def __enter__(self):
        core.push_interpreter(self)
        return self

    def __exit__(self, *exception):
        core.pop_interpreter()


class Keeping(Selection):
    """The first forward: keeps what the policy wants kept."""

    def process(self, op, arguments, keywords):
        """Computes, asks the policy, and remembers its decision with what it wants kept."""
        result = core.run(op, arguments, keywords)
        function, args, kwargs = as_called(op, arguments, keywords)
        if function in SAC_IGNORED_OPS:
            return result
        told = SelectiveCheckpointContext(is_recompute=False, op_output=result)
        decision = self.policy(told, function, *args, **kwargs)
        if isinstance(decision, bool):
            decision = CheckpointPolicy.MUST_SAVE if decision else CheckpointPolicy.PREFER_RECOMPUTE
        if decision not in _RECOMPUTED and not keywords:
            # Written in place later, the kept tensor would be wrong: so its version is kept too.
            self.kept[function].append(map_tensors(lambda x: (x.detach(), x._version), [result])[0])
        else:
            self.kept[function].append(None)
        return result


class Giving(Selection):
    """The second forward: gives what was kept, and computes the rest."""

    def process(self, op, arguments, keywords):
        """Gives the kept result of this call a history, or computes it."""
        function, _, _ = as_called(op, arguments, keywords)
        if function in SAC_IGNORED_OPS:
            return core.run(op, arguments, keywords)
        if not self.kept[function]:
            if function in self.gave:
                raise RuntimeError(
                    "Trying to backward an extra time. You are only allowed to backward once on any region computed under selective "
                    "activation checkpoint."
                )
            raise RuntimeError(
                f"{op.name} encountered during backward, but not found in storage. The function that is checkpointed has to run the same ops again."
            )
        self.gave.add(function)
        kept = self.kept[function].popleft()
        return core.run(op, arguments, keywords) if kept is None else core.record_call(op, arguments, self.given(kept))

    def given(self, kept):
        """The kept tensors, without history, and unchanged since."""
        if isinstance(kept, tuple) and len(kept) == 2 and isinstance(kept[1], int):
            tensor, version = kept
            if tensor._version != version and not self.allow_mutation:
                raise RuntimeError("Tensor cached during selective activation checkpoint has been mutated")
            return tensor.detach()
        return tuple(self.given(x) for x in kept) if isinstance(kept, tuple) else kept


def create_selective_checkpoint_contexts(policy_fn_or_list, allow_cache_entry_mutation=False):
    """The two contexts of a checkpoint that keeps some results: for its `context_fn`.

    Args:
        policy_fn_or_list: `policy(ctx, op, *args, **kwargs)`, which gives a CheckpointPolicy (or True to keep); or a list of the
            ops to keep.
        allow_cache_entry_mutation: Whether kept tensors may be written to in place.

    >>> import rushlight as torch
    >>> import functools
    >>> from rushlight.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts
    >>> a = torch.ones(2, 2, requires_grad=True)
    >>> keep_all = functools.partial(create_selective_checkpoint_contexts, lambda ctx, op, *args, **kwargs: True)
    >>> checkpoint(lambda a: torch.mm(a, a).sin().sum(), a, use_reentrant=False, context_fn=keep_all).backward()
    >>> a.grad
    tensor([[-1.6646, -1.6646],
            [-1.6646, -1.6646]])
    """
    if isinstance(policy_fn_or_list, list):
        ops = policy_fn_or_list
        for op in ops:
            if not isinstance(op, AtenOverload | OpOverload):
                advice = (
                    "Please update the OpOverloadPacket to a specific OpOverload."
                    "For example, if you have `torch.ops.aten.mm`, change it to `torch.ops.aten.mm.default`."
                )
                raise ValueError(
                    f"Expected op in `op_list` to be an OpOverload but got: {op} of type {type(op)}. "
                    + (advice if isinstance(op, AtenPacket) else "")
                )

        def policy(ctx, op, *args, **kwargs):
            return CheckpointPolicy.MUST_SAVE if op in ops else CheckpointPolicy.PREFER_RECOMPUTE
    elif callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    kept = defaultdict(deque)
    return Keeping(policy, kept, allow_cache_entry_mutation), Giving(policy, kept, allow_cache_entry_mutation)
