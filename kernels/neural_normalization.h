// layer_norm and its gradient, on contiguous [rows, cols]; floating dtypes. Statistics over other dimensions are var_mean's.
#pragma once

#include "fold.h"
#include "reduce_moments.h"
#include "rows.h"

namespace rl::RL_ISA {
namespace {

// layer_norm: arrays out, mean [rows], rstd [rows], in, weight [cols] or null data, bias [cols] or null; numbers eps (f).
inline void layer_norm(const Array* a, int, const Number* numbers) {
  const int64_t rows = a[3].shape[0], cols = a[3].shape[1];
  const double eps = numbers[0].f;
  visit<group::floating>("layer_norm", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    const T *weight = a[4].as<T>(), *bias = a[5].as<T>();
    partition(rows, cols >= work_grain ? 1 : work_grain / (cols + 1) + 1, [&](int64_t begin, int64_t end) {
      const Moments<T, S> op;
      for (int64_t r = begin; r < end; ++r) {
        const T* x = a[3].as<T>() + r * cols;
        T* out = a[0].as<T>() + r * cols;
        auto moments = op.identity();
        for (int64_t i = 0; i < cols; i += leaf_elements)
          op.run(moments, x + i, cols - i < leaf_elements ? cols - i : leaf_elements, 1, i);
        const S mean = S(moments.mean[0]), rstd = S(1 / __builtin_sqrt(moments.squares / double(cols) + eps));
        a[1].as<T>()[r] = convert<T>(mean);
        a[2].as<T>()[r] = convert<T>(rstd);
        vector_loop<S>(0, cols, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
          V y = (get<V>(x + i) - mean) * rstd;
          if (weight) y *= get<V>(weight + i);
          if (bias) y += get<V>(bias + i);
          set<V>(out + i, y);
        });
      }
    });
  });
}

// layer_norm_gradient: arrays dx, dweight, dbias (each may have null data), g, in, mean, rstd, weight (or null data).
inline void layer_norm_gradient(const Array* a, int, const Number*) {
  const int64_t rows = a[4].shape[0], cols = a[4].shape[1];
  visit<group::floating>("layer_norm_gradient", a[4].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    T *dweight = a[1].as<T>(), *dbias = a[2].as<T>();
    const T* weight = a[7].as<T>();
    const bool affine = dweight || dbias;
    // Every chunk of rows sums its own part of dweight and dbias; at most 64 of them bound the memory.
    int64_t chunk = cols >= work_grain ? 1 : work_grain / (cols + 1) + 1;
    if (chunk < (rows + 63) / 64) chunk = (rows + 63) / 64;
    const int64_t chunks = (rows + chunk - 1) / chunk;
    Scratch<S> parts(affine ? chunks * 2 * cols : 0);
    auto take_chunk = [&](int64_t c) {
      S *dw = parts.get() + c * 2 * cols, *db = dw + cols;
      if (affine)
        for (int64_t i = 0; i < 2 * cols; ++i) dw[i] = 0;
      for (int64_t r = c * chunk; r < rows && r < (c + 1) * chunk; ++r) {
        const T *g = a[3].as<T>() + r * cols, *x = a[4].as<T>() + r * cols;
        const S mean = convert<S>(a[5].as<T>()[r]), rstd = convert<S>(a[6].as<T>()[r]);
        if (affine)
          vector_loop<S>(0, cols, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
            const V slope = get<V>(g + i);
            set<V>(dw + i, V(get<V>(dw + i) + slope * ((get<V>(x + i) - mean) * rstd)));
            set<V>(db + i, V(get<V>(db + i) + slope));
          });
        if (!a[0].data) continue;
        auto weighted = [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
          return weight ? V(get<V>(g + i) * get<V>(weight + i)) : get<V>(g + i);
        };
        const S sum = sum_row<S>(cols, weighted);
        const S along = sum_row<S>(cols, [&]<class V>(int64_t i, Type<V> v) __attribute__((always_inline)) {
          return V(weighted(i, v) * ((get<V>(x + i) - mean) * rstd));
        });
        const S mean_sum = sum / S(cols), mean_along = along / S(cols);
        T* dx = a[0].as<T>() + r * cols;
        vector_loop<S>(0, cols, [&]<class V>(int64_t i, Type<V> v) __attribute__((always_inline)) {
          set<V>(dx + i, V((weighted(i, v) - mean_sum - (get<V>(x + i) - mean) * rstd * mean_along) * rstd));
        });
      }
    };
    partition(chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) take_chunk(c);
    });
    for (int out = 0; out < 2; ++out) {
      T* total = out == 0 ? dweight : dbias;
      if (!total) continue;
      S* sums = parts.get() + out * cols;
      for (int64_t i = 0; i < cols; ++i) {
        S sum = 0;
        for (int64_t c = 0; c < chunks; ++c) sum += sums[c * 2 * cols + i];
        total[i] = convert<T>(sum);
      }
    }
  });
}

}  // namespace
}  // namespace rl::RL_ISA
