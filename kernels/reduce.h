// The driver of every reduction. An op is a monoid over a State:
//
//   identity()                      the State of no elements
//   merge(a, b)                     a becomes a then b
//   run(s, p, n, stride, index)     s takes in n elements for one output; `index` is the first one's place in the reduction
//   rows(s, lanes, lane_stride, p, n, row_stride, index)    the same for `lanes` neighbouring outputs at once
//   result<which>(s)                the value of an output
//
// The driver orders and merges dimensions, then cuts the reduction into leaves that it combines as a balanced binary tree
// (pairwise summation: the rounding error grows with log n). Leaves and tree depend on shape and strides alone.
#pragma once

#include "lanes.h"

namespace rl::RL_ISA {
namespace {

constexpr int max_tile = 256;  // outputs taken together where they are the fastest dimension
constexpr int64_t leaf_elements = 2048;
constexpr int64_t leaf_rows = 64;

struct Dim {
  int64_t size, in, out[2];
};

// Dimensions innermost first, neighbours merged.
struct Dims {
  int count = 0;
  int64_t total = 1;
  Dim dims[max_dims];

  void add(const Dim& dim) {
    total *= dim.size;
    if (count > 0) {
      Dim& last = dims[count - 1];
      if (dim.in == last.in * last.size && dim.out[0] == last.out[0] * last.size && dim.out[1] == last.out[1] * last.size) {
        last.size *= dim.size;
        return;
      }
    }
    dims[count++] = dim;
  }

  void sort() {
    for (int i = 1; i < count; ++i)
      for (int j = i; j > 0 && std::llabs(dims[j].in) < std::llabs(dims[j - 1].in); --j) {
        const Dim swapped = dims[j];
        dims[j] = dims[j - 1];
        dims[j - 1] = swapped;
      }
  }
};

struct ReducePlan {
  Dims kept, reduced;
  int lanes = 1;  // outputs in a tile, along kept.dims[0]
  int64_t leaf = leaf_elements;
};

// `ordered` keeps the reduced dimensions in their order, so that an element's place is its index.
inline void plan_reduction(ReducePlan& plan, const Array* outs, int out_count, const Array& in, bool ordered) {
  Dims kept, reduced;
  for (int d = in.ndim - 1; d >= 0; --d) {
    const int64_t size = in.shape[d];
    if (size == 1) continue;
    if (outs[0].shape[d] == 1) {
      reduced.dims[reduced.count++] = {size, in.strides[d], {0, 0}};
    } else {
      kept.dims[kept.count++] = {size, in.strides[d], {outs[0].strides[d], outs[out_count - 1].strides[d]}};
    }
  }
  kept.sort();
  if (!ordered) reduced.sort();
  for (int d = 0; d < kept.count; ++d) plan.kept.add(kept.dims[d]);
  for (int d = 0; d < reduced.count; ++d) plan.reduced.add(reduced.dims[d]);
  if (plan.kept.count == 0 || plan.kept.total == 0) return;
  const Dim& lane = plan.kept.dims[0];
  const Dim* row = plan.reduced.count > 0 ? &plan.reduced.dims[0] : nullptr;
  if (!row || std::llabs(lane.in) < std::llabs(row->in) || plan.reduced.total < 32) {
    plan.lanes = int(lane.size < max_tile ? lane.size : max_tile);
    plan.leaf = leaf_rows;
    if (row && lane.in == 1 && row->in == lane.size)
      while (plan.leaf * 2 * plan.lanes <= leaf_elements) plan.leaf *= 2;
  }
}

// Takes the elements [begin, end) of the reduction into `s`, one call for each run along the innermost dimension.
template <class Op, class T>
void reduce_leaf(const Op& op, const ReducePlan& plan, const T* p, int lanes, int64_t begin, int64_t end, typename Op::State* s) {
  for (int k = 0; k < lanes; ++k) s[k] = op.identity();
  const Dims& r = plan.reduced;
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
      op.run(s[0], p + offset, n, stride, at);
    else
      op.rows(s, lanes, lane_stride, p + offset, n, stride, at);
    at += n;
  }
}

// The tree over the leaves of [begin, end): a stack of finished subtrees, like the digits of a binary counter.
template <class Op, class T>
void reduce_range(const Op& op, const ReducePlan& plan, const T* p, int lanes, int64_t begin, int64_t end,
                  typename Op::State* result) {
  using State = typename Op::State;
  if (end - begin <= plan.leaf) return reduce_leaf(op, plan, p, lanes, begin, end, result);
  int levels = 2;
  while ((plan.leaf << (levels - 2)) < end - begin) ++levels;
  State* stack = static_cast<State*>(__builtin_alloca(size_t(levels) * size_t(lanes) * sizeof(State)));
  int depth = 0;
  uint64_t leaves = 0;
  auto fold = [&] {
    --depth;
    State *a = stack + (depth - 1) * lanes, *b = stack + depth * lanes;
    for (int k = 0; k < lanes; ++k) op.merge(a[k], b[k]);
  };
  for (int64_t at = begin; at < end; at += plan.leaf) {
    const int64_t stop = at + plan.leaf < end ? at + plan.leaf : end;
    reduce_leaf(op, plan, p, lanes, at, stop, stack + depth * lanes);
    ++depth;
    ++leaves;
    for (uint64_t digit = leaves; (digit & 1) == 0; digit >>= 1) fold();
  }
  while (depth > 1) fold();
  for (int k = 0; k < lanes; ++k) result[k] = stack[k];
}

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

template <class Op, class T>
void reduce(const Op& op, const Array* outs, const Array& in) {
  using State = typename Op::State;
  if (in.ndim <= 1 && (in.ndim == 0 || outs[0].shape[0] == 1)) {
    // One short run needs no plan.
    const int64_t n = in.ndim ? in.shape[0] : 1;
    if (n <= leaf_elements) {
      State s = op.identity();
      op.run(s, reinterpret_cast<const T*>(in.data), n, in.ndim ? in.strides[0] : 1, 0);
      write_results<0>(op, outs[0], 0, 0, &s, 1);
      if constexpr (Op::outputs == 2) write_results<1>(op, outs[1], 0, 0, &s, 1);
      return;
    }
  }
  ReducePlan plan;
  plan_reduction(plan, outs, Op::outputs, in, Op::ordered);
  if (plan.kept.total == 0) return;
  const T* data = reinterpret_cast<const T*>(in.data);
  const int64_t lane_size = plan.lanes > 1 ? plan.kept.dims[0].size : 1;
  const int64_t blocks = (lane_size + plan.lanes - 1) / plan.lanes;
  const int64_t tiles = plan.lanes > 1 ? plan.kept.total / lane_size * blocks : plan.kept.total;
  const int64_t length = plan.reduced.total;

  struct Tile {
    int64_t in, out[2];
    int lanes;
  };
  auto locate = [&](int64_t t) {
    Tile tile{0, {0, 0}, 1};
    int d = 0;
    if (plan.lanes > 1) {
      const int64_t first = t % blocks * plan.lanes;
      t /= blocks;
      tile.lanes = int(lane_size - first < plan.lanes ? lane_size - first : plan.lanes);
      const Dim& lane = plan.kept.dims[0];
      tile.in = first * lane.in;
      for (int o = 0; o < 2; ++o) tile.out[o] = first * lane.out[o];
      d = 1;
    }
    for (; d < plan.kept.count; ++d) {
      const Dim& dim = plan.kept.dims[d];
      int64_t i = t;
      if (d + 1 < plan.kept.count) {
        i = t % dim.size;
        t /= dim.size;
      }
      tile.in += i * dim.in;
      for (int o = 0; o < 2; ++o) tile.out[o] += i * dim.out[o];
    }
    return tile;
  };
  auto finish = [&](const Tile& tile, const State* s) {
    const bool lanes = plan.lanes > 1;
    write_results<0>(op, outs[0], tile.out[0], lanes ? plan.kept.dims[0].out[0] : 0, s, tile.lanes);
    if constexpr (Op::outputs == 2)
      write_results<1>(op, outs[1], tile.out[1], lanes ? plan.kept.dims[0].out[1] : 0, s, tile.lanes);
  };

  int64_t chunk = plan.leaf;
  while (chunk * plan.lanes < work_grain) chunk *= 2;
  if (length <= 2 * chunk) {
    // Whole outputs to a thread.
    const int64_t cost = plan.lanes * length > 0 ? plan.lanes * length : 1;
    partition(tiles, cost >= work_grain ? 1 : work_grain / cost, [&](int64_t begin, int64_t end) {
      State s[max_tile];
      for (int64_t t = begin; t < end; ++t) {
        const Tile tile = locate(t);
        reduce_range(op, plan, data + tile.in, tile.lanes, 0, length, s);
        finish(tile, s);
      }
    });
    return;
  }
  // Long reductions: pieces of them to a thread. A piece is a power of two of leaves, so the tree stays the same.
  const int64_t chunks = (length + chunk - 1) / chunk;
  Scratch<State> partial(tiles * chunks * plan.lanes);
  partition(tiles * chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % chunks * chunk, last = first + chunk < length ? first + chunk : length;
      const Tile tile = locate(task / chunks);
      reduce_range(op, plan, data + tile.in, tile.lanes, first, last, partial.get() + task * plan.lanes);
    }
  });
  for (int64_t t = 0; t < tiles; ++t) {
    State* s = partial.get() + t * chunks * plan.lanes;
    const Tile tile = locate(t);
    for (int64_t width = 1; width < chunks; width *= 2)
      for (int64_t i = 0; i + width < chunks; i += 2 * width)
        for (int k = 0; k < tile.lanes; ++k) op.merge(s[i * plan.lanes + k], s[(i + width) * plan.lanes + k]);
    finish(tile, s);
  }
}

}  // namespace
}  // namespace rl::RL_ISA
