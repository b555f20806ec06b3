// Sums, means and maxima of the rows that bags of indices name.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "registry.h"
#include "threads.h"

namespace rl {
namespace {

enum Mode : int64_t { sum, mean, maximum };

// bag_bounds: arrays bounds (int64, of the bags' begins and the last one's end), index [n], offsets (int64; all contiguous);
// number how many rows there are. Refuses bags that begin elsewhere than at 0, end behind n or run backwards, and indices of no
// row.
void bag_bounds(const Array* a, int, const Number* n) {
  int64_t* bounds = a[0].as<int64_t>();
  const int64_t *index = a[1].as<int64_t>(), *offsets = a[2].as<int64_t>();
  const int64_t count = a[1].numel(), given = a[2].numel(), rows = n[0].i;
  if (given && offsets[0] != 0)
    throw std::runtime_error(
        "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got " +
        std::to_string(offsets[0]));
  if (given && offsets[given - 1] > count)
    throw std::runtime_error("offsets[-1] can not be greater than input's length " + std::to_string(count) +
                             " but got offsets[-1] of " + std::to_string(offsets[given - 1]));
  std::copy(offsets, offsets + given, bounds);
  if (a[0].numel() > given) bounds[given] = count;
  if (!std::is_sorted(bounds, bounds + a[0].numel()))
    throw std::runtime_error(
        "Expected i < index_size to be true, but got false.  (Could this error message be improved?  If so, please report an "
        "enhancement request to PyTorch.)");
  for (int64_t i = 0; i < count; ++i)
    if (uint64_t(index[i]) >= uint64_t(rows))
      throw std::runtime_error("Index " + std::to_string(i) + " of input takes value " + std::to_string(index[i]) +
                               " which is not in the valid range [0, " + std::to_string(rows) + ")");
}

// embedding_bag: arrays out ([bags, columns]), sizes (int64, [bags]), places (int64; of the maxima [bags, columns], else empty),
// weight ([rows, columns]), index (int64, [n]), bounds (int64, [bags + 1], from 0 to n, none below the one before), scale (of
// each index [n], or empty); numbers mode, padding_idx (an index to pass over, or -1). All are contiguous, all indices rows.
void embedding_bag(const Array* a, int, const Number* n) {
  const Array &out = a[0], &sizes = a[1], &places = a[2], &weight = a[3], &scale = a[6];
  const int64_t bags = out.shape[0], columns = out.shape[1], mode = n[0].i, padding = n[1].i;
  const int64_t *index = a[4].as<int64_t>(), *bounds = a[5].as<int64_t>();
  visit<group::real>("embedding_bag", weight.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T* scales = scale.numel() ? scale.as<T>() : nullptr;
    const int64_t work = columns * (a[4].numel() + bags) / std::max<int64_t>(bags, 1);
    parallel_for(bags, std::max<int64_t>(1, 32768 / std::max<int64_t>(work, 1)), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        T* __restrict o = out.as<T>() + b * columns;
        int64_t* where = mode == maximum ? places.as<int64_t>() + b * columns : nullptr;
        int64_t count = 0;
        for (int64_t i = bounds[b]; i < bounds[b + 1]; ++i) count += index[i] != padding;
        if (where) {
          std::fill(o, o + columns, T(0));
          std::fill(where, where + columns, int64_t(0));
          bool first = true;
          for (int64_t i = bounds[b]; i < bounds[b + 1]; ++i) {
            if (index[i] == padding) continue;
            const T* __restrict row = weight.as<T>() + index[i] * columns;
            for (int64_t j = 0; j < columns; ++j)
              if (first || row[j] > o[j]) {
                o[j] = row[j];
                where[j] = index[i];
              }
            first = false;
          }
        }
        // Sums of a few columns at a time stay in registers.
        constexpr int64_t width = 128 / sizeof(T);
        for (int64_t j = 0; !where && j < columns; j += width) {
          const int64_t here = std::min(width, columns - j);
          T sums[width] = {};
          for (int64_t i = bounds[b]; i < bounds[b + 1]; ++i) {
            if (index[i] == padding) continue;
            const T* __restrict row = weight.as<T>() + index[i] * columns + j;
            const T scale_of = scales ? scales[i] : T(1);
            if (here == width)
              for (int64_t k = 0; k < width; ++k) sums[k] += row[k] * scale_of;
            else
              for (int64_t k = 0; k < here; ++k) sums[k] += row[k] * scale_of;
          }
          std::copy(sums, sums + here, o + j);
        }
        if (mode == mean && count > 1)
          for (int64_t j = 0; j < columns; ++j) o[j] /= T(count);
        sizes.as<int64_t>()[b] = count;
      }
    });
  });
}

const Register embedding_bag_("embedding_bag", embedding_bag), bag_bounds_("bag_bounds", bag_bounds);

}  // namespace
}  // namespace rl
