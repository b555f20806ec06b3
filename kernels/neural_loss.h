// nll_loss and its gradient: log-probabilities [N, C] or [N, C, L], target [N] or [N, L] (int64), any strides; floating dtypes.
#pragma once

#include <cstring>
#include <string>

#include "rows.h"

namespace rl::RL_ISA {
namespace {

enum class LossReduction : int64_t { none, mean, sum };

// The places of one loss: sample n, position l.
struct LossShape {
  int64_t samples, classes, positions;
  const Array& target;
  int64_t ignored;

  LossShape(const Array& in, const Array& target, const Number* numbers)
      : samples(in.shape[0]),
        classes(in.shape[1]),
        positions(in.ndim == 3 ? in.shape[2] : 1),
        target(target),
        ignored(numbers[1].i) {}

  static int64_t offset(const Array& x, int64_t n, int64_t l) {
    return n * x.strides[0] + (x.ndim > 1 ? l * x.strides[x.ndim - 1] : 0);
  }
  static int64_t class_offset(const Array& x, int64_t n, int64_t c, int64_t l) {
    return n * x.strides[0] + c * x.strides[1] + (x.ndim == 3 ? l * x.strides[2] : 0);
  }
  int64_t label(int64_t n, int64_t l) const { return target.as<int64_t>()[offset(target, n, l)]; }
  void check() const {
    for (int64_t n = 0; n < samples; ++n)
      for (int64_t l = 0; l < positions; ++l)
        if (const int64_t c = label(n, l); c != ignored && (c < 0 || c >= classes))
          throw std::out_of_range("Target " + std::to_string(c) + " is out of bounds.");
  }
};

// The sum of a loss in PyTorch's order: `step` terms from zero, `step` of such sums, and so on, up to eight levels. A level ends
// only at a place that has a term. Halves are rounded each time.
template <class T>
class LossSum {
  using S = Compute<T>;

 public:
  explicit LossSum(int64_t places) {
    const int bits = places > 1 ? 64 - __builtin_clzll(uint64_t(places - 1)) : 0;
    power_ = bits < 5 * levels ? 4 : bits / levels;
  }
  void add(int64_t place, S term) {
    sums_[0] = rounded(sums_[0] + term);
    const int64_t mask = (int64_t(1) << power_) - 1;
    for (int j = 0; j + 1 < levels && (place & (mask << (j * power_))) == 0; ++j) {
      sums_[j + 1] = rounded(sums_[j + 1] + sums_[j]);
      sums_[j] = 0;
    }
  }
  S total() const {
    S total = 0;
    for (const S sum : sums_) total = rounded(total + sum);
    return total;
  }

  static S rounded(S x) { return convert<S>(convert<T>(x)); }

 private:
  static constexpr int levels = 8;
  S sums_[levels] = {};
  int power_;
};

// nll_loss: arrays out, total_weight (0-d), in, target, weight [C] or null data; numbers reduction (i: 0 none,
// 1 mean, 2 sum), ignore_index (i). `out` is of the target's shape, or 0-d where reduced.
inline void nll_loss(const Array* a, int, const Number* numbers) {
  const LossShape shape(a[2], a[3], numbers);
  const LossReduction reduction = LossReduction(numbers[0].i);
  shape.check();
  visit<group::floating>("nll_loss", a[2].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    const T* weight = a[4].as<T>();
    LossSum<T> loss(shape.samples * shape.positions), total(shape.samples * shape.positions);
    int64_t counted = 0, place = 0;
    for (int64_t n = 0; n < shape.samples; ++n)
      for (int64_t l = 0; l < shape.positions; ++l, ++place) {
        const int64_t c = shape.label(n, l);
        S term = 0;
        if (c != shape.ignored) {
          const S x = convert<S>(a[2].as<T>()[LossShape::class_offset(a[2], n, c, l)]);
          const S w = weight ? convert<S>(weight[c * a[4].strides[0]]) : S(1);
          term = -LossSum<T>::rounded(x * w);
          if (reduction != LossReduction::none) {
            loss.add(place, term);
            if (weight) total.add(place, w);
          }
          ++counted;
        }
        if (reduction == LossReduction::none) a[0].as<T>()[LossShape::offset(a[0], n, l)] = convert<T>(term);
      }
    const S weights = reduction == LossReduction::none ? S(0) : weight ? total.total() : LossSum<T>::rounded(S(counted));
    if (reduction != LossReduction::none)
      *a[0].as<T>() = convert<T>(reduction == LossReduction::mean ? loss.total() / weights : loss.total());
    *a[1].as<T>() = convert<T>(weights);
  });
}

// nll_loss_gradient: arrays dx (like the forward's in), g, target, weight or null data, total_weight; numbers as nll_loss.
inline void nll_loss_gradient(const Array* a, int, const Number* numbers) {
  const LossShape shape(a[0], a[2], numbers);
  const LossReduction reduction = LossReduction(numbers[0].i);
  shape.check();
  visit<group::floating>("nll_loss_gradient", a[0].dtype, [&]<class T>(Type<T>) {
    using S = Compute<T>;
    const T* weight = a[3].as<T>();
    T* dx = a[0].as<T>();
    const S total = reduction == LossReduction::mean ? convert<S>(*a[4].as<T>()) : S(1);
    const int64_t each = shape.classes * shape.positions;
    const bool dense = a[0].strides[0] == each && (a[0].ndim == 2 ? a[0].strides[1] == 1 || shape.classes == 1
                                                                  : a[0].strides[1] == shape.positions && a[0].strides[2] == 1);
    partition(shape.samples, each >= work_grain ? 1 : work_grain / (each + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        if (dense) std::memset(static_cast<void*>(dx + n * each), 0, size_t(each) * sizeof(T));
        for (int64_t c = 0; !dense && c < shape.classes; ++c)
          for (int64_t l = 0; l < shape.positions; ++l) dx[LossShape::class_offset(a[0], n, c, l)] = T(0.0f);
        for (int64_t l = 0; l < shape.positions; ++l) {
          const int64_t c = shape.label(n, l);
          if (c == shape.ignored) continue;
          const S g = convert<S>(a[1].as<T>()[reduction == LossReduction::none ? LossShape::offset(a[1], n, l) : 0]);
          const S w = weight ? convert<S>(weight[c * a[3].strides[0]]) : S(1);
          dx[LossShape::class_offset(a[0], n, c, l)] = convert<T>(-w * g / total);
        }
      }
    });
  });
}

}  // namespace
}  // namespace rl::RL_ISA
