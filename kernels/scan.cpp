// Scans along one dimension. Arrays out..., in, all of one shape; numbers dim (i).
#include <complex>

#include "exponential.h"
#include "fold.h"

namespace rl::RL_ISA {
namespace {

// Neighbouring lines go together where they are closer in memory than the elements of one line.
constexpr int max_lines = 64;

template <class Op, class T, class O>
void scan_lines(const Op& op, const Array* outs, const Array& in, int dim) {
  const int64_t n = in.ndim ? in.shape[dim] : 1, step = in.ndim ? in.strides[dim] : 0;
  int64_t out_step[2] = {};
  MergedDims raw, lines;
  for (int o = 0; o < Op::outputs; ++o) out_step[o] = in.ndim ? outs[o].strides[dim] : 0;
  for (int d = in.ndim - 1; d >= 0; --d)
    if (d != dim && in.shape[d] != 1)
      raw.dims[raw.count++] = {in.shape[d], in.strides[d], {outs[0].strides[d], outs[Op::outputs - 1].strides[d]}};
  raw.sort();
  for (int d = 0; d < raw.count; ++d) lines.add(raw.dims[d]);
  if (n == 0 || lines.total == 0) return;

  const bool together = lines.count > 0 && std::llabs(lines.dims[0].in) < std::llabs(step);
  const Dim lane = lines.count > 0 ? lines.dims[0] : Dim{1, 0, {0, 0}};
  const int64_t width = together ? (lane.size < max_lines ? lane.size : max_lines) : 1;
  const int64_t blocks = (lane.size + width - 1) / width, tiles = lines.total / lane.size * blocks;
  const int64_t grain = n * width >= work_grain ? 1 : work_grain / (n * width);
  partition(tiles, grain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t first = t % blocks * width;
      const int64_t count = lane.size - first < width ? lane.size - first : width;
      int64_t place = t / blocks, x_at = first * lane.in, y_at[2] = {first * lane.out[0], first * lane.out[1]};
      for (int d = 1; d < lines.count; ++d) {
        const Dim& other = lines.dims[d];
        const int64_t i = place % other.size;
        place /= other.size;
        x_at += i * other.in;
        for (int o = 0; o < 2; ++o) y_at[o] += i * other.out[o];
      }
      const T* x = reinterpret_cast<const T*>(in.data) + x_at;
      O* y = outs[0].as<O>() + y_at[0];
      int64_t* indices = Op::outputs == 2 ? outs[1].as<int64_t>() + y_at[1] : nullptr;
      if (!together) {
        // A State of its own, which the compiler keeps in registers.
        typename Op::State s = op.identity();
        for (int64_t i = 0; i < n; ++i) {
          op.step(s, x[i * step], i);
          y[i * out_step[0]] = convert<O>(op.value(s));
          if constexpr (Op::outputs == 2) indices[i * out_step[1]] = s.index;
        }
        continue;
      }
      typename Op::State s[max_lines];
      for (int64_t k = 0; k < count; ++k) s[k] = op.identity();
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < count; ++k) {
          op.step(s[k], x[i * step + k * lane.in], i);
          y[i * out_step[0] + k * lane.out[0]] = convert<O>(op.value(s[k]));
          if constexpr (Op::outputs == 2) indices[i * out_step[1] + k * lane.out[1]] = s[k].index;
        }
    }
  });
}

template <class Op, class T>
void scan(const Op& op, const Array* outs, const Array& in, int64_t dim) {
  using Natural = typename Op::template Output<0>;
  if (outs[0].dtype == dtype_of<Natural>) return scan_lines<Op, T, Natural>(op, outs, in, int(dim));
  using Also = typename Op::template WideOutput<0>;
  if constexpr (!std::is_same_v<Natural, Also>)
    if (outs[0].dtype == dtype_of<Also>) return scan_lines<Op, T, Also>(op, outs, in, int(dim));
  no_kernel(Op::name, outs[0].dtype);
}

// Scans accumulate in twice the precision, as no tree bounds their error.
template <class T>
struct ScanStateOf {
  using type = std::conditional_t<is_floating<T>, std::conditional_t<is_half<T>, float, double>, uint64_t>;
};
template <class R>
struct ScanStateOf<Complex<R>> {
  using type = Complex<double>;
};

template <class T, bool product>
struct Accumulate {
  static constexpr const char* name = product ? "cumprod_out_cpu" : "cumsum_out_cpu";
  static constexpr int outputs = 1;
  using Natural = std::conditional_t<is_complex<T>, T, SumOutput<T>>;
  RL_OUTPUT(Natural, T)
  using State = typename ScanStateOf<T>::type;
  State identity() const {
    if constexpr (is_complex<T>)
      return {product ? 1.0 : 0.0, 0.0};
    else
      return product ? 1 : 0;
  }
  void step(State& s, const T& x, int64_t) const {
    const State v = convert<State>(x);
    if constexpr (is_complex<T>) {
      s = product ? State{s.re * v.re - s.im * v.im, s.re * v.im + s.im * v.re} : State{s.re + v.re, s.im + v.im};
    } else {
      s = product ? s * v : s + v;
    }
  }
  State value(const State& s) const { return s; }
};

// Among equal elements, and among NaNs, the last one counts.
template <class T, bool greatest>
struct RunningExtremum {
  static constexpr const char* name = greatest ? "cummax_cpu" : "cummin_cpu";
  static constexpr int outputs = 2;
  using Also = std::conditional_t<std::is_same_v<T, uint8_t>, bool, T>;
  RL_OUTPUT(T, Also)
  using S = Compute<T>;
  struct State {
    S value;
    int64_t index;
  };
  State identity() const { return {S{}, -1}; }
  void step(State& s, const T& x, int64_t i) const {
    const S v = convert<S>(x);
    if (s.index < 0 || v != v || (greatest ? v >= s.value : v <= s.value)) s = {v, i};
  }
  S value(const State& s) const { return s.value; }
};

template <class T>
struct LogAccumulate {
  static constexpr const char* name = "logcumsumexp";
  static constexpr int outputs = 1;
  RL_OUTPUT(T, T)
  using State = std::conditional_t<is_half<T>, float, double>;
  State identity() const { return -std::numeric_limits<State>::infinity(); }
  void step(State& s, const T& x, int64_t) const {
    const State v = convert<State>(x);
    const State high = v > s || v != v ? v : s, low = v > s ? s : v;
    s = __builtin_isinf(high) ? high : high + State(__builtin_log1p(scalar_exp(low - high)));
  }
  State value(State s) const { return s; }
};

// Of complex numbers: the one with the greater real part is taken out. The phase of a sum that is zero is that of the sum so far.
template <class T>
struct ComplexLogAccumulate {
  static constexpr const char* name = "logcumsumexp";
  static constexpr int outputs = 1;
  RL_OUTPUT(T, T)
  using State = Complex<double>;
  using Z = std::complex<double>;
  State identity() const { return {-std::numeric_limits<double>::infinity(), 0}; }
  void step(State& s, const T& x, int64_t) const {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    const Z sum(s.re, s.im), v(x.re, x.im);
    if (sum != sum || v != v) {
      s = {none, none};
      return;
    }
    const bool below = v.real() < sum.real();
    const Z low = below ? v : sum, high = below ? sum : v;
    Z made;
    if (std::isinf(high.real()) && low.real() == high.real()) {
      made = low.real() < 0 ? low : std::log(std::exp(low) + std::exp(high));
    } else {
      const Z part = std::exp(low - high);
      const double re = part.real(), im = part.imag(), angle = std::atan2(im, re + 1);
      // log |1 + part|, without the loss near 0.
      const double size = std::abs(part) < 0.5 ? std::log1p(re * (2 + re) + im * im) / 2 : std::log(std::hypot(re + 1, im));
      made = Z(size, angle) + high;
    }
    s = {made.real(), made.imag()};
  }
  State value(const State& s) const { return s; }
};

// cumsum, cumprod: arrays out, in; integers and booleans give int64 or their own dtype.
template <bool product>
void accumulate(const Array* a, int, const Number* numbers) {
  visit<group::all>(Accumulate<float, product>::name, a[1].dtype, [&]<class Element>(Type<Element>) {
    using T = typename Storage<Element>::type;
    scan<Accumulate<T, product>, T>({}, a, a[1], numbers[0].i);
  });
}

// cummax, cummin: arrays values, indices (int64), in.
template <bool greatest>
void running_extremum(const Array* a, int, const Number* numbers) {
  visit<group::ordered>(RunningExtremum<float, greatest>::name, a[2].dtype, [&]<class Element>(Type<Element>) {
    using T = typename Storage<Element>::type;
    scan<RunningExtremum<T, greatest>, T>({}, a, a[2], numbers[0].i);
  });
}

// logcumsumexp: arrays out, in; floating or complex.
void logcumsumexp(const Array* a, int, const Number* numbers) {
  visit<group::floating | group::complex>("logcumsumexp", a[1].dtype, [&]<class Element>(Type<Element>) {
    using T = typename Storage<Element>::type;
    if constexpr (is_complex<T>)
      scan<ComplexLogAccumulate<T>, T>({}, a, a[1], numbers[0].i);
    else
      scan<LogAccumulate<T>, T>({}, a, a[1], numbers[0].i);
  });
}

}  // namespace

void register_scan() {
  Register("cumsum", accumulate<false>);
  Register("cumprod", accumulate<true>);
  Register("cummax", running_extremum<true>);
  Register("cummin", running_extremum<false>);
  Register("logcumsumexp", logcumsumexp);
}

}  // namespace rl::RL_ISA
