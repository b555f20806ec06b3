"""Short-time Fourier transforms: those of a signal's frames, and the signal put together of them again."""

import rushlight as torch
from rushlight.core import warn_once, warn_user
from rushlight.ops._declare import composite
from rushlight.ops.fourier import COUNT, NONE, ROOT, _fft_c2c, _fft_c2r, _fft_r2c
from rushlight.ops.parts import unfold_backward


def described(value):
    """An argument as PyTorch's errors show it."""
    if isinstance(value, torch.Tensor):
        return f"torch.{value.dtype.legacy_name}Tensor{{{list(value.shape)}}}"
    return int(value) if isinstance(value, bool) else value


def refuse(call, title, text):
    """Raises PyTorch's error of a call, which is shown with its arguments."""
    shown = ", ".join(f"{name}={described(value)}" for name, value in call.items())
    raise RuntimeError(f"{title}, {shown}){text}")


def framed(window, n_fft, win_length, dtype):
    """The window in the middle of a frame; ones where there is none."""
    if window is None:
        window = torch.ones(win_length, dtype=dtype)
    left = (n_fft - win_length) // 2
    return torch.constant_pad_nd(window, [left, n_fft - win_length - left]) if win_length < n_fft else window


def check_stft(x, call, n_fft, hop_length, win_length, window):
    title = f"stft(torch.{x.dtype.legacy_name}Tensor{list(x.shape)}"
    if not (x.is_floating_point() or x.is_complex()):
        refuse(call, title, " : expected a tensor of floating point or complex values")
    if x.dim() not in (1, 2):
        refuse(call, title, " : expected a 1D or 2D tensor")
    length = x.shape[-1]
    if not 0 < n_fft <= length:
        refuse(call, title, f" : expected 0 < n_fft < {length}, but got n_fft={n_fft}")
    if hop_length <= 0:
        refuse(call, title, f" : expected hop_length > 0, but got hop_length={hop_length}")
    if not 0 < win_length <= n_fft:
        refuse(call, title, f" : expected 0 < win_length <= n_fft, but got win_length={win_length}")
    if window is not None and list(window.shape) != [win_length]:
        refuse(
            call,
            title,
            f" : expected a 1D window tensor of size equal to win_length={win_length}, but got window with size {list(window.shape)}",
        )


@composite(
    signature=(
        "Tensor input, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, "
        'str pad_mode="reflect", bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None'
    )
)
def stft(
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    pad_mode="reflect",
    normalized=False,
    onesided=None,
    return_complex=None,
    align_to_window=None,
):
    """The Fourier transforms of a signal's frames of `n_fft` samples, each times the window: frequencies × frames.

    The signal is a vector, or there are several in the rows of a matrix. A frame begins every `hop_length` samples (n_fft // 4); with
    `center` the signal is padded, so that the frames stand around these samples. `onesided` (the default for real signals): without the
    frequencies that mirror others.

    >>> import rushlight
    >>> rushlight.stft(rushlight.ones(64), 16, window=rushlight.hann_window(16), return_complex=True).shape
    torch.Size([9, 17])
    """
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    x = input
    if center:
        pad = n_fft // 2
        x = torch.nn.functional.pad(x.view((1,) * (3 - x.dim()) + tuple(x.shape)), [pad, pad], pad_mode)
        x = x.view(x.shape[3 - input.dim() :]) if input.dim() < 3 else x
    if window is None:
        warn_once(
            "A window was not provided. A rectangular window will be applied,which is known to cause spectral leakage. Other windows such "
            "as torch.hann_window or torch.hamming_window are recommended to reduce spectral leakage.To suppress this warning and use a "
            "rectangular window, explicitly set `window=torch.ones(n_fft, device=<device>)`."
        )
    is_complex = x.is_complex() or (window is not None and window.is_complex())
    if return_complex is None:
        if not is_complex:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
        return_complex = True
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    call = dict(n_fft=n_fft, hop_length=hop_length, win_length=win_length, window=window, normalized=normalized)
    call |= dict(onesided=onesided, return_complex=return_complex, align_to_window=align_to_window)
    if not return_complex:
        warn_user(
            "stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex tensors for all inputs, "
            "and return_complex=False will raise an error.\nNote: you can still call torch.view_as_real on the complex output to recover "
            "the old return format."
        )
    check_stft(x, call, n_fft, hop_length, win_length, window)
    if is_complex and onesided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if align_to_window:
        # The first window, not the frame around it, begins with the signal.
        left = (n_fft - win_length) // 2
        x = torch.constant_pad_nd(x, [left, n_fft - win_length - left])
    frames = (x.unsqueeze(0) if x.dim() == 1 else x).unfold(-1, n_fft, hop_length)
    if window is not None or win_length < n_fft:
        frames = frames * framed(window, n_fft, win_length, x.dtype)
    last, mode = (frames.dim() - 1,), ROOT if normalized else NONE
    one = onesided is None or onesided
    spectra = _fft_c2c(frames, last, mode, True) if is_complex else _fft_r2c(frames, last, mode, one)
    spectra.transpose_(-2, -1)
    if x.dim() == 1:
        spectra.squeeze_(0)
    return spectra if return_complex else torch.view_as_real(spectra)


def check_istft(x, call, n_fft, hop_length, win_length, window, onesided):
    title = f"istft(CPU{x.dtype.legacy_name}Type{list(x.shape)}"
    if not x.numel():
        refuse(call, title, " : input tensor cannot be empty.")
    if x.dim() not in (2, 3):
        refuse(call, title, f" : expected a tensor with 3 or 4 dimensions, but got {x.dim() + 1}")
    frequencies = x.shape[-2]
    if onesided and n_fft // 2 + 1 != frequencies:
        refuse(
            call,
            title,
            " : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 when onesided=True, but got "
            f"{frequencies}",
        )
    if not onesided and n_fft != frequencies:
        refuse(
            call,
            title,
            " : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when onesided=False, but got "
            f"{frequencies}",
        )
    if not 0 < hop_length <= win_length:
        refuse(call, title, " : expected 0 < hop_length <= win_length")
    if not 0 < win_length <= n_fft:
        refuse(call, title, " : expected 0 < win_length <= n_fft")
    if window is not None and list(window.shape) != [win_length]:
        refuse(call, title, " : Invalid window shape. window has to be 1D and length of `win_length`")


def overlapped(frames, length, hop_length):
    """The sum of frames that begin `hop_length` apart."""
    return unfold_backward(frames, (*frames.shape[:-2], length), frames.dim() - 2, frames.shape[-1], hop_length)


@composite(
    signature=(
        "Tensor input, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, "
        "bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False"
    )
)
def istft(
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    normalized=False,
    onesided=None,
    length=None,
    return_complex=False,
):
    """The inverse of stft: the sum of the frames, each times the window, over the sum of the squared windows; `length` samples of it."""
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    call = dict(n_fft=n_fft, hop_length=hop_length, win_length=win_length, window=window, center=center, normalized=normalized)
    call |= dict(onesided=onesided, length=length, return_complex=return_complex)
    if window is None:
        warn_once(
            "A window was not provided. A rectangular window will be applied.Please provide the same window used by stft to make the "
            "inversion lossless.To suppress this warning and use a rectangular window, explicitly set "
            "`window=torch.ones(n_fft, device=<device>)`."
        )
    if not input.is_complex():
        raise RuntimeError("istft requires a complex-valued input tensor matching the output from stft with return_complex=True.")
    if onesided is None:
        onesided = input.dim() < 2 or n_fft != input.shape[-2]
    check_istft(input, call, n_fft, hop_length, win_length, window, onesided)
    if return_complex and onesided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and window.is_complex():
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    real = input.real.dtype
    frames, last, mode = (
        (input.unsqueeze(0) if input.dim() == 2 else input).transpose(-2, -1),
        (2,),
        ROOT if normalized else COUNT,
    )
    if return_complex:
        frames = _fft_c2c(frames, last, mode, False)
    else:
        if not onesided:
            frames = frames[..., : n_fft // 2 + 1]
        frames = _fft_c2r(frames, last, mode, n_fft)
    weights = framed(window, n_fft, win_length, real)
    count = n_fft + hop_length * (frames.shape[-2] - 1)
    signal = overlapped(frames * weights, count, hop_length)
    envelope = overlapped((weights * weights).expand(frames.shape[-2], n_fft), count, hop_length)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else count - n_fft // 2 if center else count
    signal, envelope = signal[..., start:end], envelope[start:end]
    if not bool((envelope.abs().min() > 1e-11).item()):
        refuse(
            call, f"istft(CPU{input.dtype.legacy_name}Type{list(input.shape)}", " window overlap add min: 1\n[ CPUBoolType{} ]"
        )
    signal = signal / envelope
    if end > count:
        warn_user(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. Please check your "
            "center and hop_length settings."
        )
        signal = torch.constant_pad_nd(signal, [0, end - count])
    return signal.squeeze(0) if input.dim() == 2 else signal
