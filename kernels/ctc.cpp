// The loss of connectionist temporal classification (Graves et al., 2006), and its gradient.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "registry.h"
#include "threads.h"

namespace rl {
namespace {

template <class T>
constexpr T never = -std::numeric_limits<T>::infinity();

// log(exp(a) + exp(b) + exp(c))
template <class T>
T log_sum(T a, T b, T c = never<T>) {
  T most = std::max(a, std::max(b, c));
  if (most == never<T>) most = 0;
  return std::log(std::exp(a - most) + std::exp(b - most) + std::exp(c - most)) + most;
}

// One sample: its labels with blanks between and around them, 2 * labels + 1 in all.
struct Sample {
  const int64_t* labels;
  int64_t label_count, steps, blank;

  Sample(const Array& targets, const Array& offsets, const Array& label_counts, const Array& steps, int64_t n, int64_t blank)
      : labels(targets.as<int64_t>() + offsets.as<int64_t>()[n]),
        label_count(label_counts.as<int64_t>()[n]),
        steps(steps.as<int64_t>()[n]),
        blank(blank) {}

  int64_t last() const { return 2 * label_count; }
  int64_t symbol(int64_t s) const { return s % 2 ? labels[s / 2] : blank; }
  // Whether the path may pass over the blank between s and s + 2.
  bool skips(int64_t s) const { return symbol(s) != symbol(s + 2); }
};

// ctc_loss: arrays loss ([N]), alpha ([N, T, 2 * S + 1], filled with -inf), x (log-probabilities, [T, N, C]), targets (int64,
// [*]), offsets, label counts and steps of the samples (int64, [N]); number blank. All are contiguous, all labels classes.
void ctc_loss(const Array* a, int, const Number* n) {
  const Array &loss = a[0], &alphas = a[1], &x = a[2];
  const int64_t samples = x.shape[1], classes = x.shape[2], rows = alphas.shape[1], width = alphas.shape[2];
  visit<group::real>("ctc_loss_cpu", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    parallel_for(samples, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Sample sample(a[3], a[4], a[5], a[6], i, n[0].i);
        if (sample.steps == 0) {
          loss.as<T>()[i] = sample.label_count == 0 ? T(0) : -never<T>;
          continue;
        }
        const auto at = [&](int64_t t, int64_t s) { return x.as<T>()[(t * samples + i) * classes + sample.symbol(s)]; };
        T* alpha = alphas.as<T>() + i * rows * width;
        alpha[0] = at(0, 0);
        if (sample.label_count > 0) alpha[1] = at(0, 1);
        for (int64_t t = 1; t < sample.steps; ++t) {
          const T* before = alpha + (t - 1) * width;
          for (int64_t s = 0; s <= sample.last(); ++s) {
            const T one = s > 0 ? before[s - 1] : never<T>;
            const T two = s > 1 && sample.skips(s - 2) ? before[s - 2] : never<T>;
            alpha[t * width + s] = log_sum(before[s], one, two) + at(t, s);
          }
        }
        const T* final = alpha + (sample.steps - 1) * width;
        loss.as<T>()[i] = -(sample.label_count == 0 ? final[0] : log_sum(final[sample.last()], final[sample.last() - 1]));
      }
    });
  });
}

// ctc_loss_gradient: arrays out ([T, N, C], zeros), g ([N]), x, alpha and loss of ctc_loss, targets, offsets, label counts,
// steps; numbers blank, zero_infinity (whether samples of infinite loss get zeros).
void ctc_loss_gradient(const Array* a, int, const Number* n) {
  const Array &out = a[0], &g = a[1], &x = a[2], &alphas = a[3], &loss = a[4];
  const int64_t samples = x.shape[1], classes = x.shape[2], rows = alphas.shape[1], width = alphas.shape[2];
  visit<group::real>("ctc_loss_backward_cpu", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    parallel_for(samples, 1, [&](int64_t begin, int64_t end) {
      std::vector<T> beta(width), later(width), sums(classes);
      for (int64_t i = begin; i < end; ++i) {
        const Sample sample(a[5], a[6], a[7], a[8], i, n[0].i);
        const T total = loss.as<T>()[i], scale = g.as<T>()[i];
        if (n[1].i && total == -never<T>) continue;
        for (int64_t t = sample.steps - 1; t >= 0; --t) {
          const T* row = x.as<T>() + (t * samples + i) * classes;
          const T* alpha = alphas.as<T>() + (i * rows + t) * width;
          std::fill(sums.begin(), sums.end(), never<T>);
          for (int64_t s = 0; s <= sample.last(); ++s) {
            const int64_t symbol = sample.symbol(s);
            T ahead = s >= sample.last() - 1 ? T(0) : never<T>;  // (a path ends on the last label or the blank behind it)
            if (t < sample.steps - 1) {
              const T one = s < sample.last() ? later[s + 1] : never<T>;
              const T two = s < sample.last() - 1 && sample.skips(s) ? later[s + 2] : never<T>;
              ahead = log_sum(later[s], one, two);
            }
            beta[s] = ahead + row[symbol];
            sums[symbol] = log_sum(sums[symbol], alpha[s] + beta[s]);
          }
          T* o = out.as<T>() + (t * samples + i) * classes;
          for (int64_t c = 0; c < classes; ++c) o[c] = (std::exp(row[c]) - std::exp(sums[c] + total - row[c])) * scale;
          std::swap(beta, later);
        }
      }
    });
  });
}

const Register registrations[] = {{"ctc_loss", ctc_loss}, {"ctc_loss_gradient", ctc_loss_gradient}};

}  // namespace
}  // namespace rl
