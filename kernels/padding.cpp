// Tensors with more at their edges, or less: a constant, or numbers of their own.
#include <cstring>
#include <stdexcept>
#include <vector>

#include "registry.h"
#include "threads.h"

namespace rl {
namespace {

enum class Edge : int64_t { constant, reflect, replicate, circular };

// A padded dimension: which place of the input each of the result shows, -1 where that is the constant; those of [first, last)
// lie one after the other.
struct Line {
  int64_t in, out, first = 0, last = 0;
  std::vector<int64_t> source;

  Line(int64_t in, int64_t out, int64_t before, int64_t after, Edge edge) : in(in), out(out), source(out) {
    const int64_t low = before < 0 ? -before : 0, kept = in - low - (after < 0 ? -after : 0);
    for (int64_t o = 0; o < out; ++o) {
      int64_t place = o - before;
      if (edge == Edge::constant) {
        if (place < 0 || place >= in) place = -1;
      } else if (edge == Edge::reflect) {
        place = place < 0 ? -place : place;
        place = place > in - 1 ? 2 * (in - 1) - place : place;
      } else if (edge == Edge::replicate) {
        place = place < 0 ? 0 : place > in - 1 ? in - 1 : place;
      } else if (kept > 0) {
        place = low + ((place - low) % kept + kept) % kept;
      }
      if (place < (edge == Edge::constant ? -1 : 0) || place >= in) throw std::invalid_argument("a padding that reaches nowhere");
      source[o] = place;
      if (place < 0 || place != o - before) continue;
      if (first == last) first = o;
      last = o + 1;
    }
  }
};

// Planes of up to three padded dimensions, whose elements are `inner` numbers. Numbers: how many dimensions are padded, whether
// arrays are channels last, the mode, the constant (f), then before and after for each dimension, the first one first.
struct Padding {
  std::vector<Line> lines;  // three
  int64_t planes = 1, inner = 1;

  Padding(const Array& in, const Array& out, const Number* n) {
    const int count = int(n[0].i), lead = in.ndim - count;
    for (int d = 0; d < lead; ++d) planes *= in.shape[d];
    if (n[1].i) inner = in.shape[1], planes = in.shape[0];
    for (int d = count; d < 3; ++d) lines.emplace_back(1, 1, 0, 0, Edge::constant);
    for (int d = 0; d < count; ++d)
      lines.emplace_back(in.shape[lead + d], out.shape[lead + d], n[4 + 2 * d].i, n[5 + 2 * d].i, Edge(n[2].i));
  }
  int64_t rows_in() const { return lines[0].in * lines[1].in; }
  int64_t rows_out() const { return lines[0].out * lines[1].out; }
  // The row of the input that a row of the result shows, or -1.
  int64_t row_of(int64_t row) const {
    const int64_t d = lines[0].source[row / lines[1].out], h = lines[1].source[row % lines[1].out];
    return d < 0 || h < 0 ? -1 : d * lines[1].in + h;
  }
};

template <class T>
void fill(char* out, int64_t count, const char* value) {
  T each;
  std::memcpy(&each, value, sizeof(T));
  std::fill_n(reinterpret_cast<T*>(out), count, each);
}

// pad: arrays out, in, of one dtype. (A constant other than 0 is one of float32 or float64.)
void pad(const Array* a, int, const Number* n) {
  const Padding padding(a[1], a[0], n);
  const Line& line = padding.lines[2];
  const int64_t item = item_size(a[0].dtype), block = padding.inner * item;
  char value[16] = {};
  const float single = float(n[3].f);
  a[0].dtype == DType::f32 ? std::memcpy(value, &single, 4) : std::memcpy(value, &n[3].f, 8);
  auto fill_with = [&](char* out, int64_t elements) {
    const int64_t count = elements * padding.inner;
    if (n[3].f == 0)
      std::memset(out, 0, size_t(count * item));
    else
      item == 4 ? fill<float>(out, count, value) : fill<double>(out, count, value);
  };
  auto copy = [&](char* out, const char* in) {
    block == 4 ? std::memcpy(out, in, 4) : block == 8 ? std::memcpy(out, in, 8) : std::memcpy(out, in, size_t(block));
  };
  auto edge = [&](char* out, const char* in, int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o)
      line.source[o] < 0 ? fill_with(out + o * block, 1) : copy(out + o * block, in + line.source[o] * block);
  };
  const int64_t rows = padding.rows_out(), cost = line.out * padding.inner;
  parallel_for(padding.planes * rows, cost >= 32768 ? 1 : 32768 / (cost + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      char* out = a[0].data + r * line.out * block;
      const int64_t row = padding.row_of(r % rows);
      if (row < 0) {
        fill_with(out, line.out);
        continue;
      }
      const char* in = a[1].data + (r / rows * padding.rows_in() + row) * line.in * block;
      edge(out, in, 0, line.first);
      if (line.first < line.last)
        std::memcpy(out + line.first * block, in + line.source[line.first] * block, size_t((line.last - line.first) * block));
      edge(out, in, line.last, line.out);
    }
  });
}

// pad_gradient: arrays dx, g: the numbers of g added up where they came from.
void pad_gradient(const Array* a, int, const Number* n) {
  const Padding padding(a[0], a[1], n);
  const Line& line = padding.lines[2];
  visit<group::real>("pad_gradient", a[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const int64_t inner = padding.inner, size = padding.rows_in() * line.in * inner, rows = padding.rows_out();
    parallel_for(padding.planes, size >= 32768 ? 1 : 32768 / (size + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        T* plane = a[0].as<T>() + p * size;
        std::fill_n(plane, size, T(0));
        for (int64_t r = 0; r < rows; ++r) {
          const int64_t row = padding.row_of(r);
          if (row < 0) continue;
          const T* g = a[1].as<T>() + (p * rows + r) * line.out * inner;
          T* dx = plane + row * line.in * inner;
          auto add = [&](int64_t o, int64_t count) {
            if (line.source[o] < 0) return;
            T* to = dx + line.source[o] * inner;
            const T* from = g + o * inner;
            for (int64_t i = 0; i < count * inner; ++i) to[i] += from[i];
          };
          for (int64_t o = 0; o < line.first; ++o) add(o, 1);
          if (line.first < line.last) add(line.first, line.last - line.first);
          for (int64_t o = line.last; o < line.out; ++o) add(o, 1);
        }
      }
    });
  });
}

const Register pad_("pad", pad), pad_gradient_("pad_gradient", pad_gradient);

}  // namespace
}  // namespace rl
