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

// The sum of exp(x - most), and these themselves in `out`, where it is given. The last elements make a vector with infinities.
template <class S>
S exponentials_of(const S* x, S* out, int64_t n, S most) {
  double total = 0;
  for (int64_t i = 0; i < n;) {
    const int64_t end = n - i < leaf_elements ? n : i + leaf_elements;
    Vector<S> sums{};
    for (; i + lanes_of<S> <= end; i += lanes_of<S>) {
      const Vector<S> y = exponential(load<S>(x + i) - most);
      sums += y;
      if (out) store(out + i, y);
    }
    if (i < end) {
      S rest[lanes_of<S>];
      store(rest, Vector<S>{} - std::numeric_limits<S>::infinity());
      for (int64_t k = i; k < end; ++k) rest[k - i] = x[k];
      const Vector<S> y = exponential(load<S>(rest) - most);
      sums += y;
      store(rest, y);
      if (out)
        for (int64_t k = i; k < end; ++k) out[k] = rest[k - i];
      i = end;
    }
    total += double(sum_lanes<S>(sums));
  }
  return S(total);
}

// softmax: arrays out, in; numbers dim (i).
inline void softmax(const Array* a, int, const Number* numbers) {
  visit<group::floating>("softmax", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    each_row<T, 1>(a, int(numbers[0].i), [](S* out, const S* const* in, int64_t n) {
      const S* x = in[0];
      const S most = greatest_of(x, n);
      const S sum = exponentials_of(x, out, n, most);
      const S scale = 1 / sum;
      vector_loop<S>(
          0, n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) { set<V>(out + i, V(get<V>(out + i) * scale)); });
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
      const S log_sum = scalar_log(exponentials_of<S>(x, nullptr, n, most));
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
      const S sum = sum_row<S>(
          n, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) { return V(get<V>(g + i) * get<V>(y + i)); });
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
