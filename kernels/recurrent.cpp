// One layer of a recurrent net, over all steps. What comes of the input (its product with the weights, for all steps at once) is
// there already; here is what has to wait for the step before: its state times the weights, and the gates.
//
// Rows of all steps lie one after the other: step t has the first sizes[t] sequences of the batch, whose sizes fall. So the net
// runs over a row as long as its sequence lasts; backwards in time, a sequence begins where it is there.
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "exponential.h"
#include "panels.h"
#include "rows.h"

namespace rl::RL_ISA {
namespace {

template <class V>
inline __attribute__((always_inline)) V logistic(V x) {
  return 1 / (1 + exponential(-x));
}
template <class V>
inline __attribute__((always_inline)) V hyperbolic_tangent(V x) {
  if constexpr (std::is_floating_point_v<V>)
    return simd::tanh(x);
  else
    return each_lane(x, [](auto lane) { return simd::tanh(lane); });
}

// Where each step's rows begin, and the order of the steps.
struct Steps {
  int64_t count, batch;
  bool reverse;
  const int64_t* sizes;
  Scratch<int64_t> begins;

  // `sizes` may have null data: then the whole batch has every step.
  Steps(const Array& given, int64_t rows, int64_t batch, bool reverse)
      : count(given.data ? given.shape[0] : rows / batch),
        batch(batch),
        reverse(reverse),
        sizes(given.as<int64_t>()),
        begins(count + 1) {
    begins[0] = 0;
    for (int64_t t = 0; t < count; ++t) {
      const int64_t n = size(t);
      if (n < 1 || n > (t ? size(t - 1) : batch)) throw std::invalid_argument("batch_sizes must be positive, and not rise");
      begins[t + 1] = begins[t] + n;
    }
    if (begins[count] != rows) throw std::invalid_argument("batch_sizes must add up to the number of rows");
  }

  int64_t size(int64_t t) const { return sizes ? sizes[t] : batch; }
  // The s-th step that is run.
  int64_t at(int64_t s) const { return reverse ? count - 1 - s : s; }
  // The row of sequence r in the step before the s-th; -1 where it begins.
  int64_t before(int64_t s, int64_t r) const {
    if (s == 0) return -1;
    const int64_t t = at(s - 1);
    return r < size(t) ? begins[t] + r : -1;
  }
  // The row of the last step that sequence r has.
  int64_t last(int64_t r) const {
    int64_t t = reverse ? 0 : count - 1;
    while (size(t) <= r) --t;
    return begins[t] + r;
  }
};

// What a row (of a batch, or of all steps) of each array begins at.
template <class S>
struct Rows {
  S* data;
  int64_t width;
  explicit Rows(const Array& a) : data(a.as<S>()), width(a.data ? a.shape[1] : 0) {}
  S* operator[](int64_t row) const { return data ? data + row * width : nullptr; }
};

// Refuses what has not the sizes that the layer computes with, row-major, in its dtype. (What may be missing has no memory then.)
void require_rows(const char* name, const Array& a, DType dtype, std::initializer_list<int64_t> sizes, bool may_miss = false) {
  if (may_miss && !a.data) return;
  bool fits = a.dtype == dtype && a.ndim == int(sizes.size());
  int64_t step = 1;
  for (int d = a.ndim - 1; fits && d >= 0; step *= a.shape[d--])
    fits = a.shape[d] == sizes.begin()[d] && (a.shape[d] <= 1 || a.strides[d] == step);
  if (!fits) throw std::runtime_error(std::string(name) + ": the sizes of inputs, state and weights do not fit each other");
}

// The same for the weight (gates of units by units, of any strides), and for how many rows the steps have: at least one of all
// that there are, never more than before, and a batch at first.
void require_steps(const char* name, const Array& weight, const Array& sizes, DType dtype, int64_t rows, int64_t batch, int gates,
                   int64_t units) {
  bool fits = weight.dtype == dtype && weight.ndim == 2 && weight.shape[0] == gates * units && weight.shape[1] == units;
  if (!sizes.data) {
    fits = fits && batch > 0 && rows % batch == 0;
  } else {
    require_rows(name, sizes, DType::i64, {sizes.numel()});
    int64_t left = rows, last = batch;
    for (int64_t t = 0; t < sizes.numel(); left -= last, ++t) {
      const int64_t here = sizes.as<int64_t>()[t];
      fits = fits && here >= 1 && here <= last && (t || here == batch);
      last = here;
    }
    fits = fits && left == 0;
  }
  if (!fits) throw std::runtime_error(std::string(name) + ": the sizes of inputs, state and weights do not fit each other");
}

// Sequences are independent, so threads share them out; a chunk is large enough to make the matrix worth reading again.
template <class F>
void each_chunk(int64_t batch, int64_t work_of_row, const F& f) {
  const int64_t most = 2 * most_rows;
  const int64_t chunks = batch * work_of_row < 1 << 20 ? 1 : (batch + most - 1) / most;
  partition(batch, (batch + chunks - 1) / chunks, f);
}

// The kinds of cells. `forward` gets what the step before adds to the gates of units from j on, where the gates of a unit lie
// `apart`; `backward` gets the cotangent of the new state, and leaves those of what went into the gates and of the old state as
// far as it is not by way of them.
template <class S>
struct Lstm {
  static constexpr int gates = 4, vectors = 4;
  Rows<S> out, h_n, c_n, kept, cells;
  Rows<const S> given, h, c;
  const S* bias;

  explicit Lstm(const Array* a)
      : out(a[0]), h_n(a[1]), c_n(a[2]), kept(a[3]), cells(a[4]), given(a[5]), h(a[6]), c(a[7]), bias(a[9].as<S>()) {}

  template <class V>
  void forward(const S* sums, int apart, int64_t units, int64_t j, int64_t row, int64_t before, int64_t r) const {
    const S *x = given[row] + j, *old = (before < 0 ? c[r] : cells[before]) + j;
    V gate[4];
    for (int g = 0; g < 4; ++g) {
      gate[g] = get<V>(x + g * units) + get<V>(sums + g * apart);
      if (bias) gate[g] += get<V>(bias + g * units + j);
      gate[g] = g == 2 ? hyperbolic_tangent(gate[g]) : logistic(gate[g]);
      set<V>(kept[row] + g * units + j, gate[g]);
    }
    const V cell = gate[1] * get<V>(old) + gate[0] * gate[2];
    set<V>(cells[row] + j, cell);
    set<V>(out[row] + j, V(gate[3] * hyperbolic_tangent(cell)));
  }
};

template <class S>
struct Gru {
  static constexpr int gates = 3, vectors = 3;
  Rows<S> out, h_n, kept;
  Rows<const S> given, h;
  const S* bias;

  explicit Gru(const Array* a) : out(a[0]), h_n(a[1]), kept(a[3]), given(a[5]), h(a[6]), bias(a[9].as<S>()) {}

  template <class V>
  void forward(const S* sums, int apart, int64_t units, int64_t j, int64_t row, int64_t before, int64_t r) const {
    const S *x = given[row] + j, *old = (before < 0 ? h[r] : out[before]) + j;
    S* keep = kept[row] + j;
    V add[3];
    for (int g = 0; g < 3; ++g) {
      add[g] = get<V>(sums + g * apart);
      if (bias) add[g] += get<V>(bias + g * units + j);
    }
    const V reset = logistic(V(get<V>(x) + add[0])), update = logistic(V(get<V>(x + units) + add[1]));
    const V fresh = hyperbolic_tangent(V(get<V>(x + 2 * units) + reset * add[2]));
    set<V>(keep, reset);
    set<V>(keep + units, update);
    set<V>(keep + 2 * units, fresh);
    set<V>(keep + 3 * units, add[2]);
    set<V>(out[row] + j, V((get<V>(old) - fresh) * update + fresh));
  }
};

template <class S, bool relu>
struct Elman {
  static constexpr int gates = 1, vectors = 4;
  Rows<S> out, h_n;
  Rows<const S> given, h;
  const S* bias;

  explicit Elman(const Array* a) : out(a[0]), h_n(a[1]), given(a[5]), h(a[6]), bias(a[9].as<S>()) {}

  template <class V>
  void forward(const S* sums, int, int64_t, int64_t j, int64_t row, int64_t, int64_t) const {
    V state = get<V>(given[row] + j) + get<V>(sums);
    if (bias) state += get<V>(bias + j);
    if constexpr (relu)
      state = state < 0 ? V{} : state;
    else
      state = hyperbolic_tangent(state);
    set<V>(out[row] + j, state);
  }
};

// arrays out [rows, units], h_n [batch, units], c_n, kept [rows, 4 * units], cells [rows, units], given [rows, gates * units], h,
// c [batch, units], weight [gates * units, units], bias [gates * units] or null, sizes [steps] int64 or null; numbers reverse
// (i). Only an LSTM has c, c_n and cells (else null), and its `kept` may be `given`; an Elman net keeps nothing.
template <template <class> class Cell>
void run_layer(const char* name, const Array* a, const Number* numbers) {
  visit<group::real>(name, a[0].dtype, [&]<class S>(Type<S>) {
    using C = Cell<S>;
    using Weight = Panels<S, C::vectors>;
    const int64_t units = a[0].shape[1], batch = a[1].shape[0];
    const int64_t rows = a[0].shape[0];
    if (batch == 0 && rows == 0) return;
    constexpr bool has_cells = C::gates == 4;
    for (int i : {1, 6}) require_rows(name, a[i], a[0].dtype, {batch, units});
    for (int i : {2, 7})
      if (has_cells) require_rows(name, a[i], a[0].dtype, {batch, units});
    if (has_cells) require_rows(name, a[4], a[0].dtype, {rows, units});
    if (C::gates > 1) require_rows(name, a[3], a[0].dtype, {rows, 4 * units});
    require_rows(name, a[5], a[0].dtype, {rows, C::gates * units});
    require_rows(name, a[9], a[0].dtype, {C::gates * units}, true);
    require_steps(name, a[8], a[10], a[0].dtype, rows, batch, C::gates, units);
    const C cell(a);
    const Steps steps(a[10], a[0].shape[0], batch, numbers[0].i != 0);
    const Weight weight(a[8].as<S>(), a[8].strides[1], a[8].strides[0], units, C::gates, units);
    const int64_t step = C::gates == 1 ? Weight::across : Weight::lanes;
    each_chunk(batch, steps.count * units * units * C::gates, [&](int64_t begin, int64_t end) {
      S sums[most_rows][Weight::across];
      for (int64_t s = 0; s < steps.count; ++s) {
        const int64_t t = steps.at(s), here = steps.size(t), first_row = steps.begins[t];
        for (int64_t p = 0; p < weight.count(); ++p)
          each_block(begin, here < end ? here : end, [&](int64_t first, int count) {
            const S* states[most_rows];
            for (int i = 0; i < count; ++i) {
              const int64_t before = steps.before(s, first + i);
              states[i] = before < 0 ? cell.h[first + i] : cell.out[before];
            }
            weight.product(sums, states, count, p);
            const int64_t j0 = p * step, filled = units - j0 < step ? units - j0 : step;
            for (int i = 0; i < count; ++i) {
              const int64_t r = first + i, before = steps.before(s, r);
              vector_loop<S>(0, filled, [&]<class V>(int64_t j, Type<V>) __attribute__((always_inline)) {
                cell.template forward<V>(sums[i] + j, Weight::lanes, units, j0 + j, first_row + r, before, r);
              });
            }
          });
      }
      for (int64_t r = begin; r < end; ++r) {
        __builtin_memcpy(cell.h_n[r], cell.out[steps.last(r)], size_t(units) * sizeof(S));
        if constexpr (C::gates == 4) __builtin_memcpy(cell.c_n[r], cell.cells[steps.last(r)], size_t(units) * sizeof(S));
      }
    });
  });
}

// What backward knows of a row: where it was before, what was kept, and the cotangents of what it made.
template <class S>
struct Gradients {
  Rows<S> given, added, before, h, c;  // written
  Rows<const S> out, kept, cells, h0, c0;
  Rows<const S> g_out, g_h, g_c;

  explicit Gradients(const Array* a)
      : given(a[0]),
        added(a[1]),
        before(a[2]),
        h(a[3]),
        c(a[4]),
        out(a[5]),
        kept(a[6]),
        cells(a[7]),
        h0(a[8]),
        c0(a[9]),
        g_out(a[11]),
        g_h(a[12]),
        g_c(a[13]) {}
};

// One row at a place j: from g, the cotangent of the new state, to that of what went into the gates; `h` gets what reaches the
// old state past them, `c` is the cotangent of the cells.
template <class S>
struct LstmGradient {
  static constexpr int gates = 4;
  template <class V>
  static void run(const Gradients<S>& a, V g, S* h, S* c, int64_t units, int64_t j, int64_t row, int64_t before, int64_t r) {
    const S* keep = a.kept[row] + j;
    const V in = get<V>(keep), forget = get<V>(keep + units), fresh = get<V>(keep + 2 * units), shown = get<V>(keep + 3 * units);
    const V bent = hyperbolic_tangent(get<V>(a.cells[row] + j)), old = get<V>((before < 0 ? a.c0[r] : a.cells[before]) + j);
    const V cell = get<V>(c + j) + g * shown * (1 - bent * bent);
    S* made = a.given[row] + j;
    set<V>(made, V(cell * fresh * in * (1 - in)));
    set<V>(made + units, V(cell * old * forget * (1 - forget)));
    set<V>(made + 2 * units, V(cell * in * (1 - fresh * fresh)));
    set<V>(made + 3 * units, V(g * bent * shown * (1 - shown)));
    set<V>(c + j, V(cell * forget));
    set<V>(h + j, V{});
  }
};

template <class S>
struct GruGradient {
  static constexpr int gates = 3;
  template <class V>
  static void run(const Gradients<S>& a, V g, S* h, S*, int64_t units, int64_t j, int64_t row, int64_t before, int64_t r) {
    const S* keep = a.kept[row] + j;
    const V reset = get<V>(keep), update = get<V>(keep + units), fresh = get<V>(keep + 2 * units),
            added = get<V>(keep + 3 * units);
    const V old = get<V>((before < 0 ? a.h0[r] : a.out[before]) + j);
    const V to_fresh = g * (1 - update) * (1 - fresh * fresh), to_reset = to_fresh * added * reset * (1 - reset);
    const V to_update = g * (old - fresh) * update * (1 - update);
    S *made = a.given[row] + j, *other = a.added[row] + j;
    set<V>(made, to_reset);
    set<V>(made + units, to_update);
    set<V>(made + 2 * units, to_fresh);
    set<V>(other, to_reset);
    set<V>(other + units, to_update);
    set<V>(other + 2 * units, V(to_fresh * reset));
    set<V>(h + j, V(g * update));
  }
};

template <class S, bool relu>
struct ElmanGradient {
  static constexpr int gates = 1;
  template <class V>
  static void run(const Gradients<S>& a, V g, S* h, S*, int64_t, int64_t j, int64_t row, int64_t, int64_t) {
    const V state = get<V>(a.out[row] + j);
    if constexpr (relu)
      set<V>(a.given[row] + j, V(state > 0 ? g : V{}));
    else
      set<V>(a.given[row] + j, V(g * (1 - state * state)));
    set<V>(h + j, V{});
  }
};

// arrays d_given [rows, gates * units], d_added (a GRU's, where it is not d_given; else null), before [rows, units] (the state
// before each row), d_h [batch, units], d_c (or null), then out, kept, cells, h, c and weight as above, the cotangents g_out,
// g_h, g_c (each may be null), and sizes; numbers reverse (i).
template <template <class> class Cell>
void run_layer_gradient(const char* name, const Array* a, const Number* numbers) {
  visit<group::real>(name, a[0].dtype, [&]<class S>(Type<S>) {
    using C = Cell<S>;
    using Weight = Panels<S, 4>;
    const int64_t units = a[2].shape[1], batch = a[3].shape[0], width = C::gates * units;
    const int64_t rows = a[0].shape[0];
    if (batch == 0 && rows == 0) return;
    constexpr bool has_cells = C::gates == 4;
    require_rows(name, a[0], a[0].dtype, {rows, width});
    require_rows(name, a[1], a[0].dtype, {rows, width}, true);
    for (int i : {2, 5}) require_rows(name, a[i], a[0].dtype, {rows, units});
    for (int i : {3, 8}) require_rows(name, a[i], a[0].dtype, {batch, units});
    for (int i : {4, 9})
      if (has_cells) require_rows(name, a[i], a[0].dtype, {batch, units});
    if (C::gates > 1) require_rows(name, a[6], a[0].dtype, {rows, 4 * units});
    if (has_cells) require_rows(name, a[7], a[0].dtype, {rows, units});
    require_rows(name, a[11], a[0].dtype, {rows, units}, true);
    for (int i : {12, 13}) require_rows(name, a[i], a[0].dtype, {batch, units}, true);
    require_steps(name, a[10], a[14], a[0].dtype, rows, batch, C::gates, units);
    const Gradients<S> to(a);
    const Rows<S>& added = to.added.data ? to.added : to.given;
    const Steps steps(a[14], a[0].shape[0], batch, numbers[0].i != 0);
    const Weight weight(a[10].as<S>(), a[10].strides[0], a[10].strides[1], width, 1, units);
    each_chunk(batch, steps.count * units * width, [&](int64_t begin, int64_t end) {
      S sums[most_rows][Weight::across];
      auto start = [&](const Rows<S>& made, const Rows<const S>& g) {
        if (!made.data) return;
        for (int64_t i = begin * units; i < end * units; ++i) made.data[i] = g.data ? g.data[i] : S(0);
      };
      start(to.h, to.g_h);
      start(to.c, to.g_c);
      for (int64_t s = steps.count - 1; s >= 0; --s) {
        const int64_t t = steps.at(s), here = steps.size(t), stop = here < end ? here : end;
        for (int64_t r = begin; r < stop; ++r) {
          const int64_t row = steps.begins[t] + r, before = steps.before(s, r);
          const S* g = to.g_out[row];
          vector_loop<S>(0, units, [&]<class V>(int64_t j, Type<V>) __attribute__((always_inline)) {
            V total = get<V>(to.h[r] + j);
            if (g) total += get<V>(g + j);
            C::template run<V>(to, total, to.h[r], to.c[r], units, j, row, before, r);
          });
          __builtin_memcpy(to.before[row], before < 0 ? to.h0[r] : to.out[before], size_t(units) * sizeof(S));
        }
        for (int64_t p = 0; p < weight.count(); ++p)
          each_block(begin, stop, [&](int64_t first, int count) {
            const S* made[most_rows];
            for (int i = 0; i < count; ++i) made[i] = added[steps.begins[t] + first + i];
            weight.product(sums, made, count, p);
            const int64_t j0 = p * Weight::across, filled = units - j0 < Weight::across ? units - j0 : int64_t(Weight::across);
            for (int i = 0; i < count; ++i) {
              S* h = to.h[first + i] + j0;
              for (int64_t j = 0; j < filled; ++j) h[j] += sums[i][j];
            }
          });
      }
    });
  });
}

template <class S>
using TanhCell = Elman<S, false>;
template <class S>
using ReluCell = Elman<S, true>;
template <class S>
using TanhGradient = ElmanGradient<S, false>;
template <class S>
using ReluGradient = ElmanGradient<S, true>;

}  // namespace

void register_recurrent() {
  Register("lstm_layer", [](const Array* a, int, const Number* n) { run_layer<Lstm>("lstm_layer", a, n); });
  Register("gru_layer", [](const Array* a, int, const Number* n) { run_layer<Gru>("gru_layer", a, n); });
  Register("rnn_tanh_layer", [](const Array* a, int, const Number* n) { run_layer<TanhCell>("rnn_tanh_layer", a, n); });
  Register("rnn_relu_layer", [](const Array* a, int, const Number* n) { run_layer<ReluCell>("rnn_relu_layer", a, n); });
  Register("lstm_layer_gradient",
           [](const Array* a, int, const Number* n) { run_layer_gradient<LstmGradient>("lstm_layer_gradient", a, n); });
  Register("gru_layer_gradient",
           [](const Array* a, int, const Number* n) { run_layer_gradient<GruGradient>("gru_layer_gradient", a, n); });
  Register("rnn_tanh_layer_gradient",
           [](const Array* a, int, const Number* n) { run_layer_gradient<TanhGradient>("rnn_tanh_layer_gradient", a, n); });
  Register("rnn_relu_layer_gradient",
           [](const Array* a, int, const Number* n) { run_layer_gradient<ReluGradient>("rnn_relu_layer_gradient", a, n); });
}

}  // namespace rl::RL_ISA
