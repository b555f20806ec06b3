// A pool of threads that wait for work: awake for a moment after the last piece, since the next one often follows at once, then
// asleep. It is made at the first large piece of work, and again after a fork.
#include "threads.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace rl {
namespace {

using Body = std::function<void(int64_t, int64_t)>;

// To wake a thread takes about this long, so that is what waiting for work may cost at most.
constexpr std::chrono::microseconds patience{50};

// Waits until ready() with the processor busy, as long as patience lasts; whether it was.
template <class Ready>
bool spin(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      asm volatile("yield");
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

// Lives on the stack of the caller, who leaves only when no worker holds it.
class Job {
 public:
  std::exception_ptr error = nullptr;

  Job(const Body& body, int64_t total, int64_t grain, int threads)
      : body_(body), total_(total), grain_(grain), count_(std::min(threads, most)) {
    const int64_t chunks = (total + grain - 1) / grain;
    for (int i = 0; i < count_; ++i) {
      parts_[i].next.store(chunks * i / count_, std::memory_order_relaxed);
      parts_[i].end = chunks * (i + 1) / count_;
    }
  }

  // Each thread begins with a part of its own, so that it finds in its cache what it had there in the last job; then it helps
  // the others.
  void run(int thread) {
    for (int i = 0; i < count_; ++i) run_part(parts_[(thread + i) % count_]);
  }

 private:
  static constexpr int most = 16;
  struct alignas(64) Part {
    std::atomic<int64_t> next;
    int64_t end;
  };

  void run_part(Part& part) {
    for (;;) {
      const int64_t chunk = part.next.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= part.end) return;
      try {
        body_(chunk * grain_, std::min((chunk + 1) * grain_, total_));
      } catch (...) {
        std::lock_guard lock(error_mutex_);
        if (!error) error = std::current_exception();
        for (int i = 0; i < count_; ++i) parts_[i].next.store(parts_[i].end, std::memory_order_relaxed);
      }
    }
  }

  const Body& body_;
  const int64_t total_, grain_;
  const int count_;
  std::mutex error_mutex_{};
  Part parts_[most];
};

thread_local bool inside = false;

class Pool {
 public:
  // False where another thread's work has the pool: the caller then works alone.
  bool run(Job& job, int helpers) {
    std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner) return false;
    start(helpers);
    helpers = std::min(helpers, workers_);
    job_ = &job;
    finished_.store(0);
    open_.store(helpers);
    if (asleep_.load() > 0) {
      // Once the mutex was free, whoever is still counted as asleep hears the call.
      {
        std::lock_guard lock(mutex_);
      }
      for (int i = 0; i < helpers; ++i) wake_.notify_one();
    }
    inside = true;
    job.run(0);
    inside = false;
    const int joined = helpers - open_.exchange(0);
    const auto done = [&] { return finished_.load() == joined; };
    if (!spin(done)) {
      std::unique_lock lock(mutex_);
      waiting_.store(true);
      done_.wait(lock, done);
      waiting_.store(false);
    }
    return true;
  }

 private:
  void start(int count) {
    try {
      for (; workers_ < count; ++workers_) std::thread([this] { work(); }).detach();
    } catch (const std::system_error&) {
      // No more threads to be had; those that run, and the caller, do the work.
    }
  }

  void work() {
    inside = true;
    const auto called = [this] { return open_.load() > 0; };
    for (;;) {
      if (!spin(called)) {
        std::unique_lock lock(mutex_);
        ++asleep_;
        wake_.wait(lock, called);
        --asleep_;
      }
      int place = open_.load();
      while (place > 0 && !open_.compare_exchange_weak(place, place - 1)) {
      }
      if (place <= 0) continue;
      // From here to the count of the finished the job stays.
      job_->run(place);
      ++finished_;
      if (waiting_.load()) {
        {
          std::lock_guard lock(mutex_);
        }
        done_.notify_one();
      }
    }
  }

  std::mutex owner_, mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;  // read by who has taken a place
  int workers_ = 0;
  // Places for workers in the job, the workers that left it, the workers that sleep; and whether the caller sleeps.
  alignas(64) std::atomic<int> open_{0};
  alignas(64) std::atomic<int> finished_{0};
  std::atomic<int> asleep_{0};
  std::atomic<bool> waiting_{false};
};

// Never destroyed: its threads sleep in it until the process ends. A fork leaves the child without those threads, and
// perhaps with a locked mutex, so the child forgets the pool.
std::atomic<Pool*> pool{nullptr};
std::mutex making;

Pool& get_pool() {
  Pool* p = pool.load(std::memory_order_acquire);
  if (p) return *p;
  std::lock_guard lock(making);
  if (!pool.load()) {
    static const int registered = pthread_atfork(nullptr, nullptr, [] {
      pool.store(nullptr);
      inside = false;
    });
    (void)registered;
    pool.store(new Pool, std::memory_order_release);
  }
  return *pool.load();
}

int default_count() {
  for (const char* name : {"RUSHLIGHT_NUM_THREADS", "OMP_NUM_THREADS"})
    if (const char* value = std::getenv(name))
      if (const int count = std::atoi(value); count > 0) return count;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, int(std::thread::hardware_concurrency()));
}

std::atomic<int> count{0};

}  // namespace

int thread_count() {
  int n = count.load(std::memory_order_relaxed);
  if (n == 0) count.store(n = default_count(), std::memory_order_relaxed);
  return n;
}

void set_thread_count(int n) { count.store(std::max(n, 1), std::memory_order_relaxed); }

void parallel_chunks(int64_t total, int64_t grain, const Body& body) {
  const int64_t chunks = (total + grain - 1) / grain;
  const int helpers = inside ? 0 : int(std::min<int64_t>(thread_count(), chunks)) - 1;
  if (helpers > 0) {
    Job job(body, total, grain, helpers + 1);
    if (get_pool().run(job, helpers)) {
      if (job.error) std::rethrow_exception(job.error);
      return;
    }
  }
  for (int64_t begin = 0; begin < total; begin += grain) body(begin, std::min(begin + grain, total));
}

}  // namespace rl
