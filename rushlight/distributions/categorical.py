"""The categorical distribution."""

import rushlight as torch
from rushlight import nan
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import _ByProbsOrLogits, _enumerated, _given

__all__ = ["Categorical"]


class Categorical(_ByProbsOrLogits, Distribution):
    """Indices 0 … K - 1 with the probabilities along the last dimension of `probs`,
    or of the softmax of `logits` (one of them is given).

    Neither need be normalised: the distribution's own `probs` and `logits` are.

    >>> import rushlight as torch
    >>> die = torch.distributions.Categorical(torch.tensor([1.0, 3.0]))
    >>> die.probs, die.log_prob(torch.tensor(1))
    (tensor([0.2500, 0.7500]), tensor(-0.2877))
    >>> _ = torch.manual_seed(0)
    >>> die.sample((8,))
    tensor([1, 1, 1, 1, 1, 1, 0, 1])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    _is_binary = False

    def __init__(self, probs=None, logits=None, validate_args=None):
        name, value = _given(probs, logits)
        if value.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if name == "probs":
            self._param = self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = logits - logits.logsumexp(dim=-1, keepdim=True)
            self._param = self.logits
        self._num_events = self._param.size()[-1]
        super().__init__(self._param.size()[:-1], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(Categorical, batch_shape, _instance, "_param", "probs", "logits")
        new._num_events = self._num_events
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self):
        return torch.full(self._batch_shape, nan, dtype=self.probs.dtype, device=self.probs.device)

    @property
    def mode(self):
        return self.probs.argmax(dim=-1)

    @property
    def variance(self):
        return torch.full(self._batch_shape, nan, dtype=self.probs.dtype, device=self.probs.device)

    def sample(self, sample_shape=torch.Size()):
        if not isinstance(sample_shape, torch.Size):
            sample_shape = torch.Size(sample_shape)
        # One draw for each distribution, of as many samples as there are: the samples end up in the first dimensions.
        rows = self.probs.reshape(-1, self._num_events)
        drawn = torch.multinomial(rows, sample_shape.numel(), True)
        return drawn.T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value, log_probs = torch.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return log_probs.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self):
        # A probability of zero adds nothing: its logit is finite.
        logits = self.logits.clamp(min=torch.finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        return _enumerated(self._num_events, self, expand, torch.empty(0, dtype=torch.long, device=self._param.device))
