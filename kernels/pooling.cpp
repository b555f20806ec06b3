// Pooling: the largest number, or the mean, of a window of positions for each position of the result; 1 to 3 dimensions of
// positions.
//
// Arrays are [N, C, positions...] or [C, positions...], all row-major or all channels last. Numbers: how many dimensions of
// positions there are, whether arrays are channels last, then for each dimension kernel, stride, padding and dilation (kernel 0:
// as many windows as the result has positions share out the dimension, as adaptive pooling has it), then what a kernel says.
#include <algorithm>
#include <vector>

#include "rows.h"

namespace rl::RL_ISA {
namespace {

// The places of one window along a dimension: every `step`-th of [begin, end). `count` is how many a mean of all of them divides
// by.
struct Span {
  int64_t begin, end, count;
};

// Windows along one dimension.
struct Windows {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, padding = 0, step = 1;
  std::vector<Span> spans;

  void place() {
    spans.resize(out);
    for (int64_t o = 0; o < out; ++o) {
      Span& span = spans[o];
      if (kernel == 0) {
        span = {o * in / out, ((o + 1) * in + out - 1) / out, 0};
        span.count = span.end - span.begin;
        continue;
      }
      const int64_t begin = o * stride - padding, end = begin + (kernel - 1) * step + 1;
      const int64_t skipped = begin < 0 ? (-begin + step - 1) / step : 0;
      span = {begin + skipped * step, std::min(end, in), std::min(end, in + padding) - begin};
    }
  }
  // The places of a window that are inside for some position.
  int64_t first_tap() const { return std::max<int64_t>(0, (padding - (out - 1) * stride + step - 1) / step); }
  int64_t last_tap() const { return std::min(kernel, (in - 1 + padding) / step + 1); }
  // The positions [low, high) of the result whose windows have their tap-th place inside.
  void inside(int64_t tap, int64_t& low, int64_t& high) const {
    const int64_t offset = tap * step - padding;
    low = offset < 0 ? std::min(out, (-offset + stride - 1) / stride) : 0;
    high = in - 1 - offset < 0 ? 0 : std::min(out, (in - 1 - offset) / stride + 1);
  }
};

// A pooling: depth, height and width, of which dimensions that arrays do not have are 1.
struct Pool {
  Windows depth, height, width;
  int64_t planes, in, out, channels;  // channels: 1 where they are planes
  const Number* rest;

  Pool(const Array& result, const Array& input, const Number* numbers) {
    const int count = int(numbers[0].i);
    Windows* dims[3] = {&depth, &height, &width};
    for (int d = 0; d < count; ++d) {
      Windows& dim = *dims[3 - count + d];
      const Number* n = numbers + 2 + 4 * d;
      dim.in = input.shape[input.ndim - count + d];
      dim.out = result.shape[result.ndim - count + d];
      dim.kernel = n[0].i, dim.stride = n[1].i, dim.padding = n[2].i, dim.step = n[3].i;
    }
    for (Windows* dim : dims) dim->place();
    in = depth.in * height.in * width.in;
    out = depth.out * height.out * width.out;
    planes = 1;
    for (int d = 0; d < input.ndim - count; ++d) planes *= input.shape[d];
    channels = numbers[1].i ? input.shape[1] : 1;
    planes /= std::max<int64_t>(channels, 1);
    rest = numbers + 2 + 4 * count;
  }
  bool is_adaptive() const { return width.kernel == 0; }
  // The most places that a window has, about.
  int64_t taps() const {
    int64_t count = 1;
    for (const Windows* dim : {&depth, &height, &width})
      count *= std::max<int64_t>(1, std::min(dim->in, dim->kernel ? dim->kernel : dim->in / std::max<int64_t>(dim->out, 1) + 1));
    return count;
  }
  // f(plane, spans of depth and height, first position) for each row of positions of the result.
  template <class F>
  void each_row(const F& f) const {
    const int64_t rows = depth.out * height.out, cost = width.out * taps() * channels;
    partition(planes * rows, cost >= work_grain ? 1 : work_grain / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t plane = r / rows, row = r % rows;
        f(plane, depth.spans[row / height.out], height.spans[row % height.out], row * width.out);
      }
    });
  }
  template <class F>
  void each_plane(const F& f) const {
    const int64_t cost = out * taps() * channels;
    partition(planes, cost >= work_grain ? 1 : work_grain / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) f(p);
    });
  }
  // f(where a row of the input begins) for each row that a window has.
  template <class F>
  void rows_of(const Span& d, const Span& h, const F& f) const {
    for (int64_t z = d.begin; z < d.end; z += depth.step)
      for (int64_t y = h.begin; y < h.end; y += height.step) f((z * height.in + y) * width.in);
  }
  // f(position) for each position of a window.
  template <class F>
  void positions_of(const Span& d, const Span& h, const Span& w, const F& f) const {
    rows_of(d, h, [&](int64_t row) {
      for (int64_t x = w.begin; x < w.end; x += width.step) f(row + x);
    });
  }
  int64_t first_of(const Span& d, const Span& h, const Span& w) const {
    return (d.begin * height.in + h.begin) * width.in + w.begin;
  }
};

// ---- the largest number -------------------------------------------------------------------------------------------------------

// Positions are counted in the type of the numbers' size, so that vectors of both have as many lanes.
template <class T>
using Position = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

template <class T>
constexpr T lowest() {
  return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
}

// A later number is taken where it is larger, or not a number.
template <int fixed, class T>
inline void larger_of_row(T* __restrict best, Position<T>* __restrict where, const T* __restrict x, int64_t n, int64_t any,
                          Position<T> first) {
  const int64_t stride = fixed ? fixed : any;
  for (int64_t i = 0; i < n; ++i) {
    const T value = x[i * stride];
    const bool better = (value > best[i]) | (value != value);
    best[i] = better ? value : best[i];
    where[i] = better ? Position<T>(first + Position<T>(i) * Position<T>(stride)) : where[i];
  }
}

template <class T>
void max_rows(const Pool& pool, T* out, int64_t* indices, const T* in) {
  const Windows& width = pool.width;
  pool.each_row([&](int64_t plane, const Span& d, const Span& h, int64_t first) {
    const T* x = in + plane * pool.in;
    T* best = out + plane * pool.out + first;
    int64_t* where = indices + plane * pool.out + first;
    Scratch<Position<T>> at(width.out);
    for (int64_t o = 0; o < width.out; ++o) {
      best[o] = lowest<T>();
      at[o] = Position<T>(pool.first_of(d, h, width.spans[o]));
    }
    pool.rows_of(d, h, [&](int64_t row) {
      for (int64_t tap = width.first_tap(); tap < width.last_tap(); ++tap) {
        int64_t low, high;
        width.inside(tap, low, high);
        if (low >= high) continue;
        const int64_t start = row + low * width.stride + tap * width.step - width.padding;
        auto* loop = width.stride == 1 ? larger_of_row<1, T> : width.stride == 2 ? larger_of_row<2, T> : larger_of_row<0, T>;
        loop(best + low, at.get() + low, x + start, high - low, width.stride, Position<T>(start));
      }
    });
    for (int64_t o = 0; o < width.out; ++o) where[o] = at[o];
  });
}

// Any windows, one after the other.
template <class T>
inline void max_of_window(const Pool& pool, const Span& d, const Span& h, const Span& w, const T* x, T& out, int64_t& index) {
  T best = lowest<T>();
  int64_t at = pool.first_of(d, h, w);
  pool.positions_of(d, h, w, [&](int64_t p) {
    const T value = x[p];
    if (value > best || value != value) best = value, at = p;
  });
  out = best, index = at;
}

template <class T>
void max_windows(const Pool& pool, T* out, int64_t* indices, const T* in) {
  pool.each_row([&](int64_t plane, const Span& d, const Span& h, int64_t first) {
    for (int64_t o = 0; o < pool.width.out; ++o) {
      const int64_t place = plane * pool.out + first + o;
      max_of_window(pool, d, h, pool.width.spans[o], in + plane * pool.in, out[place], indices[place]);
    }
  });
}

template <class T>
void max_channels(const Pool& pool, T* out, int64_t* indices, const T* in) {
  constexpr int block = 2 * lanes_of<T>;
  const int64_t channels = pool.channels;
  pool.each_row([&](int64_t sample, const Span& d, const Span& h, int64_t first) {
    for (int64_t o = 0; o < pool.width.out; ++o) {
      const Span& w = pool.width.spans[o];
      const int64_t place = (sample * pool.out + first + o) * channels;
      const T* plane = in + sample * pool.in * channels;
      for (int64_t begin = 0; begin < channels; begin += block) {
        const int count = int(std::min<int64_t>(block, channels - begin));
        T best[block];
        Position<T> where[block];
        std::fill(best, best + block, lowest<T>());
        std::fill(where, where + block, Position<T>(pool.first_of(d, h, w)));
        auto take = [&](int64_t p, int n) __attribute__((always_inline)) {
          const T* __restrict x = plane + p * channels + begin;
          for (int c = 0; c < n; ++c) {
            const bool better = (x[c] > best[c]) | (x[c] != x[c]);
            best[c] = better ? x[c] : best[c];
            where[c] = better ? Position<T>(p) : where[c];
          }
        };
        if (count == block)
          pool.positions_of(d, h, w, [&](int64_t p) { take(p, block); });
        else
          pool.positions_of(d, h, w, [&](int64_t p) { take(p, count); });
        std::copy(best, best + count, out + place + begin);
        std::copy(where, where + count, indices + place + begin);
      }
    }
  });
}

// max_pool: arrays out, indices (int64, of positions within a plane), in.
void max_pool(const Array* a, int, const Number* numbers) {
  const Pool pool(a[0], a[2], numbers);
  visit<group::real | 1u << int(DType::i64)>("max_pool", a[0].dtype, [&]<class T>(Type<T>) {
    const bool fits = sizeof(T) == 8 || pool.in <= INT32_MAX;
    auto* run = numbers[1].i && fits ? max_channels<T> : pool.is_adaptive() || !fits ? max_windows<T> : max_rows<T>;
    run(pool, a[0].as<T>(), a[1].as<int64_t>(), a[2].as<T>());
  });
}

template <int fixed, class T>
inline void greatest_of_row(T* __restrict best, const T* __restrict x, int64_t n, int64_t any) {
  const int64_t stride = fixed ? fixed : any;
  for (int64_t i = 0; i < n; ++i) {
    const T value = x[i * stride];
    best[i] = (value > best[i]) | (value != value) ? value : best[i];
  }
}

// greatest: arrays out, in: max_pool without indices, of row-major arrays.
void greatest(const Array* a, int, const Number* numbers) {
  const Pool pool(a[0], a[1], numbers);
  const Windows& width = pool.width;
  visit<group::real | 1u << int(DType::i64)>("max_pool", a[0].dtype, [&]<class T>(Type<T>) {
    auto* loop = width.stride == 1 ? greatest_of_row<1, T> : width.stride == 2 ? greatest_of_row<2, T> : greatest_of_row<0, T>;
    pool.each_row([&](int64_t plane, const Span& d, const Span& h, int64_t first) {
      T* best = a[0].as<T>() + plane * pool.out + first;
      std::fill(best, best + width.out, lowest<T>());
      pool.rows_of(d, h, [&](int64_t row) {
        for (int64_t tap = width.first_tap(); tap < width.last_tap(); ++tap) {
          int64_t low, high;
          width.inside(tap, low, high);
          const int64_t start = row + low * width.stride + tap * width.step - width.padding;
          if (low < high) loop(best + low, a[1].as<T>() + plane * pool.in + start, high - low, width.stride);
        }
      });
    });
  });
}

// fractional_max_pool: arrays out, indices, in, samples [planes, dimensions] (row-major, of the numbers' dtype): where the
// windows of a plane begin follows from a number in [0, 1) for each dimension; of two dimensions the last one's comes first.
void fractional_max_pool(const Array* a, int, const Number* numbers) {
  const Pool pool(a[0], a[2], numbers);
  const int count = int(numbers[0].i);
  visit<group::real>("fractional_max_pool", a[0].dtype, [&]<class T>(Type<T>) {
    auto place = [](const Windows& dim, T sample) {
      std::vector<Span> spans(dim.out);
      const T alpha = dim.out > 1 ? T(dim.in - dim.kernel) / T(dim.out - 1) : T(0);
      for (int64_t o = 0; o < dim.out; ++o) {
        const T begin = std::trunc((T(o) + sample) * alpha) - std::trunc(sample * alpha);
        const bool inside = begin >= 0 && begin <= T(dim.in - dim.kernel);  // (who knows what numbers these are)
        const int64_t first = o == dim.out - 1 || !inside ? dim.in - dim.kernel : int64_t(begin);
        spans[o] = {first, first + dim.kernel, dim.kernel};
      }
      return spans;
    };
    pool.each_plane([&](int64_t plane) {
      const T* sample = a[3].as<T>() + plane * count;
      const auto depth = count == 3 ? place(pool.depth, sample[0]) : pool.depth.spans;
      const auto height = place(pool.height, sample[1]), width = place(pool.width, sample[count == 3 ? 2 : 0]);
      int64_t o = plane * pool.out;
      for (const Span& d : depth)
        for (const Span& h : height)
          for (const Span& w : width) {
            max_of_window(pool, d, h, w, a[2].as<T>() + plane * pool.in, a[0].as<T>()[o], a[1].as<int64_t>()[o]);
            ++o;
          }
    });
  });
}

// What the planes of two arrays have in common, `fine` having a place for each index of `coarse`. Numbers: the dimensions of
// positions, and whether arrays are channels last.
struct Planes {
  int64_t fine = 1, coarse = 1, samples = 1, channels = 1;

  Planes(const Array& a, const Array& b, const Number* numbers) {
    const int count = int(numbers[0].i), lead = a.ndim - count;
    for (int d = 0; d < count; ++d) fine *= a.shape[lead + d], coarse *= b.shape[lead + d];
    for (int d = 0; d < lead; ++d) samples *= a.shape[d];
    if (numbers[1].i) channels = std::max<int64_t>(a.shape[1], 1);
    samples /= channels;
  }
  // f(sample), for samples whose indices are good.
  template <class F>
  void each(const Array& indices, const Array& a, int count, const F& f) const {
    const int64_t* first = indices.as<int64_t>();
    const int64_t cost = (fine + coarse) * channels, each = coarse * channels;
    partition(samples, cost >= work_grain ? 1 : work_grain / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        bool bad = false;
        for (int64_t i = s * each; i < (s + 1) * each; ++i) bad |= uint64_t(first[i]) >= uint64_t(fine);
        if (bad) refuse(first, a, count);
        f(s);
      }
    });
  }
  // PyTorch tells of the last one.
  [[noreturn]] void refuse(const int64_t* indices, const Array& a, int count) const {
    int64_t i = samples * coarse * channels - 1;
    while (uint64_t(indices[i]) < uint64_t(fine)) --i;
    std::string sizes;
    for (int d = a.ndim - count; d < a.ndim; ++d) sizes += (sizes.empty() ? "" : "x") + std::to_string(a.shape[d]);
    throw std::runtime_error("Found an invalid max index: " + std::to_string(indices[i]) + " (output volumes are of size " +
                             sizes + ")");
  }
};

// update(fine[index], coarse) for every index; the fine array is zeros at first.
template <class F>
void scatter_planes(const char* name, const Array& fine, const Array& coarse, const Array& indices, const Number* numbers,
                    const F& update) {
  const Planes planes(fine, coarse, numbers);
  visit<group::real | 1u << int(DType::i64)>(name, fine.dtype, [&]<class T>(Type<T>) {
    planes.each(indices, fine, int(numbers[0].i), [&](int64_t sample) {
      const int64_t channels = planes.channels;
      T* out = fine.as<T>() + sample * planes.fine * channels;
      const T* from = coarse.as<T>() + sample * planes.coarse * channels;
      const int64_t* at = indices.as<int64_t>() + sample * planes.coarse * channels;
      std::fill(out, out + planes.fine * channels, T(0));
      if (channels == 1) {
        for (int64_t i = 0; i < planes.coarse; ++i) update(out[at[i]], from[i]);
      } else {
        for (int64_t i = 0; i < planes.coarse; ++i, from += channels, at += channels)
          for (int64_t c = 0; c < channels; ++c) update(out[at[c] * channels + c], from[c]);
      }
    });
  });
}

// max_pool_gradient: arrays dx, g, indices.
void max_pool_gradient(const Array* a, int, const Number* numbers) {
  scatter_planes("max_pool_gradient", a[0], a[1], a[2], numbers, [](auto& dx, auto g) { dx += g; });
}

// max_unpool: arrays out, in, indices.
void max_unpool(const Array* a, int, const Number* numbers) {
  scatter_planes("max_unpool", a[0], a[1], a[2], numbers, [](auto& out, auto x) { out = x; });
}

// ---- the mean --------------------------------------------------------------------------------------------------------------

// What a mean divides by: a number of its own, the places inside, or all that are inside or padding.
struct Divisor {
  const Pool& pool;
  bool counts_padding;
  int64_t fixed;

  explicit Divisor(const Pool& p) : pool(p), counts_padding(p.rest[0].i), fixed(p.rest[1].i) {}
  static int64_t inside(const Span& span, int64_t step) {
    return span.end > span.begin ? (span.end - span.begin + step - 1) / step : 0;
  }
  int64_t operator()(const Span& d, const Span& h, const Span& w) const {
    if (fixed) return fixed;
    if (counts_padding) return d.count * h.count * w.count;
    return inside(d, pool.depth.step) * inside(h, pool.height.step) * inside(w, pool.width.step);
  }
};

template <class T>
inline T quotient(T x, T by) {
  if constexpr (std::is_integral_v<T>) return by == -1 ? -x : x / by;  // (the least number has no negative)
  return x / by;
}

template <int fixed, class T>
inline void add_row(T* __restrict sum, const T* __restrict x, int64_t n, int64_t any) {
  const int64_t stride = fixed ? fixed : any;
  for (int64_t i = 0; i < n; ++i) sum[i] += x[i * stride];
}
template <int fixed, class T>
inline void spread_row(T* __restrict x, const T* __restrict g, int64_t n, int64_t any) {
  const int64_t stride = fixed ? fixed : any;
  for (int64_t i = 0; i < n; ++i) x[i * stride] += g[i];
}

// avg_pool: arrays out, in; numbers whether padding counts, and what to divide by (0: the number of places).
void avg_pool(const Array* a, int, const Number* numbers) {
  const Pool pool(a[0], a[1], numbers);
  const Divisor divisor(pool);
  const Windows& width = pool.width;
  visit<group::real | 1u << int(DType::i64)>("avg_pool", a[0].dtype, [&]<class T>(Type<T>) {
    const int64_t channels = pool.channels;
    pool.each_row([&](int64_t plane, const Span& d, const Span& h, int64_t first) {
      const T* __restrict in = a[1].as<T>() + plane * pool.in * channels;
      T* __restrict out = a[0].as<T>() + (plane * pool.out + first) * channels;
      std::fill(out, out + width.out * channels, T(0));
      if (numbers[1].i) {
        for (int64_t o = 0; o < width.out; ++o)
          pool.positions_of(d, h, width.spans[o], [&](int64_t p) {
            for (int64_t c = 0; c < channels; ++c) out[o * channels + c] += in[p * channels + c];
          });
      } else if (pool.is_adaptive()) {
        for (int64_t o = 0; o < width.out; ++o) {
          T sum = 0;
          pool.positions_of(d, h, width.spans[o], [&](int64_t p) { sum += in[p]; });
          out[o] = sum;
        }
      } else {
        auto* loop = width.stride == 1 ? add_row<1, T> : width.stride == 2 ? add_row<2, T> : add_row<0, T>;
        pool.rows_of(d, h, [&](int64_t row) {
          for (int64_t tap = width.first_tap(); tap < width.last_tap(); ++tap) {
            int64_t low, high;
            width.inside(tap, low, high);
            const int64_t start = row + low * width.stride + tap * width.step - width.padding;
            if (low < high) loop(out + low, in + start, high - low, width.stride);
          }
        });
      }
      for (int64_t o = 0; o < width.out; ++o) {
        const T by = T(divisor(d, h, width.spans[o]));
        if (by == 0) continue;
        for (int64_t c = 0; c < channels; ++c) out[o * channels + c] = quotient(out[o * channels + c], by);
      }
    });
  });
}

// avg_pool_gradient: arrays dx, g; numbers as avg_pool's.
void avg_pool_gradient(const Array* a, int, const Number* numbers) {
  const Pool pool(a[1], a[0], numbers);
  const Divisor divisor(pool);
  const Windows& width = pool.width;
  visit<group::real | 1u << int(DType::i64)>("avg_pool_gradient", a[0].dtype, [&]<class T>(Type<T>) {
    const int64_t channels = pool.channels;
    pool.each_plane([&](int64_t plane) {
      T* __restrict dx = a[0].as<T>() + plane * pool.in * channels;
      std::fill(dx, dx + pool.in * channels, T(0));
      Scratch<T> share(width.out * channels);
      const T* g = a[1].as<T>() + plane * pool.out * channels;
      for (const Span& d : pool.depth.spans)
        for (const Span& h : pool.height.spans) {
          T* __restrict each = share.get();
          for (int64_t o = 0; o < width.out; ++o) {
            const T by = T(divisor(d, h, width.spans[o]));
            for (int64_t c = 0; c < channels; ++c) each[o * channels + c] = by == 0 ? T(0) : quotient(g[o * channels + c], by);
          }
          g += width.out * channels;
          if (numbers[1].i) {
            for (int64_t o = 0; o < width.out; ++o)
              pool.positions_of(d, h, width.spans[o], [&](int64_t p) {
                for (int64_t c = 0; c < channels; ++c) dx[p * channels + c] += each[o * channels + c];
              });
          } else if (pool.is_adaptive()) {
            for (int64_t o = 0; o < width.out; ++o) pool.positions_of(d, h, width.spans[o], [&](int64_t p) { dx[p] += each[o]; });
          } else {
            auto* loop = width.stride == 1 ? spread_row<1, T> : width.stride == 2 ? spread_row<2, T> : spread_row<0, T>;
            pool.rows_of(d, h, [&](int64_t row) {
              for (int64_t tap = width.last_tap(); tap-- > width.first_tap();) {
                int64_t low, high;
                width.inside(tap, low, high);
                const int64_t start = row + low * width.stride + tap * width.step - width.padding;
                if (low < high) loop(dx + start, each + low, high - low, width.stride);
              }
            });
          }
        }
    });
  });
}

}  // namespace

void register_pooling() {
  Register("max_pool", max_pool);
  Register("greatest", greatest);
  Register("max_pool_gradient", max_pool_gradient);
  Register("fractional_max_pool", fractional_max_pool);
  Register("max_unpool", max_unpool);
  Register("avg_pool", avg_pool);
  Register("avg_pool_gradient", avg_pool_gradient);
}

}  // namespace rl::RL_ISA
