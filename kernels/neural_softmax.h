// softmax and log_softmax with their gradients; floating dtypes, any strides.
#pragma once

#include "exponential.h"
#include "fold.h"
#include "rows.h"

namespace rl::RL_ISA {
namespace {

template <class S>
S greatest_of(const S* x, int64_t n) {
  const Extremum<S, true> extremum;
  S most = extremum.identity();
  extremum.run(most, x, n, 1, 0);
  return most;
}

// softmax: arrays out, in; numbers dim (i).
inline void softmax(const Array* a, int, const Number* numbers) {
  visit<group::floating>("softmax", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    each_row<T, 1>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S* x = in[0];
      const S most = greatest_of(x, n);
      const S sum = sum_row<S>(n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        const V y = exponential(V(get<V>(x + i) - most));
        set<V>(out + i, y);
        return y;
      });
      const S scale = 1 / sum;
      vector_loop<S>(0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        set<V>(out + i, V(get<V>(out + i) * scale));
      });
    });
  });
}

// log_softmax: arrays out, in; numbers dim (i).
inline void log_softmax(const Array* a, int, const Number* numbers) {
  visit<group::floating>("log_softmax", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    each_row<T, 1>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S* x = in[0];
      const S most = greatest_of(x, n);
      const S log_sum = scalar_log(sum_row<S>(n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        return exponential(V(get<V>(x + i) - most));
      }));
      vector_loop<S>(0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        set<V>(out + i, V(get<V>(x + i) - most - log_sum));
      });
    });
  });
}

// softmax_gradient, log_softmax_gradient: arrays out, g, y (the forward's output); numbers dim (i).
inline void softmax_gradient(const Array* a, int, const Number* numbers) {
  visit<group::floating>("softmax_gradient", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    each_row<T, 2>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S *g = in[0], *y = in[1];
      const S sum = sum_row<S>(n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        return V(get<V>(g + i) * get<V>(y + i));
      });
      vector_loop<S>(0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        set<V>(out + i, V((get<V>(g + i) - sum) * get<V>(y + i)));
      });
    });
  });
}
inline void log_softmax_gradient(const Array* a, int, const Number* numbers) {
  visit<group::floating>("log_softmax_gradient", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    each_row<T, 2>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S *g = in[0], *y = in[1];
      const S sum = sum_row<S>(n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) { return get<V>(g + i); });
      vector_loop<S>(0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
        set<V>(out + i, V(get<V>(g + i) - exponential(get<V>(y + i)) * sum));
      });
    });
  });
}

}  // namespace
}  // namespace rl::RL_ISA
