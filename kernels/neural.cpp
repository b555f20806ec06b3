// Fused kernels of neural networks. What they compute, ops of the table could compute in several passes.
#include "neural_bags.h"
#include "neural_channels.h"
#include "neural_loss.h"
#include "neural_normalization.h"
#include "neural_softmax.h"
#include "neural_step.h"

namespace rl::RL_ISA {

void register_neural() {
  Register("softmax", softmax);
  Register("log_softmax", log_softmax);
  Register("softmax_gradient", softmax_gradient);
  Register("log_softmax_gradient", log_softmax_gradient);
  Register("layer_norm", layer_norm);
  Register("layer_norm_gradient", layer_norm_gradient);
  Register("channel_norm", channel_norm);
  Register("channel_norm_gradient", channel_norm_gradient);
  Register("nll_loss", nll_loss);
  Register("nll_loss_gradient", nll_loss_gradient);
  Register("embedding_bag", embedding_bag);
  Register("sgd_step", sgd_step);
  Register("adam_step", adam_step);
  Register("radam_step", radam_step);
  Register("adamax_step", adamax_step);
  Register("rmsprop_step", rmsprop_step);
  Register("adagrad_step", adagrad_step);
  Register("adadelta_step", adadelta_step);
  Register("rprop_step", rprop_step);
}

}  // namespace rl::RL_ISA
