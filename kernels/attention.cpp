// Attention by blocks of queries, so that no matrix of all scores is there at once: for each block the scores, their softmax and
// the product with the values, by BLAS. float32 and float64.
#include <cblas.h>

#include "neural_softmax.h"

namespace rl::RL_ISA {
namespace {

void use_one_blas_thread() {
  static const bool done = (scipy_openblas_set_num_threads64_(1), true);
  (void)done;
}

// out [m, n] = alpha a [m, k] @ b [k, n] + beta out, where `ta` or `tb` say that a or b lie transposed; rows are `l…` elements
// apart.
template <class S>
void multiply(S* out, int64_t lo, const S* a, int64_t la, bool ta, const S* b, int64_t lb, bool tb, int64_t m, int64_t n,
              int64_t k, S alpha, S beta) {
  const auto at = ta ? CblasTrans : CblasNoTrans, bt = tb ? CblasTrans : CblasNoTrans;
  if constexpr (std::is_same_v<S, float>)
    scipy_cblas_sgemm64_(CblasRowMajor, at, bt, m, n, k, alpha, a, la, b, lb, beta, out, lo);
  else
    scipy_cblas_dgemm64_(CblasRowMajor, at, bt, m, n, k, alpha, a, la, b, lb, beta, out, lo);
}

// An array [batch, heads, rows, width] whose rows are dense.
template <class S>
struct Heads {
  S* data;
  int64_t batch, head, row;
  explicit Heads(const Array& a) : data(a.as<S>()), batch(a.strides[0]), head(a.strides[1]), row(a.strides[2]) {}
  S* at(int64_t b, int64_t h, int64_t i) const { return data + b * batch + h * head + i * row; }
};

// What is added to the scores: numbers, or truths, which say what is seen.
template <class S>
struct Mask {
  const Array& a;
  bool is_truth;
  explicit Mask(const Array& a) : a(a), is_truth(a.data && a.dtype == DType::boolean) {}

  void add(S* scores, int64_t b, int64_t h, int64_t i, int64_t n) const {
    if (!a.data) return;
    const int64_t begin = b * a.strides[0] + h * a.strides[1] + i * a.strides[2], step = a.strides[3];
    if (is_truth) {
      const bool* seen = a.as<bool>() + begin;
      for (int64_t j = 0; j < n; ++j) scores[j] = seen[j * step] ? scores[j] : -std::numeric_limits<S>::infinity();
    } else {
      const S* more = a.as<S>() + begin;
      for (int64_t j = 0; j < n; ++j) scores[j] += more[j * step];
    }
  }
};

// Sizes, and the scores of a block of queries.
template <class S>
struct Attention {
  static constexpr int64_t block = 64;
  Heads<const S> q, k, v;
  Mask<S> mask;
  int64_t batch, heads, kept_heads, queries, keys, width;
  S scale;
  bool causal;

  Attention(const Array& query, const Array& key, const Array& value, const Array& mask, const Number* numbers)
      : q(query),
        k(key),
        v(value),
        mask(mask),
        batch(query.shape[0]),
        heads(query.shape[1]),
        kept_heads(key.shape[1]),
        queries(query.shape[2]),
        keys(key.shape[2]),
        width(query.shape[3]),
        scale(S(numbers[0].f)),
        causal(numbers[1].i != 0) {}

  // Several heads of queries may have one of keys.
  int64_t group() const { return heads / kept_heads; }
  int64_t end_of(int64_t begin) const { return begin + block < queries ? begin + block : queries; }
  // How many keys the queries before `end` see.
  int64_t seen(int64_t end) const { return causal && end < keys ? end : keys; }

  // scores [end - begin, seen(end)], with minus infinity for what is not seen.
  void find_scores(S* scores, int64_t b, int64_t h, int64_t begin, int64_t end) const {
    const int64_t n = seen(end);
    multiply<S>(scores, n, q.at(b, h, begin), q.row, false, k.at(b, h / group(), 0), k.row, true, end - begin, n, width, scale,
                0);
    for (int64_t i = begin; i < end; ++i) {
      S* row = scores + (i - begin) * n;
      mask.add(row, b, h, i, n);
      if (causal)
        for (int64_t j = i + 1; j < n; ++j) row[j] = -std::numeric_limits<S>::infinity();
    }
  }
};

// attention: arrays out [batch, heads, queries, width], lse (the logarithm of the sum of the scores' exponentials) [batch, heads,
// queries], q, k, v [batch, heads or a divisor, keys, width], mask [batch, heads, queries, keys] (truths or numbers) or null;
// numbers scale (f), causal (i). Rows of all but the mask are dense.
void attention(const Array* a, int, const Number* numbers) {
  use_one_blas_thread();
  visit<group::real>("attention", a[0].dtype, [&]<class S>(Type<S>) {
    const Attention<S> x(a[2], a[3], a[4], a[5], numbers);
    const Heads<S> out(a[0]);
    S* lse = a[1].as<S>();
    const int64_t blocks = (x.queries + x.block - 1) / x.block, total = x.batch * x.heads * blocks;
    const int64_t work = x.block * x.keys * x.width;
    partition(total, work >= 1 << 19 ? 1 : (1 << 19) / (work + 1) + 1, [&](int64_t first, int64_t last) {
      Scratch<S> scores(x.block * x.keys);
      for (int64_t t = first; t < last; ++t) {
        const int64_t begin = t % blocks * x.block, end = x.end_of(begin), h = t / blocks % x.heads, b = t / blocks / x.heads;
        const int64_t n = x.seen(end);
        x.find_scores(scores.get(), b, h, begin, end);
        for (int64_t i = begin; i < end; ++i) {
          S* row = scores.get() + (i - begin) * n;
          const S most = greatest_of(row, n);
          // A query that sees nothing gets nothing.
          const bool blind = most == -std::numeric_limits<S>::infinity();
          const S sum = blind ? S(0) : exponentials_of(row, row, n, most), factor = blind ? S(0) : 1 / sum;
          for (int64_t j = 0; j < n; ++j) row[j] = blind ? S(0) : row[j] * factor;
          lse[(b * x.heads + h) * x.queries + i] = blind ? most : most + scalar_log(sum);
        }
        multiply<S>(out.at(b, h, begin), out.row, scores.get(), n, false, x.v.at(b, h / x.group(), 0), x.v.row, false,
                    end - begin, x.width, n, 1, 0);
      }
    });
  });
}

// attention_gradient: arrays dq, dk, dv, then g, q, k, v, out, lse and mask as above; numbers scale (f), causal (i).
void attention_gradient(const Array* a, int, const Number* numbers) {
  use_one_blas_thread();
  visit<group::real>("attention_gradient", a[0].dtype, [&]<class S>(Type<S>) {
    const Attention<S> x(a[4], a[5], a[6], a[9], numbers);
    const Heads<S> dq(a[0]), dk(a[1]), dv(a[2]);
    const Heads<const S> g(a[3]), out(a[7]);
    const S* lse = a[8].as<S>();
    partition(x.batch * x.kept_heads, 1, [&](int64_t first, int64_t last) {
      Scratch<S> weights(x.block * x.keys), slopes(x.block * x.keys);
      S *p = weights.get(), *d = slopes.get();
      for (int64_t t = first; t < last; ++t) {
        const int64_t kept = t % x.kept_heads, b = t / x.kept_heads;
        for (int64_t j = 0; j < x.keys; ++j)
          for (int64_t i = 0; i < x.width; ++i) dk.at(b, kept, j)[i] = dv.at(b, kept, j)[i] = 0;
        for (int64_t h = kept * x.group(); h < (kept + 1) * x.group(); ++h)
          for (int64_t begin = 0; begin < x.queries; begin += x.block) {
            const int64_t end = x.end_of(begin), rows = end - begin, n = x.seen(end);
            x.find_scores(p, b, h, begin, end);
            multiply<S>(d, n, g.at(b, h, begin), g.row, false, x.v.at(b, kept, 0), x.v.row, true, rows, n, x.width, 1, 0);
            for (int64_t i = begin; i < end; ++i) {
              const S whole = lse[(b * x.heads + h) * x.queries + i], *gradient = g.at(b, h, i), *made = out.at(b, h, i);
              const bool blind = whole == -std::numeric_limits<S>::infinity();
              const S along = sum_row<S>(x.width, [&]<class V>(int64_t j, Type<V>) __attribute__((always_inline)) {
                return V(get<V>(gradient + j) * get<V>(made + j));
              });
              S *weight = p + (i - begin) * n, *slope = d + (i - begin) * n;
              vector_loop<S>(0, n, [&]<class V>(int64_t j, Type<V>) __attribute__((always_inline)) {
                const V w = blind ? V{} : exponential(V(get<V>(weight + j) - whole));
                set<V>(weight + j, w);
                set<V>(slope + j, V(w * (get<V>(slope + j) - along)));
              });
            }
            multiply<S>(dv.at(b, kept, 0), dv.row, p, n, true, g.at(b, h, begin), g.row, false, n, x.width, rows, 1, 1);
            multiply<S>(dk.at(b, kept, 0), dk.row, d, n, true, x.q.at(b, h, begin), x.q.row, false, n, x.width, rows, x.scale, 1);
            multiply<S>(dq.at(b, h, begin), dq.row, d, n, false, x.k.at(b, kept, 0), x.k.row, false, rows, x.width, n, x.scale,
                        0);
          }
      }
    });
  });
}

}  // namespace

void register_attention() {
  Register("attention", attention);
  Register("attention_gradient", attention_gradient);
}

}  // namespace rl::RL_ISA
