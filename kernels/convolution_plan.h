// How a convolution is made of dot products along lines. The source is packed into lines of elements, one length for all of them,
// so that the places of a line are those of the results: what a tap of the kernel meets is then a line, shifted. A stride only
// decides which elements make a line: the remainders of a strided forward are lines, those of a transposed one are separate runs
// over the results ("phases").
#pragma once

#include <algorithm>
#include <vector>

#include "array.h"

namespace rl {

constexpr int spatial = 3;  // dimensions; missing ones have size 1

// One dimension of a convolution: `source` elements are read, `results` are made.
struct Axis {
  int64_t source, results, kernel, stride, padding, dilation;
};

struct Tap {
  int64_t index, line, shift;  // within the kernel; what it reads
};

// Results first, first + step, ...: `count` of them.
struct Phase {
  int64_t first, count;
  std::vector<Tap> taps;
};

// How one dimension is packed, and read. Element q of a line is element start + q * step of the source, zero outside of it.
struct Lines {
  int64_t source, step, length, phase_step;
  std::vector<int64_t> starts;
  std::vector<Phase> phases;

  int64_t add(int64_t start) {
    const int64_t place = std::find(starts.begin(), starts.end(), start) - starts.begin();
    if (place == int64_t(starts.size())) starts.push_back(start);
    return place;
  }
};

inline int64_t remainder_of(int64_t a, int64_t b) { return (a % b + b) % b; }

// With `copies` every tap has a line of its own, so that no line is longer than the results: more to pack, less to compute.
inline Lines forward_lines(const Axis& a, bool copies) {
  Lines made{a.source, a.stride, a.results, 1, {}, {{0, a.results, {}}}};
  for (int64_t t = 0; t < a.kernel; ++t) {
    const int64_t place = t * a.dilation, shift = copies ? 0 : place / a.stride;
    made.phases[0].taps.push_back({t, made.add(place - shift * a.stride - a.padding), shift});
    made.length = std::max(made.length, a.results + shift);
  }
  return made;
}

inline Lines transposed_lines(const Axis& a, bool copies) {
  Lines made{a.source, 1, 0, a.stride, {}, {}};
  int64_t least = 0, most = 0;
  bool any = false;
  for (int64_t first = 0; first < std::min(a.stride, a.results); ++first) {
    Phase phase{first, (a.results - first + a.stride - 1) / a.stride, {}};
    for (int64_t t = 0; t < a.kernel; ++t) {
      const int64_t place = first + a.padding - t * a.dilation;
      if (remainder_of(place, a.stride) != 0) continue;
      const int64_t shift = place / a.stride;
      least = any ? std::min(least, shift) : shift;
      most = any ? std::max(most, shift) : shift;
      any = true;
      phase.taps.push_back({t, 0, shift});
    }
    made.length = std::max(made.length, phase.count);
    made.phases.push_back(std::move(phase));
  }
  if (!copies) {
    made.add(least);
    made.length += most - least;
  }
  for (Phase& phase : made.phases)
    for (Tap& tap : phase.taps) {
      if (copies) tap.line = made.add(tap.shift);
      tap.shift -= copies ? tap.shift : least;
    }
  if (!any && copies) made.add(0);  // no tap meets a result
  return made;
}

struct Plan {
  Lines axes[spatial];

  int64_t lines() const { return axes[0].starts.size() * axes[1].starts.size() * axes[2].starts.size(); }
  int64_t length() const { return axes[0].length * axes[1].length * axes[2].length; }
  // The furthest that a tap is shifted.
  int64_t reach() const {
    int64_t most[spatial] = {};
    for (int d = 0; d < spatial; ++d)
      for (const Phase& phase : axes[d].phases)
        for (const Tap& tap : phase.taps) most[d] = std::max(most[d], tap.shift);
    return (most[0] * axes[1].length + most[1]) * axes[2].length + most[2];
  }
};

// The plan that costs least, where a channel of the source goes into `uses` channels of results, `lanes` at once.
inline Plan plan_of(const Axis* axes, bool transposed, int64_t uses, int64_t lanes) {
  Lines choices[spatial][2];
  int64_t taps = 1;
  for (int d = 0; d < spatial; ++d) {
    taps *= axes[d].kernel;
    for (int copies = 0; copies < (axes[d].kernel > 1 ? 2 : 1); ++copies)
      choices[d][copies] = transposed ? transposed_lines(axes[d], copies) : forward_lines(axes[d], copies);
  }
  double least = -1;
  int best = 0;
  for (int choice = 0; choice < 8; ++choice) {
    double length = 1, lines = 1;
    bool exists = true;
    for (int d = 0; d < spatial; ++d) {
      const int copies = choice >> d & 1;
      if (copies && axes[d].kernel <= 1) exists = false;
      if (!exists) break;
      length *= double(choices[d][copies].length);
      lines *= double(choices[d][copies].starts.size());
    }
    const double cost = exists ? length * (double(taps) * double(uses) / double(lanes) + lines) : 0;
    if (exists && (least < 0 || cost < least)) least = cost, best = choice;
  }
  Plan plan;
  for (int d = 0; d < spatial; ++d) plan.axes[d] = std::move(choices[d][best >> d & 1]);
  return plan;
}

}  // namespace rl
