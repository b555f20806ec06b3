// Reductions of one instruction set: ops for the driver in reduction.h. An op is a monoid over a State:
//
//   identity()                      the State of no elements
//   merge(a, b)                     a becomes a then b
//   run(s, p, n, stride, index)     s takes in n elements for one output; `index` is the first one's place in the reduction
//   rows(s, lanes, lane_stride, p, n, row_stride, index)    the same for `lanes` neighbouring outputs at once
//   result<which>(s)                the value of an output
#pragma once

#include "lanes.h"
#include "reduction.h"

namespace rl::RL_ISA {
namespace {

template <int which, class Op>
void write_results(const Op& op, const Array& out, int64_t offset, int64_t stride, const typename Op::State* s, int n) {
  auto write = [&]<class O>(Type<O>) {
    O* p = out.as<O>() + offset;
    for (int k = 0; k < n; ++k) p[k * stride] = convert<O>(op.template result<which>(s[k]));
  };
  using Natural = typename Op::template Output<which>;
  if (out.dtype == dtype_of<Natural>) return write(Type<Natural>{});
  using Wide = typename Op::template WideOutput<which>;
  if constexpr (!std::is_same_v<Natural, Wide>)
    if (out.dtype == dtype_of<Wide>) return write(Type<Wide>{});
  no_kernel(op.name, out.dtype);
}

// What the driver calls, for one op and type of elements.
template <class Op, class T>
struct Reducing {
  using State = typename Op::State;
  static_assert(std::is_trivially_copyable_v<State> && alignof(State) <= 16);

  static const Op& of(const void* op) { return *static_cast<const Op*>(op); }

  // (Called from two places, and long: not copied into both.)
  [[gnu::noinline]] static void run(const Op& op, State& s, const T* p, int64_t n, int64_t stride, int64_t index) {
    op.run(s, p, n, stride, index);
  }

  // One call for each run along the innermost dimension.
  static void leaf(const void* self, const ReducePlan& plan, const char* data, int lanes, int64_t begin, int64_t end,
                   char* states) {
    const Op& op = of(self);
    const T* p = reinterpret_cast<const T*>(data);
    State* s = reinterpret_cast<State*>(states);
    for (int k = 0; k < lanes; ++k) s[k] = op.identity();
    const MergedDims& r = plan.reduced;
    const int64_t lane_stride = plan.kept.count ? plan.kept.dims[0].in : 0;
    const int64_t inner = r.count ? r.dims[0].size : 1, stride = r.count ? r.dims[0].in : 0;
    int64_t at = begin;
    while (at < end) {
      // A division takes as long as many elements: none where there is one dimension.
      int64_t first = at, offset = at * stride;
      if (r.count > 1) {
        int64_t place = at / inner;
        first = at % inner;
        offset = first * stride;
        for (int d = 1; d < r.count; ++d) {
          offset += place % r.dims[d].size * r.dims[d].in;
          place /= r.dims[d].size;
        }
      }
      const int64_t n = inner - first < end - at ? inner - first : end - at;
      if (plan.lanes == 1)
        run(op, s[0], p + offset, n, stride, at);
      else
        op.rows(s, lanes, lane_stride, p + offset, n, stride, at);
      at += n;
    }
  }

  static void merge(const void* op, char* a, const char* b, int lanes) {
    for (int k = 0; k < lanes; ++k) of(op).merge(reinterpret_cast<State*>(a)[k], reinterpret_cast<const State*>(b)[k]);
  }

  static void finish(const void* op, const Array* outs, const int64_t* offset, const int64_t* stride, const char* states, int n) {
    const State* s = reinterpret_cast<const State*>(states);
    write_results<0>(of(op), outs[0], offset[0], stride[0], s, n);
    if constexpr (Op::outputs == 2) write_results<1>(of(op), outs[1], offset[1], stride[1], s, n);
  }
};

template <class Op, class T>
void reduce(const Op& op, const Array* outs, const Array& in) {
  using State = typename Op::State;
  using Calls = Reducing<Op, T>;
  if (in.ndim <= 1 && (in.ndim == 0 || outs[0].shape[0] == 1)) {
    // One short run needs no plan.
    const int64_t n = in.ndim ? in.shape[0] : 1;
    if (n <= leaf_elements) {
      constexpr int64_t none[2] = {0, 0};
      State s = op.identity();
      Calls::run(op, s, reinterpret_cast<const T*>(in.data), n, in.ndim ? in.strides[0] : 1, 0);
      return Calls::finish(&op, outs, none, none, reinterpret_cast<const char*>(&s), 1);
    }
  }
  run_reduction({&op, sizeof(State), sizeof(T), Op::outputs, Op::ordered, Calls::leaf, Calls::merge, Calls::finish}, outs, in);
}

}  // namespace
}  // namespace rl::RL_ISA
