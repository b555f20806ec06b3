"""A softmax over many classes, whose rare ones are in clusters."""

from collections import namedtuple

import rushlight as torch

from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of many classes, sorted by how often they are (Grave et al., 2017).

    The head knows the classes below the first of `cutoffs`, and of each cluster between two cutoffs how probable it is; the i-th cluster's
    own layers work on in_features / div_value ** i features.

    Args:
        in_features: the size of the input.
        n_classes: how many classes there are.
        cutoffs: where clusters begin, in increasing order.
        div_value: by how much clusters are smaller.
        head_bias: whether the head has a bias.

    Shapes: input (N, in_features) or (in_features), target (N) or (); the call gives the log-probability of each target and the mean loss.

    >>> import rushlight as torch
    >>> layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10], div_value=2)
    >>> layer.log_prob(torch.zeros(2, 8)).exp().sum(1).detach()
    tensor([1.0000, 1.0000])
    """

    def __init__(self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        fits = cutoffs == sorted(set(cutoffs)) and min(cutoffs) > 0 and max(cutoffs) <= n_classes - 1
        if not fits or any(int(cutoff) != cutoff for cutoff in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 "
                "and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        made = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail = ModuleList()
        for cluster, (low, high) in enumerate(self._clusters(), 1):
            hidden = int(in_features // div_value**cluster)
            self.tail.append(
                Sequential(Linear(in_features, hidden, bias=False, **made), Linear(hidden, high - low, bias=False, **made))
            )

    def _clusters(self):
        """The first class of each cluster, and that behind its last one."""
        return zip(self.cutoffs, self.cutoffs[1:], strict=False)

    def reset_parameters(self):
        """Draws all weights anew."""
        self.head.reset_parameters()
        for project, out in self.tail:
            project.reset_parameters()
            out.reset_parameters()

    def forward(self, input_, target_):
        dims = target_.dim()
        if dims > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if dims == 1 and input_.size(0) != target_.size(0):
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input_.dim() != dims + 1:
            raise RuntimeError(
                f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with size {input_.size()}"
            )
        input, target = (input_, target_) if dims else (input_.unsqueeze(0), target_.unsqueeze(0))
        head = F.log_softmax(self.head(input), dim=1)
        output, places, found = input.new_zeros(target.size(0)), target.clone(), target < self.shortlist_size
        found &= target >= 0
        for cluster, (low, high) in enumerate(self._clusters()):
            inside = (target >= low) & (target < high)
            rows = inside.nonzero().squeeze(1)
            if not rows.numel():
                continue
            within = F.log_softmax(self.tail[cluster](input.index_select(0, rows)), dim=1)
            chosen = within.gather(1, (target[inside] - low).unsqueeze(1)).squeeze(1)
            output = output.index_copy(0, rows, chosen)
            places.index_fill_(0, rows, self.shortlist_size + cluster)
            found |= inside
        if not found.all():
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        output = output + head.gather(1, places.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if dims else output.squeeze(0), loss)

    def _get_full_log_prob(self, input, head_output):
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for cluster in range(self.n_clusters):
            within = F.log_softmax(self.tail[cluster](input), dim=1)
            parts.append(within + head[:, self.shortlist_size + cluster].unsqueeze(1))
        return torch.cat(parts, dim=1)

    def log_prob(self, input):
        """The log-probabilities of all classes for an `input` (N, in_features): (N, n_classes).

        >>> import rushlight as torch
        >>> layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10], div_value=2)
        >>> layer.log_prob(torch.zeros(2, 8)).shape
        torch.Size([2, 20])
        """
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input):
        """The most probable class of each sample of an `input` (N, in_features), without clusters where the head names none: (N).

        >>> import rushlight as torch
        >>> layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10], div_value=2)
        >>> layer.predict(torch.zeros(2, 8)).shape
        torch.Size([2])
        """
        head = self.head(input)
        output = torch.argmax(head, dim=1)
        rare = output >= self.shortlist_size
        if rare.any():
            output[rare] = torch.argmax(self._get_full_log_prob(input[rare], head[rare]), dim=1)
        return output
