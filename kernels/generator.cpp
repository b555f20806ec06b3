// The source of random numbers: the Mersenne Twister, its seeds, and its state as bytes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>

#include "random.h"

namespace rl {

void Generator::twist() {
  constexpr int shift = 397;
  auto mix = [](uint32_t u, uint32_t v) { return (((u & 0x80000000u) | (v & 0x7fffffffu)) >> 1) ^ (v & 1 ? 0x9908b0dfu : 0u); };
  for (int i = 0; i < words - shift; ++i) state[i] = state[i + shift] ^ mix(state[i], state[i + 1]);
  for (int i = words - shift; i < words - 1; ++i) state[i] = state[i + shift - words] ^ mix(state[i], state[i + 1]);
  state[words - 1] = state[shift - 1] ^ mix(state[words - 1], state[0]);
  left = words;
  next = 0;
}

void Generator::random_words(uint32_t* out, int64_t count) {
  while (count > 0) {
    if (left == 1) {
      twist();
      ++left;  // here `left` counts the draw that random() would have begun with
    }
    int64_t block = std::min<int64_t>(count, left - 1);
    for (int64_t i = 0; i < block; ++i) out[i] = temper(state[next + i]);
    left -= int32_t(block);
    next += uint32_t(block);
    out += block;
    count -= block;
  }
}

double Generator::normal() {
  if (next_double_normal) {
    double value = *next_double_normal;
    next_double_normal.reset();
    return value;
  }
  double angle = 2 * M_PI * uniform();
  double radius = std::sqrt(-2 * std::log1p(-uniform()));
  next_double_normal = radius * std::sin(angle);
  return radius * std::cos(angle);
}

void seed_generator(Generator* generator, uint64_t seed) {
  generator->initial_seed = seed;
  uint32_t* state = generator->state;
  state[0] = uint32_t(seed);
  for (uint32_t i = 1; i < Generator::words; ++i) state[i] = 1812433253u * (state[i - 1] ^ (state[i - 1] >> 30)) + i;
  generator->left = 1;
  generator->next = 0;
  generator->next_float_normal.reset();
  generator->next_double_normal.reset();
}

Generator* new_generator(uint64_t seed) {
  auto* generator = new Generator;
  seed_generator(generator, seed);
  return generator;
}

Generator* copy_generator(const Generator* generator) { return new Generator(*generator); }

void delete_generator(Generator* generator) { delete generator; }

uint64_t seed_generator_randomly(Generator* generator) {
  std::random_device entropy;
  uint64_t high = entropy();
  uint64_t seed = (high << 32 | entropy()) & ((uint64_t(1) << 53) - 1);
  seed_generator(generator, seed);
  return seed;
}

uint64_t initial_seed(const Generator* generator) { return generator->initial_seed; }

namespace {

// The byte layout of PyTorch's state tensor; every word of the twister takes eight bytes.
struct SavedState {
  uint64_t initial_seed;
  int32_t left;
  int32_t seeded;
  uint64_t next;
  uint64_t state[Generator::words];
  double normal_x;
  double next_double_normal;
  double normal_rho;
  int32_t has_double_normal;
  int32_t padding;
  float next_float_normal;
  uint8_t has_float_normal;
  uint8_t more_padding[3];
};
static_assert(sizeof(SavedState) == generator_state_size);

}  // namespace

void get_state(const Generator* generator, uint8_t* bytes) {
  SavedState saved = {};
  saved.initial_seed = generator->initial_seed;
  saved.left = generator->left;
  saved.seeded = 1;
  saved.next = generator->next;
  std::copy_n(generator->state, Generator::words, saved.state);
  saved.has_double_normal = generator->next_double_normal.has_value();
  saved.next_double_normal = generator->next_double_normal.value_or(0);
  saved.has_float_normal = generator->next_float_normal.has_value();
  saved.next_float_normal = generator->next_float_normal.value_or(0);
  std::memcpy(bytes, &saved, sizeof saved);
}

void set_state(Generator* generator, const uint8_t* bytes, int64_t size) {
  if (size != generator_state_size)
    throw std::runtime_error("Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be " +
                             std::to_string(size));
  SavedState saved;
  std::memcpy(&saved, bytes, sizeof saved);
  if (saved.seeded != 1 || saved.left <= 0 || saved.left > Generator::words || saved.next > Generator::words)
    throw std::runtime_error("Invalid mt19937 state");
  generator->initial_seed = saved.initial_seed;
  generator->left = saved.left;
  generator->next = uint32_t(saved.next);
  std::copy_n(saved.state, Generator::words, generator->state);
  generator->next_double_normal.reset();
  generator->next_float_normal.reset();
  if (saved.has_double_normal) generator->next_double_normal = saved.next_double_normal;
  if (saved.has_float_normal) generator->next_float_normal = saved.next_float_normal;
}

}  // namespace rl
