# Grad modes of the running thread; rushlight/autograd/grad_mode.py makes context managers of them.
def is_grad_enabled() -> bool:
    """Whether operations are recorded now; within inference mode, whether they would be outside.

    >>> import rushlight as torch
    >>> with torch.no_grad():
    ...     torch.is_grad_enabled()
    False
    """
    return modes.wished if modes.inference else modes.grad

def set_grad_mode(bint enabled):
    """Sets grad mode of this thread; returns what it was. Inference mode records nothing even so."""
    cdef bint before = modes.wished if modes.inference else modes.grad
    if modes.inference:
        modes.wished = enabled
    else:
        modes.grad = enabled
    return before

def is_inference_mode_enabled() -> bool:
    """Whether this thread is in inference mode.

    >>> import rushlight as torch
    >>> with torch.inference_mode():
    ...     torch.is_inference_mode_enabled()
    True
    """
    return modes.inference

def set_inference_mode(bint enabled):
    """Sets inference mode of this thread (which turns grad mode off too); returns the modes as they were."""
    cdef tuple before = inference_modes()
    modes.inference, modes.wished, modes.grad = enabled, False, not enabled
    return before

def leave_inference_mode():
    """Ends inference mode of this thread and leaves grad mode as the program sees it; returns the modes as they were."""
    cdef tuple before = inference_modes()
    if modes.inference:
        modes.inference, modes.grad = False, modes.wished
    return before

cdef tuple inference_modes():
    return modes.inference, modes.wished, modes.grad

def restore_modes(bint inference, bint wished, bint grad):
    """Puts back what set_inference_mode or leave_inference_mode returned."""
    modes.inference, modes.wished, modes.grad = inference, wished, grad

cdef class Unwrapped:
    """`with unwrapped:` as PyTorch's C++ computes: a number in arithmetic stands for itself (MulBackward1), and is no wrapped tensor."""

    def __enter__(self):
        modes.unwrapped += 1

    def __exit__(self, *error):
        modes.unwrapped -= 1

unwrapped = Unwrapped()

def anomaly_mode():
    """Whether backward names the forward line of what fails, and whether it checks for NaN then."""
    return modes.anomaly, modes.anomaly_check_nan

def set_anomaly_mode(bint enabled, bint check_nan=True):
    """Sets anomaly mode, which all threads share."""
    modes.anomaly, modes.anomaly_check_nan = enabled, check_nan


cdef extern from *:
    """
    // Whether ops may take their short ways for plain calls.
    static int rl_short_ways = 1;
    // A call on tensors without memory (calls/meta.pxi), from begin() to the end of the scope that this stands in: there are no short ways.
    struct rl_meta_call {
      static inline int running = 0, ways = 1;
      rl::MetaMode mode;
      bool begun = false;
      void begin() {
        if (!running++) ways = rl_short_ways;
        rl_short_ways = 0;
        mode.set(begun = true);
      }
      ~rl_meta_call() { if (begun && !--running) rl_short_ways = ways; }
    };
    """
    bint short_ways "rl_short_ways"
    cdef cppclass MetaCall "rl_meta_call":
        void begin()

# Off (RUSHLIGHT_SHORT_WAYS=0), every call takes the general way: laws compare the two.
short_ways = __import__("os").environ.get("RUSHLIGHT_SHORT_WAYS") != "0"

def use_short_ways(bint allowed):
    """Lets ops take their short ways for plain calls, or sends every call the general way; returns what was set before."""
    global short_ways
    before, short_ways = short_ways, allowed
    return before
