#include "harness/base/threads.h"

#include <atomic>
#include <new>
#include <stdexcept>

#include "tests/support/matchers.h"

namespace gpustage {
namespace {

TEST(Threads, EachCallsTheWorkOnce) {
  for (const int threads : {1, 2, 7}) {
    std::atomic<int> calls = 0;
    InThreads(threads, [&] { ++calls; });
    EXPECT_EQ(calls, threads);
  }
}

// An exception that leaves a thread would end the process (std::terminate).
TEST(Threads, WhatOneThrowsIsThrownOnceAllHaveEnded) {
  std::atomic<int> calls = 0, ended = 0;
  EXPECT_THROW(InThreads(4,
                         [&] {
                           if (++calls == 2) throw std::bad_alloc();
                           ++ended;
                         }),
               std::bad_alloc);
  EXPECT_EQ(ended, 3);
}

}  // namespace
}  // namespace gpustage
