// A pool of sleeping threads. It is made at the first large piece of work, and again after a fork.
#include "threads.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace rl {
namespace {

using Body = std::function<void(int64_t, int64_t)>;

// Lives on the stack of the caller, who leaves only when no worker holds it.
struct Job {
  const Body& body;
  int64_t total, grain;
  int wanted;  // workers that may still join; guarded by Pool::mutex
  std::atomic<int64_t> next{0};
  std::exception_ptr error = nullptr;
  std::mutex error_mutex{};

  void run() {
    for (;;) {
      const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= total) return;
      try {
        body(begin, std::min(begin + grain, total));
      } catch (...) {
        std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        next.store(total, std::memory_order_relaxed);
      }
    }
  }
};

thread_local bool inside = false;

class Pool {
 public:
  // False where another thread's work has the pool: the caller then works alone.
  bool run(Job& job) {
    std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner) return false;
    std::unique_lock lock(mutex_);
    start(job.wanted);
    job.wanted = std::min(job.wanted, workers_);
    job_ = &job;
    const int wanted = job.wanted;
    lock.unlock();
    for (int i = 0; i < wanted; ++i) wake_.notify_one();
    inside = true;
    job.run();
    inside = false;
    lock.lock();
    job_ = nullptr;
    done_.wait(lock, [&] { return active_ == 0; });
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
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return job_ && job_->wanted > 0; });
      Job* job = job_;
      --job->wanted;
      ++active_;
      lock.unlock();
      job->run();
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  std::mutex owner_, mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  int workers_ = 0, active_ = 0;
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
    Job job{body, total, grain, helpers};
    if (get_pool().run(job)) {
      if (job.error) std::rethrow_exception(job.error);
      return;
    }
  }
  for (int64_t begin = 0; begin < total; begin += grain) body(begin, std::min(begin + grain, total));
}

}  // namespace rl
