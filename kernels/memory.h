// The caching allocator: blocks by size class, 64-byte aligned, kept for the next tensor of that size.
// Not thread-safe by itself: every caller holds Python's global lock. Kernels that need scratch memory use std::vector.
#pragma once

#include <cstdint>

namespace rl {

// nullptr where the system has no memory left (after everything cached was given back). `bytes` may be 0.
void* allocate(int64_t bytes);
// `bytes` as it was asked for.
void release(void* block, int64_t bytes);

struct MemoryStatistics {
  int64_t allocated;       // bytes now in use by storages
  int64_t cached;          // bytes kept for reuse
  int64_t peak;            // the most that was in use
  int64_t allocations;     // calls of allocate
};
MemoryStatistics memory_statistics();
void reset_peak_memory();
void empty_cache();
// Bytes kept at most for reuse; what is over goes back to the system.
void set_cache_limit(int64_t bytes);
int64_t cache_limit();

}  // namespace rl
