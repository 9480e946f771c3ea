// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_TESTS_FUZZING_H
#define PROCESSKIT_TESTS_FUZZING_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What each target defines: the function that libFuzzer calls, and well-formed inputs to begin
// with.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);
std::vector<std::string> seeds();

// A property that holds for every input.
#define FUZZ_CHECK(condition) \
  do { \
    if (!(condition)) \
      __builtin_trap(); \
  } while (false)

#endif // PROCESSKIT_TESTS_FUZZING_H
