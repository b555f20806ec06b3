// One step of an optimizer for one contiguous parameter, in one pass over memory; floating dtypes.
#pragma once

#include "exponential.h"
#include "rows.h"

namespace rl::RL_ISA {
namespace {

template <class S>
inline S root_of(S x)
  requires std::is_floating_point_v<S>
{
  return S(sizeof(S) == 4 ? __builtin_sqrtf(float(x)) : __builtin_sqrt(double(x)));
}
template <class V>
inline __attribute__((always_inline)) V root_of(V x)
  requires(!std::is_floating_point_v<V>)
{
  using S = std::remove_reference_t<decltype(x[0])>;
  return each_lane(x, [](S lane) { return root_of(lane); });
}

inline int64_t element_count(const Array& x) {
  int64_t n = 1;
  for (int d = 0; d < x.ndim; ++d) n *= x.shape[d];
  return n;
}

// sgd_step: arrays param, grad, momentum_buffer (or null data); numbers lr, momentum, dampening, weight_decay (f),
// nesterov, maximize (i).
inline void sgd_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("sgd_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *buffer = a[2].as<T>();
    const T* grad = a[1].as<T>();
    const S lr = S(-numbers[0].f), momentum = S(numbers[1].f), fresh = S(1 - numbers[2].f), decay = S(numbers[3].f);
    const bool nesterov = numbers[4].i != 0, maximize = numbers[5].i != 0;
    partition(element_count(a[0]), work_grain, [&](int64_t begin, int64_t end) {
      vector_loop<S>(begin, end, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        V g = get<V>(grad + i), p = get<V>(param + i);
        if (maximize) g = -g;
        if (decay != 0) g = g + decay * p;
        if (momentum != 0) {
          const V b = V(get<V>(buffer + i) * momentum + fresh * g);
          set<V>(buffer + i, b);
          g = nesterov ? V(g + momentum * b) : b;
        }
        set<V>(param + i, V(p + lr * g));
      });
    });
  });
}

// adam_step: arrays param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq (or null data); numbers lr, beta1, beta2, eps,
// weight_decay (f), step (i, from 1), decoupled (AdamW), maximize, amsgrad (i).
inline void adam_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("adam_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *mean = a[2].as<T>(), *square = a[3].as<T>(), *greatest = a[4].as<T>();
    const T* grad = a[1].as<T>();
    const double lr = numbers[0].f, beta1 = numbers[1].f, beta2 = numbers[2].f, decay = numbers[4].f;
    const double step = double(numbers[5].i);
    const bool decoupled = numbers[6].i != 0, maximize = numbers[7].i != 0, amsgrad = numbers[8].i != 0;
    const S eps = S(numbers[3].f), shrink = S(1 - lr * decay), l2 = S(decay), keep = S(beta2), fresh = S(1 - beta2);
    const S weight = S(1 - beta1), rest = S(1) - weight;
    const S size = S(-lr / (1 - ::pow(beta1, step))), correction = S(__builtin_sqrt(1 - ::pow(beta2, step)));
    partition(element_count(a[0]), work_grain, [&](int64_t begin, int64_t end) {
      vector_loop<S>(begin, end, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        V g = get<V>(grad + i), p = get<V>(param + i), m = get<V>(mean + i), v = get<V>(square + i);
        if (maximize) g = -g;
        if (decay != 0) {
          if (decoupled)
            p = p * shrink;
          else
            g = g + l2 * p;
        }
        // As lerp: from the nearer end.
        m = weight < S(0.5) ? V(m + weight * (g - m)) : V(g - (g - m) * rest);
        v = v * keep + fresh * g * g;
        set<V>(mean + i, m);
        set<V>(square + i, v);
        if (amsgrad) {
          const V most = get<V>(greatest + i);
          v = (v > most) | (v != v) ? v : most;
          set<V>(greatest + i, v);
        }
        set<V>(param + i, V(p + size * m / (root_of(v) / correction + eps)));
      });
    });
  });
}

}  // namespace
}  // namespace rl::RL_ISA
