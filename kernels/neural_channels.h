// Batch and group norm: numbers normalized over samples and positions of one channel, or over positions of a group of channels of
// one sample.
#pragma once

#include <algorithm>
#include <vector>

#include "neural_normalization.h"

namespace rl::RL_ISA {
namespace {

// An array is [sets, samples, groups, channels of a group, positions], or channels last [sets, samples, positions, channels].
// Each set of samples, and each group, has statistics of its own: batch norm has one set, and groups of one channel; group norm
// has sets of one sample.
struct Channels {
  int64_t sets, samples, groups, channels, positions, of_group;
  bool last;

  // numbers: sets, groups, channels last
  Channels(const Array& x, const Number* numbers)
      : sets(numbers[0].i), samples(sets ? x.shape[0] / sets : 0), groups(numbers[1].i), channels(x.shape[1]), positions(1) {
    for (int d = 2; d < x.ndim; ++d) positions *= x.shape[d];
    of_group = groups ? channels / groups : 0;
    last = numbers[2].i != 0 || positions == 1;
  }
  int64_t count() const { return samples * of_group * positions; }
  // How many channels all sets have, and where the statistics of one of these are.
  int64_t all_channels() const { return sets * channels; }
  int64_t place(int64_t channel) const { return channel / channels * groups + channel % channels / of_group; }

  // f(set, group), several at a time.
  template <class F>
  void each_group(const F& f) const {
    partition(sets * groups, count() >= work_grain ? 1 : work_grain / (count() + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) f(i / groups, i % groups);
    });
  }
  // f(channel of all, where its positions begin in a sample) for a group's channels in all samples of a set.
  template <class F>
  void each_line(int64_t set, int64_t group, const F& f) const {
    for (int64_t n = set * samples; n < (set + 1) * samples; ++n)
      for (int64_t c = group * of_group; c < (group + 1) * of_group; ++c) f(set * channels + c, (n * channels + c) * positions);
  }
  // Channels last, the rows of each set are cut into at most 32 chunks: f(chunk of all, set, first row, last row).
  int64_t rows() const { return samples * positions; }
  int64_t chunk_rows() const { return std::max((rows() + 31) / 32, work_grain / (channels + 1) + 1); }
  int64_t chunks() const { return (rows() + chunk_rows() - 1) / chunk_rows(); }
  template <class F>
  void each_chunk(const F& f) const {
    const int64_t cost = std::min(rows(), chunk_rows()) * channels;
    partition(sets * chunks(), cost >= work_grain ? 1 : work_grain / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t set = i / chunks(), first = i % chunks() * chunk_rows();
        f(i, set, set * rows() + first, set * rows() + std::min(rows(), first + chunk_rows()));
      }
    });
  }
  // f(place, Type<V>, of) for all elements, or vectors of them, where of(table) is what a table of all channels has for those.
  template <class T, class F>
  void map(const F& f) const {
    if (!last) {
      each_group([&](int64_t set, int64_t group) {
        each_line(set, group, [&](int64_t channel, int64_t begin) {
          vector_loop<T>(begin, begin + positions, [&]<class V>(int64_t i, Type<V> v) __attribute__((always_inline)) {
            f(i, v, [channel](const T* table) __attribute__((always_inline)) { return table[channel] - V{}; });
          });
        });
      });
      return;
    }
    each_chunk([&](int64_t, int64_t set, int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        vector_loop<T>(0, channels, [&]<class V>(int64_t c, Type<V> v) __attribute__((always_inline)) {
          const int64_t channel = set * channels + c;
          f(r * channels + c, v, [channel](const T* table) __attribute__((always_inline)) { return get<V>(table + channel); });
        });
    });
  }
};

// The moments of each set and group.
template <class T>
auto find_moments(const Channels& size, const T* x) {
  const Moments<T, T> op;
  std::vector<typename Moments<T, T>::State> found(size.sets * size.groups, op.identity());
  if (!size.last) {
    size.each_group([&](int64_t set, int64_t group) {
      const int64_t line = size.of_group * size.positions;  // the channels of a group lie one after the other
      for (int64_t n = set * size.samples; n < (set + 1) * size.samples; ++n) {
        const T* p = x + (n * size.groups + group) * line;
        for (int64_t i = 0; i < line; i += leaf_elements)
          op.run(found[set * size.groups + group], p + i, std::min(line - i, leaf_elements), 1, i);
      }
    });
    return found;
  }
  std::vector<typename Moments<T, T>::State> parts(size.sets * size.chunks() * size.channels, op.identity());
  size.each_chunk([&](int64_t chunk, int64_t, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r += leaf_rows)
      for (int64_t c = 0; c < size.channels; c += max_tile)
        op.rows(parts.data() + chunk * size.channels + c, int(std::min<int64_t>(max_tile, size.channels - c)), 1,
                x + r * size.channels + c, std::min(leaf_rows, end - r), size.channels, r);
  });
  for (int64_t i = 0; i < int64_t(parts.size()); ++i)
    op.merge(found[size.place(i / (size.chunks() * size.channels) * size.channels + i % size.channels)], parts[i]);
  return found;
}

// channel_norm: arrays out, mean and rstd [sets, groups], running mean and variance [channels] (or null data), in, weight and
// bias [channels] (or null); numbers sets, groups, channels last, training (i), momentum, eps (f). In training the statistics are
// the input's, and running ones (of one set, in groups of one channel) move towards them; else they are the running ones.
inline void channel_norm(const Array* a, int, const Number* numbers) {
  const Channels size(a[5], numbers);
  const bool training = numbers[3].i != 0;
  const double momentum = numbers[4].f, eps = numbers[5].f, count = double(size.count());
  visit<group::real>("channel_norm", a[5].dtype, [&]<class T>(Type<T>) {
    T *out = a[0].as<T>(), *mean = a[1].as<T>(), *rstd = a[2].as<T>(), *running_mean = a[3].as<T>(), *running_var = a[4].as<T>();
    const T *x = a[5].as<T>(), *weight = a[6].as<T>(), *bias = a[7].as<T>();
    if (training) {
      const auto moments = find_moments(size, x);
      const double wider = count > 1 ? 1 / (count - 1) : std::numeric_limits<double>::infinity();
      for (int64_t i = 0; i < int64_t(moments.size()); ++i) {
        mean[i] = T(moments[i].mean[0]);
        rstd[i] = T(1 / __builtin_sqrt(moments[i].squares / count + eps));
        if (running_mean) running_mean[i] = T((1 - momentum) * running_mean[i] + momentum * moments[i].mean[0]);
        if (running_var) running_var[i] = T((1 - momentum) * running_var[i] + momentum * (moments[i].squares * wider));
      }
    } else {
      for (int64_t c = 0; c < size.channels; ++c) {
        mean[c] = running_mean[c];
        rstd[c] = T(1 / __builtin_sqrt(double(running_var[c]) + eps));
      }
    }
    std::vector<T> scale(size.all_channels()), shift(size.all_channels());
    for (int64_t i = 0; i < size.all_channels(); ++i) {
      const int64_t place = size.place(i), c = i % size.channels;
      scale[i] = weight ? rstd[place] * weight[c] : rstd[place];
      shift[i] = (bias ? bias[c] : T(0)) - mean[place] * scale[i];
    }
    size.map<T>([&]<class V, class F>(int64_t i, Type<V>, const F& of)
                    __attribute__((always_inline)) { set<V>(out + i, V(get<V>(x + i) * of(scale.data()) + of(shift.data()))); });
  });
}

// The sums of g, and of g times the distance of x from its mean, of each channel of each set.
template <class T>
struct ChannelSums {
  std::vector<double> g, along;

  ChannelSums(const Channels& size, const T* gradient, const T* x, const T* mean)
      : g(size.all_channels()), along(size.all_channels()) {
    if (!size.last) {
      size.each_group([&](int64_t set, int64_t group) {
        const T center = mean[set * size.groups + group];
        size.each_line(set, group, [&](int64_t channel, int64_t begin) {
          g[channel] += double(sum_row<T>(size.positions, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
            return get<V>(gradient + begin + i);
          }));
          along[channel] += double(sum_row<T>(size.positions, [&]<class V>(int64_t i, Type<V>) __attribute__((always_inline)) {
            return V(get<V>(gradient + begin + i) * (get<V>(x + begin + i) - center));
          }));
        });
      });
      return;
    }
    const int64_t channels = size.channels;
    std::vector<T> centers(size.all_channels());
    for (int64_t i = 0; i < size.all_channels(); ++i) centers[i] = mean[size.place(i)];
    std::vector<double> parts(size.sets * size.chunks() * 2 * channels);
    size.each_chunk([&](int64_t chunk, int64_t of_set, int64_t begin, int64_t end) {
      Scratch<T> sums(2 * channels);
      const T* center = centers.data() + of_set * channels;
      double* of_chunk = parts.data() + chunk * 2 * channels;
      for (int64_t first = begin; first < end; first += leaf_rows) {
        std::fill_n(sums.get(), 2 * channels, T(0));
        for (int64_t r = first; r < std::min(end, first + leaf_rows); ++r)
          vector_loop<T>(0, channels, [&]<class V>(int64_t c, Type<V>) __attribute__((always_inline)) {
            const V each = get<V>(gradient + r * channels + c), distance = get<V>(x + r * channels + c) - get<V>(center + c);
            set<V>(sums.get() + c, V(get<V>(sums.get() + c) + each));
            set<V>(sums.get() + channels + c, V(get<V>(sums.get() + channels + c) + each * distance));
          });
        for (int64_t c = 0; c < 2 * channels; ++c) of_chunk[c] += double(sums[c]);
      }
    });
    for (int64_t chunk = 0; chunk < size.sets * size.chunks(); ++chunk)
      for (int64_t c = 0; c < channels; ++c) {
        g[chunk / size.chunks() * channels + c] += parts[chunk * 2 * channels + c];
        along[chunk / size.chunks() * channels + c] += parts[(chunk * 2 + 1) * channels + c];
      }
  }
};

// channel_norm_gradient: arrays dx, dweight, dbias (each may have null data), g, in, mean, rstd, weight (or null); numbers as far
// as training. Without training the statistics are given numbers.
inline void channel_norm_gradient(const Array* a, int, const Number* numbers) {
  const Channels size(a[4], numbers);
  const bool training = numbers[3].i != 0;
  const double count = double(size.count());
  visit<group::real>("channel_norm_gradient", a[4].dtype, [&]<class T>(Type<T>) {
    T *dx = a[0].as<T>(), *dweight = a[1].as<T>(), *dbias = a[2].as<T>();
    const T *g = a[3].as<T>(), *x = a[4].as<T>(), *mean = a[5].as<T>(), *rstd = a[6].as<T>(), *weight = a[7].as<T>();
    const ChannelSums<T> sums(size, g, x, mean);
    std::vector<double> whole(size.sets * size.groups), along(whole.size());
    for (int64_t i = 0; i < size.all_channels(); ++i) {
      const double by = weight ? double(weight[i % size.channels]) : 1.0;
      whole[size.place(i)] += by * sums.g[i];
      along[size.place(i)] += by * sums.along[i];
    }
    for (int64_t c = 0; c < size.channels; ++c) {
      double of_weight = 0, of_bias = 0;
      for (int64_t i = c; i < size.all_channels(); i += size.channels) {
        of_weight += sums.along[i] * double(rstd[size.place(i)]);
        of_bias += sums.g[i];
      }
      if (dweight) dweight[c] = T(of_weight);
      if (dbias) dbias[c] = T(of_bias);
    }
    if (!dx) return;
    std::vector<T> scale(size.all_channels()), center(scale.size()), less(scale.size()), slope(scale.size());
    for (int64_t i = 0; i < size.all_channels(); ++i) {
      const int64_t place = size.place(i);
      const double r = double(rstd[place]);
      scale[i] = weight ? rstd[place] * weight[i % size.channels] : rstd[place];
      center[i] = mean[place];
      less[i] = training ? T(r * whole[place] / count) : T(0);
      slope[i] = training ? T(r * r * r * along[place] / count) : T(0);
    }
    size.map<T>([&]<class V, class F>(int64_t i, Type<V>, const F& of) __attribute__((always_inline)) {
      const V distance = get<V>(x + i) - of(center.data());
      set<V>(dx + i, V(get<V>(g + i) * of(scale.data()) - of(less.data()) - distance * of(slope.data())));
    });
  });
}

}  // namespace
}  // namespace rl::RL_ISA
