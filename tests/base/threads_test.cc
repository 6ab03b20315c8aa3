#include "harness/base/threads.h"

#include <array>
#include <atomic>
#include <new>
#include <thread>

#include "tests/support/matchers.h"

namespace gpustage {
namespace {

TEST(Threads, DoEachThingOnce) {
  for (const int threads : {1, 2, 7}) {
    std::array<std::atomic<int>, 40> calls = {};
    InThreads(threads, calls.size(), [&](size_t i) { ++calls[i]; });
    for (const std::atomic<int>& of : calls) EXPECT_EQ(of, 1);
  }
}

// An exception that leaves a thread would end the process (std::terminate).
TEST(Threads, WhatOneThrowsIsThrownOnceAllHaveEnded) {
  std::atomic<int> begun = 0, ended = 0;
  const auto work = [&](size_t i) {
    ++begun;
    if (i == 1) throw std::bad_alloc();
    while (begun < 2) std::this_thread::yield();
    ++ended;
  };
  EXPECT_THROW(InThreads(2, 100'000'000, work), std::bad_alloc);
  EXPECT_EQ(ended, begun - 1);
  EXPECT_LT(begun, 100'000'000) << "it went on behind the exception";
}

}  // namespace
}  // namespace gpustage
