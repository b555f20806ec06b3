// One partition of work for every kernel. What a chunk is depends on the work alone, never on the number of threads,
// so the same bits come out for any thread count.
#pragma once

#include <cstdint>
#include <functional>

namespace rl {

int thread_count();
void set_thread_count(int count);

// The part of parallel_for that may use threads.
void parallel_chunks(int64_t total, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

// Calls body(begin, end) for the chunks [0, grain), [grain, 2*grain), ... of [0, total), in any order and on several
// threads; alone, on the caller's thread, where total <= grain or inside another parallel_for. The first exception is rethrown.
template <class Body>
inline void parallel_for(int64_t total, int64_t grain, const Body& body) {
  if (total <= grain) {
    if (total > 0) body(int64_t(0), total);
  } else {
    parallel_chunks(total, grain, std::cref(body));
  }
}

}  // namespace rl
