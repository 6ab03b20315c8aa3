// What GPUSTAGE_CHECK does where one bug must not take the work of others with it.
#pragma once

namespace gpustage {

// While one lives, a check that fails in its thread throws std::logic_error and does not abort.
class BugsAreThrown {
 public:
  BugsAreThrown();
  BugsAreThrown(const BugsAreThrown&) = delete;
  ~BugsAreThrown();

 private:
  bool before_;
};

}  // namespace gpustage
