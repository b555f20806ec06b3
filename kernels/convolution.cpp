// Convolutions of one to three dimensions, and their derivatives, as dot products along lines (convolution_plan.h). Products and
// sums are made in registers, a tile at a time: no matrix of patches is ever written, but for the lines themselves.
#include <cstring>

#include "convert.h"
#include "convolution_plan.h"
#include "lanes.h"

namespace rl::RL_ISA {
namespace {

template <class T>
inline __attribute__((always_inline)) Vector<T> multiply_add(Vector<T> a, Vector<T> b, Vector<T> sum) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) return (Vector<T>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
  if constexpr (std::is_same_v<T, double>) return (Vector<T>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum);
#elif defined(__FMA__)
  if constexpr (std::is_same_v<T, float>) return (Vector<T>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
  if constexpr (std::is_same_v<T, double>) return (Vector<T>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
#endif
  return sum + a * b;
}

template <class T>
inline __attribute__((always_inline)) Vector<T> all_lanes(T x) {
  return x - Vector<T>{};
}

// In a register, once: compilers would rather read memory again for each product.
template <class V>
inline __attribute__((always_inline)) V held(V v) {
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#endif
  return v;
}

// A tile is `rows` channels by `columns<rows>` vectors: as many sums as the registers hold beside what is multiplied.
#if defined(__AVX512F__)
constexpr int most_rows = 8;
template <int rows>
constexpr int columns = rows == 8   ? 3
                        : rows == 4 ? 6
                                    : 9;
#else
constexpr int most_rows = 4;
template <int rows>
constexpr int columns = rows == 4   ? 3
                        : rows == 2 ? 4
                                    : 9;
#endif

// A tensor [N, C, ...] with three dimensions behind the channels.
struct Volume {
  char* data;
  DType dtype;
  int64_t shape[2 + spatial], strides[2 + spatial];  // in bytes

  explicit Volume(const Array& a) : data(a.data), dtype(a.dtype) {
    const int missing = 2 + spatial - a.ndim;
    for (int d = 0; d < 2 + spatial; ++d) {
      const int from = d < 2 ? d : d - missing;
      const bool exists = d < 2 || from >= 2;
      shape[d] = exists ? a.shape[from] : 1;
      strides[d] = exists ? a.strides[from] * item_size(dtype) : 0;
    }
  }
  char* at(int64_t n, int64_t c) const { return data + n * strides[0] + c * strides[1]; }
};

// A line's elements, `step` bytes apart in the source.
template <class T>
void read_line(T* out, const char* in, int64_t step, int64_t n, DType dtype) {
  if (dtype != dtype_of<T>) return conversion(dtype_of<T>, dtype)(reinterpret_cast<char*>(out), sizeof(T), in, step, n);
  if (step == int64_t(sizeof(T))) {
    std::memcpy(out, in, n * sizeof(T));
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = *reinterpret_cast<const T*>(in + i * step);
  }
}

// Packs lines [channel][line][sample][...], `plane` elements for all samples of a line, what is behind them zero.
template <class T>
void pack(T* to, int64_t plane, const Volume& x, int64_t first, int64_t samples, const Lines* axes) {
  const Lines &depth = axes[0], &height = axes[1], &width = axes[2];
  const int64_t lines = int64_t(depth.starts.size() * height.starts.size() * width.starts.size());
  const int64_t used = samples * depth.length * height.length * width.length, channels = x.shape[1];
  partition(channels, 1 + 65536 / (lines * plane), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      T* out = to + c * lines * plane;
      for (int64_t d_start : depth.starts)
        for (int64_t h_start : height.starts)
          for (int64_t w_start : width.starts) {
            const int64_t low = std::clamp<int64_t>(w_start < 0 ? (-w_start + width.step - 1) / width.step : 0, 0, width.length);
            const int64_t past = width.source - w_start;
            const int64_t high = std::clamp<int64_t>(past > 0 ? (past + width.step - 1) / width.step : 0, low, width.length);
            T* row = out;
            for (int64_t n = first; n < first + samples; ++n)
              for (int64_t d = 0; d < depth.length; ++d) {
                const int64_t from_d = d_start + d * depth.step;
                for (int64_t h = 0; h < height.length; ++h, row += width.length) {
                  const int64_t from_h = h_start + h * height.step;
                  if (from_d < 0 || from_d >= depth.source || from_h < 0 || from_h >= height.source || low == high) {
                    std::fill_n(row, width.length, T(0));
                    continue;
                  }
                  std::fill_n(row, low, T(0));
                  const char* in =
                      x.at(n, c) + from_d * x.strides[2] + from_h * x.strides[3] + (w_start + low * width.step) * x.strides[4];
                  read_line(row + low, in, width.step * x.strides[4], high - low, x.dtype);
                  std::fill_n(row + high, width.length - high, T(0));
                }
              }
            std::fill_n(out + used, plane - used, T(0));
            out += plane;
          }
    }
  });
}

// How samples are shared out: `samples` at a time, so that their lines stay in the cache, but have `enough` places for tiles to
// be full; and whether such blocks are enough for all threads. What is too little for threads is one block after the other.
struct Blocks {
  int64_t samples, count;
  bool apart;

  Blocks(int64_t batch, int64_t packed, int64_t places, double work, bool may_be_apart) {
    constexpr int64_t room = 1 << 18, enough = 768, few = 4;
    const int64_t least = (enough + places - 1) / places, share = (batch + few - 1) / few;
    samples = std::clamp<int64_t>(std::max(room / std::max<int64_t>(packed, 1), least), 1, batch);
    const bool large = may_be_apart && work >= (1 << 20);
    if (large && batch >= few && share >= least) samples = std::min(samples, share);
    count = (batch + samples - 1) / samples;
    apart = large && count >= few;
  }
};

// The places of a kernel's taps that one phase has, [channel][tap]: where their lines are, relative to a group's first.
struct Taps {
  std::vector<int64_t> offsets, indices;
};

Taps taps_of(const Plan& plan, const Phase* const* phases, const Axis* axes, int64_t channels, int64_t plane) {
  Taps made;
  const int64_t lines = plan.lines();
  for (int64_t c = 0; c < channels; ++c)
    for (const Tap& d : phases[0]->taps)
      for (const Tap& h : phases[1]->taps)
        for (const Tap& w : phases[2]->taps) {
          const int64_t line =
              (d.line * int64_t(plan.axes[1].starts.size()) + h.line) * int64_t(plan.axes[2].starts.size()) + w.line;
          const int64_t shift = (d.shift * plan.axes[1].length + h.shift) * plan.axes[2].length + w.shift;
          made.offsets.push_back((c * lines + line) * plane + shift);
          made.indices.push_back(((c * axes[0].kernel + d.index) * axes[1].kernel + h.index) * axes[2].kernel + w.index);
        }
  return made;
}

// ---- results -------------------------------------------------------------------------------------------------------------

// sums[row][place] of the products of weights[k][row] and x[offsets[k] + place].
template <class T, int rows>
void sum_tile(const T* x, const int64_t* offsets, int64_t depth, const T* weights, T* sums) {
  constexpr int n = columns<rows>, lanes = lanes_of<T>;
  Vector<T> sum[rows][n] = {};
  for (int64_t k = 0; k < depth; ++k, weights += rows) {
    const T* line = x + offsets[k];
    Vector<T> values[n];
    for (int j = 0; j < n; ++j) values[j] = load<T>(line + j * lanes);
    for (int i = 0; i < rows; ++i) {
      const Vector<T> weight = all_lanes(weights[i]);
      for (int j = 0; j < n; ++j) sum[i][j] = multiply_add<T>(weight, values[j], sum[i][j]);
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < n; ++j) store<T>(sums + (i * n + j) * lanes, sum[i][j]);
}

// Places of a tile that are results, and where those go (in bytes, within a channel).
struct Segment {
  int64_t place, count, to;
};

template <class T, int rows>
struct Run {
  static constexpr int64_t width = columns<rows> * lanes_of<T>;
  const T* x;        // packed
  const T* weights;  // of this phase: [group][channel of the group in tiles][k][row]
  const Taps& taps;
  const Plan& plan;
  const Phase* const* phases;
  const Volume& out;
  const T* bias;
  int64_t groups, first_row, tiles, x_of_group, sample, samples;

  int64_t chunks() const { return (samples * plan.length() + width - 1) / width; }

  int segments_of(int64_t begin, Segment* made) const {
    const int64_t length = plan.axes[2].length, end = std::min(begin + width, samples * plan.length());
    const int64_t step = plan.axes[2].phase_step * out.strides[4];
    int count = 0;
    for (int64_t place = begin; place < end;) {
      const int64_t row = place / length, w = place % length, stop = std::min(end, (row + 1) * length);
      const int64_t h = row % plan.axes[1].length, above = row / plan.axes[1].length;
      const int64_t d = above % plan.axes[0].length, n = above / plan.axes[0].length;
      const int64_t valid = std::min(stop - place, phases[2]->count - w);
      if (valid > 0 && h < phases[1]->count && d < phases[0]->count) {
        const int64_t to = (sample + n) * out.strides[0] + (phases[0]->first + d * plan.axes[0].phase_step) * out.strides[2] +
                           (phases[1]->first + h * plan.axes[1].phase_step) * out.strides[3] + phases[2]->first * out.strides[4] +
                           w * step;
        Segment* last = made + count - 1;
        if (count && last->place + last->count == place - begin && last->to + last->count * step == to)
          last->count += valid;
        else
          made[count++] = {place - begin, valid, to};
      }
      place = stop;
    }
    return count;
  }

  void write(const Segment* segments, int count, int64_t channel, T* sums) const {
    char* to = out.data + channel * out.strides[1];
    const int64_t step = plan.axes[2].phase_step * out.strides[4];
    const T shift = bias ? bias[channel] : T(0);
    const bool same = out.dtype == dtype_of<T>;
    for (int i = 0; i < count; ++i) {
      const Segment& s = segments[i];
      T* from = sums + s.place;
      if (same && step == int64_t(sizeof(T))) {
        T* put = reinterpret_cast<T*>(to + s.to);
        for (int64_t p = 0; p < s.count; ++p) put[p] = from[p] + shift;
      } else if (same) {
        for (int64_t p = 0; p < s.count; ++p) *reinterpret_cast<T*>(to + s.to + p * step) = from[p] + shift;
      } else {
        for (int64_t p = 0; p < s.count; ++p) from[p] += shift;
        conversion(out.dtype, dtype_of<T>)(to + s.to, step, reinterpret_cast<char*>(from), sizeof(T), s.count);
      }
    }
  }

  void chunk(int64_t index) const {
    const int64_t of_group = out.shape[1] / groups, depth = int64_t(taps.offsets.size());
    const int64_t group = index / chunks(), begin = index % chunks() * width;
    Segment segments[width];
    const int count = segments_of(begin, segments);
    if (count == 0) return;
    alignas(64) T sums[rows * width];
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t row = first_row + tile * rows, channel = group * of_group + row;
      sum_tile<T, rows>(x + group * x_of_group + begin, taps.offsets.data(), depth, weights + channel * depth, sums);
      for (int i = 0; i < rows; ++i) write(segments, count, channel + i, sums + i * width);
    }
  }

  void run() const {
    const int64_t work = std::max<int64_t>(1, width * tiles * rows * int64_t(taps.offsets.size()));
    partition(groups * chunks(), 1 + (1 << 20) / work, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) chunk(i);
    });
  }
};

// Calls f<rows>(first row, tiles) until all `rows` of a group are in tiles.
template <int rows, class F>
void in_tiles(int64_t first, int64_t total, const F& f) {
  const int64_t tiles = (total - first) / rows;
  if (tiles) f.template operator()<rows>(first, tiles);
  if constexpr (rows > 1)
    if (first + tiles * rows < total) in_tiles<rows / 2>(first + tiles * rows, total, f);
}

// What the arrays and numbers of a kernel say.
struct Call {
  Axis axes[spatial];
  int64_t groups;
  bool transposed;

  // numbers: stride, padding, dilation of each of the three dimensions; groups; transposed
  Call(const Volume& source, const Volume& results, const Volume& weight, const Number* numbers)
      : groups(numbers[3 * spatial].i), transposed(numbers[3 * spatial + 1].i) {
    for (int d = 0; d < spatial; ++d)
      axes[d] = {source.shape[2 + d], results.shape[2 + d],   weight.shape[2 + d],
                 numbers[d].i,        numbers[spatial + d].i, numbers[2 * spatial + d].i};
  }
  double work(const Volume& out, int64_t channels) const {
    double made = double(out.shape[0]) * double(out.shape[1]) * double(channels);
    for (int d = 0; d < spatial; ++d) made *= double(axes[d].kernel) * double(transposed ? axes[d].source : axes[d].results);
    return made;
  }
};

// Element [o][c][...] of the weight, as [o][c * taps + tap].
template <class T>
std::vector<T> dense_weight(const Volume& w) {
  std::vector<T> made(w.shape[0] * w.shape[1] * w.shape[2] * w.shape[3] * w.shape[4]);
  T* to = made.data();
  for (int64_t o = 0; o < w.shape[0]; ++o)
    for (int64_t c = 0; c < w.shape[1]; ++c)
      for (int64_t d = 0; d < w.shape[2]; ++d)
        for (int64_t h = 0; h < w.shape[3]; ++h, to += w.shape[4])
          read_line(to, w.at(o, c) + d * w.strides[2] + h * w.strides[3], w.strides[4], w.shape[4], w.dtype);
  return made;
}

template <class T>
void convolve(const Volume& out, const Volume& x, const Volume& w, const Array& given_bias, const Number* numbers) {
  const Call call(x, out, w, numbers);
  const int64_t groups = call.groups, channels = x.shape[1] / groups, of_group = out.shape[1] / groups;
  const Plan plan = plan_of(call.axes, call.transposed, of_group, lanes_of<T>);
  const int64_t lines = plan.lines(), slack = plan.reach() + 16 * lanes_of<T>;
  const Blocks blocks(x.shape[0], x.shape[1] * lines * plan.length(), plan.length(), call.work(out, channels), true);
  const int64_t plane = blocks.samples * plan.length(), kernel = w.shape[2] * w.shape[3] * w.shape[4];
  const std::vector<T> weight = dense_weight<T>(w);
  std::vector<T> bias(given_bias.data ? out.shape[1] : 0);
  if (given_bias.data)
    read_line(bias.data(), given_bias.data, given_bias.strides[0] * item_size(given_bias.dtype), out.shape[1], given_bias.dtype);

  // The weights of each phase in the order that tiles read them.
  struct Part {
    const Phase* phases[spatial];
    Taps taps;
    std::vector<T> weights;
  };
  std::vector<Part> parts;
  for (const Phase& d : plan.axes[0].phases)
    for (const Phase& h : plan.axes[1].phases)
      for (const Phase& v : plan.axes[2].phases) {
        const Phase* phases[spatial] = {&d, &h, &v};
        parts.push_back({{&d, &h, &v}, taps_of(plan, phases, call.axes, channels, plane), {}});
      }
  for (Part& part : parts) {
    const int64_t depth = int64_t(part.taps.indices.size());
    // Of the transposed weight a channel of results is one tap apart from the next.
    if (call.transposed)
      for (int64_t& index : part.taps.indices) index += index / kernel * (of_group - 1) * kernel;
    part.weights.resize(out.shape[1] * depth);
    for (int64_t group = 0; group < groups; ++group)
      in_tiles<most_rows>(0, of_group, [&]<int rows>(int64_t first, int64_t tiles) {
        partition(tiles, 1 + 65536 / (depth * rows + 1), [&](int64_t begin, int64_t end) {
          for (int64_t tile = begin; tile < end; ++tile) {
            const int64_t row = first + tile * rows;
            T* to = part.weights.data() + (group * of_group + row) * depth;
            const T* from = weight.data() +
                            (call.transposed ? group * channels * of_group + row : (group * of_group + row) * channels) * kernel;
            const int64_t step = call.transposed ? kernel : channels * kernel;
            for (const int64_t index : part.taps.indices)
              for (int i = 0; i < rows; ++i) *to++ = from[index + i * step];
          }
        });
      });
  }

  partition(blocks.count, blocks.apart ? 1 : blocks.count, [&](int64_t begin, int64_t end) {
    const int64_t size = x.shape[1] * lines * plane;
    Scratch<T> packed(size + slack);
    std::fill_n(packed.get() + size, slack, T(0));
    for (int64_t block = begin; block < end; ++block) {
      const int64_t sample = block * blocks.samples, samples = std::min(blocks.samples, x.shape[0] - sample);
      pack(packed.get(), plane, x, sample, samples, plan.axes);
      for (const Part& part : parts)
        in_tiles<most_rows>(0, of_group, [&]<int rows>(int64_t first, int64_t tiles) {
          Run<T, rows>{packed.get(),
                       part.weights.data(),
                       part.taps,
                       plan,
                       part.phases,
                       out,
                       bias.empty() ? nullptr : bias.data(),
                       groups,
                       first,
                       tiles,
                       channels * lines * plane,
                       sample,
                       samples}
              .run();
        });
    }
  });
}

// arrays out, x, weight, bias (or none); numbers: see Call. The weight is [out, in / groups, ...]; transposed, [in, out / groups,
// ...]. Shapes are the caller's. Halves are computed in float32, integers in int64 (what they overflow is the same).
void convolution(const Array* a, int, const Number* numbers) {
  if (a[0].numel() == 0) return;
  visit<group::integer | group::floating>("slow_conv2d_cpu", a[1].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using C = std::conditional_t<std::is_integral_v<T>, int64_t, std::conditional_t<std::is_same_v<T, double>, double, float>>;
    convolve<C>(Volume(a[0]), Volume(a[1]), Volume(a[2]), a[3], numbers);
  });
}

// ---- the weight's gradient -----------------------------------------------------------------------------------------------

// Both halves of each run of 2 * half lanes added up: first those of a, then those of b.
template <class T, int half, int... lane>
inline __attribute__((always_inline)) Vector<T> halves_added(Vector<T> a, Vector<T> b, std::integer_sequence<int, lane...>) {
  constexpr int lanes = sizeof...(lane);
  const auto place = [](int i) { return i % (lanes / 2) / half * 2 * half + i % half + (i < lanes / 2 ? 0 : lanes); };
  using Places = Vector<std::conditional_t<sizeof(T) == 4, int32_t, int64_t>>;
  return __builtin_shuffle(a, b, Places{place(lane)...}) + __builtin_shuffle(a, b, Places{(place(lane) + half)...});
}

// The sums of each of as many vectors as there are lanes: pairs of vectors become one, whose lanes are half as many sums of
// either.
template <class T, int half = lanes_of<T> / 2>
inline __attribute__((always_inline)) Vector<T> totals_of(Vector<T>* v) {
  for (int i = 0; i < half; ++i)
    v[i] = halves_added<T, half>(v[2 * i], v[2 * i + 1], std::make_integer_sequence<int, lanes_of<T>>{});
  if constexpr (half > 1) return totals_of<T, half / 2>(v);
  return v[0];
}

// Adds to out[row][column] the sum over all places of anchors[row][place] * x[offsets[column] + place].
template <class T, int rows>
void weight_tile(const T* anchors, int64_t anchor_step, const T* x, const int64_t* offsets, int64_t places, T* out,
                 int64_t out_step, int64_t wanted) {
  constexpr int n = columns<rows>, lanes = lanes_of<T>;
  const T* lines[n];
  for (int j = 0; j < n; ++j) lines[j] = x + offsets[std::min<int64_t>(j, wanted - 1)];
  constexpr int size = (rows * n + lanes - 1) / lanes * lanes;
  Vector<T> sum[rows][n] = {};
  for (int64_t p = 0; p < places; p += lanes) {
    Vector<T> values[n];
    for (int j = 0; j < n; ++j) values[j] = load<T>(lines[j] + p);
    for (int i = 0; i < rows; ++i) {
      const Vector<T> anchor = held(load<T>(anchors + i * anchor_step + p));
      for (int j = 0; j < n; ++j) sum[i][j] = multiply_add<T>(anchor, values[j], sum[i][j]);
    }
  }
  Vector<T> sums[size] = {};
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < n; ++j) sums[i * n + j] = sum[i][j];
  alignas(64) T totals[size];
  for (int i = 0; i < size; i += lanes) store<T>(totals + i, totals_of<T>(sums + i));
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < wanted; ++j) out[i * out_step + j] += totals[i * n + j];
}

template <class T>
void weight_gradient(const Volume& out, const Volume& x, const Volume& anchor, const Number* numbers) {
  const Call call(x, anchor, out, numbers);
  const int64_t groups = call.groups, channels = x.shape[1] / groups, of_group = anchor.shape[1] / groups;
  constexpr int64_t lanes = lanes_of<T>, run = 128 * lanes;  // places of a run stay in the first cache
  const Plan plan = plan_of(call.axes, false, of_group, lanes);
  const int64_t lines = plan.lines(), slack = plan.reach() + lanes;
  const double work = call.work(anchor, channels);
  const Blocks blocks(x.shape[0], std::max(x.shape[1] * lines, anchor.shape[1]) * plan.length(), plan.length(), work, false);
  const int64_t plane = blocks.samples * plan.length(), anchor_plane = (plane + lanes - 1) / lanes * lanes;
  const Phase* phases[spatial] = {&plan.axes[0].phases[0], &plan.axes[1].phases[0], &plan.axes[2].phases[0]};
  const Taps taps = taps_of(plan, phases, call.axes, channels, plane);
  const int64_t depth = int64_t(taps.offsets.size()), size = x.shape[1] * lines * plane;
  // The anchors lie where the results do.
  Lines places[spatial];
  for (int d = 0; d < spatial; ++d) places[d] = {anchor.shape[2 + d], 1, plan.axes[d].length, 1, {0}, {}};

  Scratch<T> packed(size + slack), anchors(anchor.shape[1] * anchor_plane);
  std::fill_n(packed.get() + size, slack, T(0));
  std::vector<T> sums(anchor.shape[1] * depth);
  struct Tile {
    int64_t group, row;
    int rows;
  };
  std::vector<Tile> tiles;
  for (int64_t group = 0; group < groups; ++group)
    in_tiles<most_rows>(0, of_group, [&]<int rows>(int64_t first, int64_t count) {
      for (int64_t tile = 0; tile < count; ++tile) tiles.push_back({group, group * of_group + first + tile * rows, rows});
    });
  const int64_t grain = 1 + int64_t((1 << 20) * double(tiles.size()) * double(blocks.count) / (work + 1));
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t sample = block * blocks.samples, samples = std::min(blocks.samples, x.shape[0] - sample);
    pack(packed.get(), plane, x, sample, samples, plan.axes);
    pack(anchors.get(), anchor_plane, anchor, sample, samples, places);
    const int64_t used = (samples * plan.length() + lanes - 1) / lanes * lanes;
    partition(int64_t(tiles.size()), grain, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const Tile& tile = tiles[t];
        const auto all = [&]<int rows>() {
          for (int64_t p = 0; p < used; p += run)
            for (int64_t k = 0; k < depth; k += columns<rows>)
              weight_tile<T, rows>(anchors.get() + tile.row * anchor_plane + p, anchor_plane,
                                   packed.get() + tile.group * channels * lines * plane + p, taps.offsets.data() + k,
                                   std::min(run, used - p), sums.data() + tile.row * depth + k, depth,
                                   std::min<int64_t>(columns<rows>, depth - k));
        };
        if constexpr (most_rows == 8)
          if (tile.rows == 8) all.template operator()<8>();
        if (tile.rows == 4) all.template operator()<4>();
        if (tile.rows == 2) all.template operator()<2>();
        if (tile.rows == 1) all.template operator()<1>();
      }
    });
  }
  // Taps are in the order of the weight: [channel][tap].
  const int64_t row = out.shape[4];
  const T* from = sums.data();
  for (int64_t o = 0; o < out.shape[0]; ++o)
    for (int64_t c = 0; c < out.shape[1]; ++c)
      for (int64_t d = 0; d < out.shape[2]; ++d)
        for (int64_t h = 0; h < out.shape[3]; ++h, from += row)
          conversion(out.dtype, dtype_of<T>)(out.at(o, c) + d * out.strides[2] + h * out.strides[3], out.strides[4],
                                             reinterpret_cast<const char*>(from), sizeof(T), row);
}

// arrays out (like the weight), x, g; numbers as above (transposed is not read): sums over samples and places of g times what the
// weight's element was multiplied with. Of a transposed convolution x is the gradient, and g the input.
void convolution_weight(const Array* a, int, const Number* numbers) {
  if (a[0].numel() == 0) return;
  visit<group::floating>("slow_conv2d_grad_weight", a[1].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using C = std::conditional_t<std::is_same_v<T, double>, double, float>;
    weight_gradient<C>(Volume(a[0]), Volume(a[1]), Volume(a[2]), numbers);
  });
}

}  // namespace

void register_convolution() {
  Register("convolution", convolution);
  Register("convolution_weight", convolution_weight);
}

}  // namespace rl::RL_ISA
