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

// Calls step(type, i) for each vector of a contiguous parameter.
template <class S, class Step>
inline void each_element(const Array& param, const Step& step) {
  partition(element_count(param), work_grain, [&](int64_t begin, int64_t end) {
    vector_loop<S>(begin, end, [&]<class V>(int64_t i, Type<V> type) __attribute__((always_inline)) { step(type, i); });
  });
}

// The gradient as it is followed: downhill, or up to a maximum, with an L2 penalty.
template <class V, class S, class T>
inline __attribute__((always_inline)) V followed(const T* grad, int64_t i, bool maximize, S decay, V param) {
  V g = get<V>(grad + i);
  if (maximize) g = -g;
  return decay != 0 ? V(g + decay * param) : g;
}

// A running mean, as lerp: from the nearer end.
template <class S>
class RunningMean {
 public:
  explicit RunningMean(double kept) : weight_(S(1 - kept)), rest_(S(1) - weight_) {}
  template <class V, class T>
  inline __attribute__((always_inline)) V add(T* mean, int64_t i, V x) const {
    const V m = get<V>(mean + i);
    const V moved = weight_ < S(0.5) ? V(m + weight_ * (x - m)) : V(x - (x - m) * rest_);
    set<V>(mean + i, moved);
    return moved;
  }

 private:
  S weight_, rest_;
};

// A running mean of squares.
template <class S>
class RunningSquare {
 public:
  explicit RunningSquare(double kept) : kept_(S(kept)), fresh_(S(1 - kept)) {}
  template <class V, class T>
  inline __attribute__((always_inline)) V add(T* mean, int64_t i, V x) const {
    const V v = V(get<V>(mean + i) * kept_ + fresh_ * x * x);
    set<V>(mean + i, v);
    return v;
  }

 private:
  S kept_, fresh_;
};

// The greater of two; NaN if either is.
template <class V>
inline __attribute__((always_inline)) V greater(V x, V y) {
  return (x > y) | (x != x) ? x : y;
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
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      const V p = get<V>(param + i);
      V g = followed<V>(grad, i, maximize, decay, p);
      if (momentum != 0) {
        const V b = V(get<V>(buffer + i) * momentum + fresh * g);
        set<V>(buffer + i, b);
        g = nesterov ? V(g + momentum * b) : b;
      }
      set<V>(param + i, V(p + lr * g));
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
    const bool shrinks = decoupled && decay != 0;
    const S eps = S(numbers[3].f), shrink = S(1 - lr * decay), l2 = S(decoupled ? 0 : decay);
    const RunningMean<S> means(beta1);
    const RunningSquare<S> squares(beta2);
    const S size = S(-lr / (1 - ::pow(beta1, step))), correction = S(__builtin_sqrt(1 - ::pow(beta2, step)));
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      V p = get<V>(param + i);
      const V g = followed<V>(grad, i, maximize, l2, p);
      if (shrinks) p = p * shrink;
      const V m = means.template add<V>(mean, i, g);
      V v = squares.template add<V>(square, i, g);
      if (amsgrad) {
        v = greater<V>(v, get<V>(greatest + i));
        set<V>(greatest + i, v);
      }
      set<V>(param + i, V(p + size * m / (root_of(v) / correction + eps)));
    });
  });
}

// radam_step: arrays param, grad, exp_avg, exp_avg_sq; numbers lr, beta1, beta2, eps, weight_decay (f), step (i, from 1),
// decoupled, maximize (i). The mean of squares serves from where its variance is finite.
inline void radam_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("radam_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *mean = a[2].as<T>(), *square = a[3].as<T>();
    const T* grad = a[1].as<T>();
    const double beta1 = numbers[1].f, beta2 = numbers[2].f, decay = numbers[4].f, step = double(numbers[5].i);
    const bool decoupled = numbers[6].i != 0, maximize = numbers[7].i != 0, shrinks = decoupled && decay != 0;
    const S lr = S(numbers[0].f), eps = S(numbers[3].f), l2 = S(decoupled ? 0 : decay);
    const S shrink = S(1 - numbers[0].f * decay), unbiased = S(1 - ::pow(beta1, step));
    const double fading = ::pow(beta2, step), correction = 1 - fading;
    const double length_at_last = 2 / (1 - beta2) - 1, length = length_at_last - 2 * step * fading / correction;
    const bool rectifies = length > 5;
    const S scale = S(__builtin_sqrt(correction));
    const S rectified =
        S(__builtin_sqrt((length - 4) * (length - 2) * length_at_last / ((length_at_last - 4) * (length_at_last - 2) * length)));
    const RunningMean<S> means(beta1);
    const RunningSquare<S> squares(beta2);
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      V p = get<V>(param + i);
      const V g = followed<V>(grad, i, maximize, l2, p);
      if (shrinks) p = p * shrink;
      const V m = means.template add<V>(mean, i, g);
      const V v = squares.template add<V>(square, i, g);
      V move = m / unbiased * lr;
      if (rectifies) move = move * (S(1) / (root_of(v) + eps) * scale) * rectified;
      set<V>(param + i, V(p - move));
    });
  });
}

// adamax_step: arrays param, grad, exp_avg, exp_inf; numbers lr, beta1, beta2, eps, weight_decay (f), step (i, from 1),
// maximize (i).
inline void adamax_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("adamax_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *mean = a[2].as<T>(), *greatest = a[3].as<T>();
    const T* grad = a[1].as<T>();
    const double beta1 = numbers[1].f;
    const S keep = S(numbers[2].f), eps = S(numbers[3].f), decay = S(numbers[4].f);
    const S size = S(-(numbers[0].f / (1 - ::pow(beta1, double(numbers[5].i)))));
    const bool maximize = numbers[6].i != 0;
    const RunningMean<S> means(beta1);
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      const V p = get<V>(param + i), g = followed<V>(grad, i, maximize, decay, p);
      const V m = means.template add<V>(mean, i, g);
      const V most = greater<V>(V(get<V>(greatest + i) * keep), V((g < V{} ? V(-g) : V(g + V{})) + eps));
      set<V>(greatest + i, most);
      set<V>(param + i, V(p + size * m / most));
    });
  });
}

// rmsprop_step: arrays param, grad, square_avg, grad_avg (or null data, where it is not centered), momentum_buffer (or null
// data); numbers lr, alpha, eps, weight_decay, momentum (f), step, centered, maximize (i).
inline void rmsprop_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("rmsprop_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *square = a[2].as<T>(), *mean = a[3].as<T>(), *buffer = a[4].as<T>();
    const T* grad = a[1].as<T>();
    const S lr = S(-numbers[0].f), eps = S(numbers[2].f), decay = S(numbers[3].f), momentum = S(numbers[4].f);
    const bool centered = numbers[6].i != 0, maximize = numbers[7].i != 0;
    const RunningMean<S> means(numbers[1].f);
    const RunningSquare<S> squares(numbers[1].f);
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      const V p = get<V>(param + i), g = followed<V>(grad, i, maximize, decay, p);
      V variance = squares.template add<V>(square, i, g);
      if (centered) {
        const V m = means.template add<V>(mean, i, g);
        variance = variance - m * m;
      }
      const V deviation = V(root_of(variance) + eps);
      if (momentum > 0) {
        const V b = V(get<V>(buffer + i) * momentum + g / deviation);
        set<V>(buffer + i, b);
        set<V>(param + i, V(p + lr * b));
      } else {
        set<V>(param + i, V(p + lr * g / deviation));
      }
    });
  });
}

// adagrad_step: arrays param, grad, sum; numbers lr, lr_decay, eps, weight_decay (f), step (i, from 1), maximize (i).
inline void adagrad_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("adagrad_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *sum = a[2].as<T>();
    const T* grad = a[1].as<T>();
    const S size = S(-(numbers[0].f / (1 + (double(numbers[4].i) - 1) * numbers[1].f)));
    const S eps = S(numbers[2].f), decay = S(numbers[3].f);
    const bool maximize = numbers[5].i != 0;
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      const V p = get<V>(param + i), g = followed<V>(grad, i, maximize, decay, p);
      const V total = V(get<V>(sum + i) + g * g);
      set<V>(sum + i, total);
      set<V>(param + i, V(p + size * g / (root_of(total) + eps)));
    });
  });
}

// adadelta_step: arrays param, grad, square_avg, acc_delta; numbers lr, rho, eps, weight_decay (f), step, maximize (i).
inline void adadelta_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("adadelta_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *square = a[2].as<T>(), *moved = a[3].as<T>();
    const T* grad = a[1].as<T>();
    const S lr = S(-numbers[0].f), eps = S(numbers[2].f), decay = S(numbers[3].f);
    const bool maximize = numbers[5].i != 0;
    const RunningSquare<S> squares(numbers[1].f);
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      const V p = get<V>(param + i), g = followed<V>(grad, i, maximize, decay, p);
      const V deviation = root_of(V(squares.template add<V>(square, i, g) + eps));
      const V delta = V(root_of(V(get<V>(moved + i) + eps)) / deviation * g);
      squares.template add<V>(moved, i, delta);
      set<V>(param + i, V(p + lr * delta));
    });
  });
}

// rprop_step: arrays param, grad, prev, step_size; numbers of the factors after a turn and after none, the least and the
// greatest step size (f), step, maximize (i).
inline void rprop_step(const Array* a, int, const Number* numbers) {
  visit<group::floating>("rprop_step", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *param = a[0].as<T>(), *prev = a[2].as<T>(), *size = a[3].as<T>();
    const T* grad = a[1].as<T>();
    const S after_turn = S(numbers[0].f), after_none = S(numbers[1].f), least = S(numbers[2].f), most = S(numbers[3].f);
    const bool maximize = numbers[5].i != 0;
    each_element<S>(a[0], [&]<class V>(Type<V>, int64_t i) __attribute__((always_inline)) {
      const V zero{}, one = zero + S(1), p = get<V>(param + i);
      V g = followed<V>(grad, i, maximize, S(0), p);
      const V both = V(g * get<V>(prev + i));
      V s = V(get<V>(size + i) * (both < zero ? zero + after_turn : both > zero ? zero + after_none : one));
      s = s < least ? zero + least : s;
      s = s > most ? zero + most : s;
      set<V>(size + i, s);
      g = both < zero ? zero : g;
      set<V>(param + i, V(p - (g > zero ? s : g < zero ? V(-s) : zero)));
      set<V>(prev + i, g);
    });
  });
}

}  // namespace
}  // namespace rl::RL_ISA
