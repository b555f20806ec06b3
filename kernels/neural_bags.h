// embedding_bag: sums, means and maxima of the rows that bags of indices name.
#pragma once

#include <algorithm>

#include "lanes.h"

namespace rl::RL_ISA {
namespace {

enum class BagMode : int64_t { sum, mean, maximum };

// The rows of a bag.
template <class T>
struct Bag {
  const T* weight;
  const int64_t* index;
  const T* scale;  // of each index, or null
  int64_t count, columns, padding;
};

// The sums of `vectors` vectors of columns, from `first` on, stay in registers.
template <int vectors, class T>
inline void sum_bag(const Bag<T>& bag, int64_t first, T* out) {
  Vector<T> sums[vectors] = {};
  for (int64_t i = 0; i < bag.count; ++i) {
    if (bag.index[i] == bag.padding) continue;
    const T* row = bag.weight + bag.index[i] * bag.columns + first;
    if (bag.scale) {
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) sums[v] += load<T>(row + v * lanes_of<T>) * bag.scale[i];
    } else {
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) sums[v] += load<T>(row + v * lanes_of<T>);
    }
  }
#pragma GCC unroll 16
  for (int v = 0; v < vectors; ++v) store(out + first + v * lanes_of<T>, sums[v]);
}

// Columns [first, ...) in pieces of at most `vectors` vectors; returns the first that is left over.
template <int vectors, class T>
inline int64_t sum_pieces(const Bag<T>& bag, int64_t first, T* out) {
  for (; first + vectors * lanes_of<T> <= bag.columns; first += vectors * lanes_of<T>) sum_bag<vectors>(bag, first, out);
  if constexpr (vectors > 1) return sum_pieces<vectors / 2>(bag, first, out);
  return first;
}

template <class T>
inline void sum_columns(const Bag<T>& bag, T* out) {
  int64_t first = sum_pieces<vector_bytes == 64 ? 16 : 8>(bag, 0, out);
  if (first < bag.columns && bag.columns >= lanes_of<T>) return sum_bag<1>(bag, bag.columns - lanes_of<T>, out);
  std::fill(out + first, out + bag.columns, T(0));
  for (int64_t i = 0; i < bag.count; ++i) {
    if (bag.index[i] == bag.padding) continue;
    const T* row = bag.weight + bag.index[i] * bag.columns;
    const T scale = bag.scale ? bag.scale[i] : T(1);
    for (int64_t j = first; j < bag.columns; ++j) out[j] += row[j] * scale;
  }
}

template <class T>
inline void greatest_columns(const Bag<T>& bag, T* __restrict out, int64_t* __restrict where) {
  std::fill(out, out + bag.columns, T(0));
  std::fill(where, where + bag.columns, int64_t(0));
  bool first = true;
  for (int64_t i = 0; i < bag.count; ++i) {
    const int64_t place = bag.index[i];
    if (place == bag.padding) continue;
    const T* __restrict row = bag.weight + place * bag.columns;
    for (int64_t j = 0; j < bag.columns; ++j)
      if (first || row[j] > out[j]) {
        out[j] = row[j];
        where[j] = place;
      }
    first = false;
  }
}

// embedding_bag: arrays out ([bags, columns]), sizes (int64, [bags]), places (int64; of the maxima [bags, columns], else empty),
// weight ([rows, columns]), index (int64, [n]), bounds (int64, [bags + 1], from 0 to n, none below the one before), scale (of
// each index [n], or empty); numbers mode, padding_idx (an index to pass over, or -1). All are contiguous, all indices rows.
inline void embedding_bag(const Array* a, int, const Number* n) {
  const Array &out = a[0], &sizes = a[1], &places = a[2], &weight = a[3], &scale = a[6];
  const int64_t bags = out.shape[0], columns = out.shape[1], padding = n[1].i;
  const BagMode mode = BagMode(n[0].i);
  const int64_t *index = a[4].as<int64_t>(), *bounds = a[5].as<int64_t>();
  visit<group::real>("embedding_bag_cpu", weight.dtype, [&]<class T>(Type<T>) {
    const T* scales = scale.numel() ? scale.as<T>() : nullptr;
    const int64_t work = columns * (a[4].numel() + bags) / std::max<int64_t>(bags, 1);
    partition(bags, std::max<int64_t>(1, work_grain / std::max<int64_t>(work, 1)), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t first = bounds[b];
        const Bag<T> bag{weight.as<T>(),        index + first, scales ? scales + first : nullptr,
                         bounds[b + 1] - first, columns,       padding};
        int64_t count = bag.count;
        for (int64_t i = 0; padding >= 0 && i < bag.count; ++i) count -= bag.index[i] == padding;
        T* o = out.as<T>() + b * columns;
        if (mode == BagMode::maximum)
          greatest_columns(bag, o, places.as<int64_t>() + b * columns);
        else
          sum_columns(bag, o);
        if (mode == BagMode::mean && count > 1)
          for (int64_t j = 0; j < columns; ++j) o[j] /= T(count);
        sizes.as<int64_t>()[b] = count;
      }
    });
  });
}

}  // namespace
}  // namespace rl::RL_ISA
