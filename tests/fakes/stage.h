// A directory with placed fakes, the world they answer from and the journal they write; and
// children that use them.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "fakes/world/format.h"

namespace gpustage::fakes_test {

// One record of the journal.
struct CallRecord {
  std::string function;
  std::string arguments;
  std::string fault;
  int64_t result = 0;
  int device = 0;
  int pid = 0;
  int instance = 0;
  world::Fidelity fidelity = world::Fidelity::kModelled;
};

struct Outcome {
  std::string said;     // what the child wrote
  int exit_status = 0;  // -1: it was killed
  int signal = 0;       // SIGKILL when it was still there after the limit
};

struct Variable {
  std::string name;
  std::string value;
};

class FakeStage {
 public:
  FakeStage();
  ~FakeStage();
  FakeStage(const FakeStage&) = delete;

  // One machine for all copies; written to the file when a child starts.
  world::World& machine() { return *machine_; }
  world::Fault& AddFault(const std::string& function, world::FaultAction action);
  void set_journal_capacity(uint64_t bytes) { journal_capacity_ = bytes; }

  // Copies a fake of this build, stamps it, and returns its path. `world`: the file it answers
  // from.
  std::string Place(const std::string& fake, const std::string& file);
  std::string PlaceIn(const std::string& fake, const std::string& file, const world::World& other);
  std::string Path(const std::string& file) const { return directory_ + "/" + file; }
  std::string Read(const std::string& file) const;

  // Runs `body` in a forked child and returns how that ended.
  Outcome Run(const std::vector<Variable>& environment, std::function<void(std::ostream&)> body,
              int limit_ms = 20000);
  Outcome Run(std::function<void(std::ostream&)> body) { return Run({}, std::move(body)); }

  std::vector<CallRecord> Journal() const;
  std::vector<CallRecord> Calls(const std::string& function) const;
  uint64_t Dropped() const;

 private:
  void WriteWorld(const std::string& path, const world::World& machine) const;
  std::string Stamp(const std::string& fake, const std::string& file, const std::string& world);
  void WriteJournal() const;

  std::string directory_;
  std::vector<world::World> machine_storage_;  // on the heap: it is large
  world::World* machine_;
  uint64_t journal_capacity_ = 1 << 20;
  uint32_t placed_ = 0;
};

// A device with a name, addresses and memory; its attributes are an H100's, assumed.
world::Device PlainDevice(int number);
void AddDevice(world::World& machine, const world::Device& device);
world::World EmptyMachine();

// dlopen with the reason in the exception, and typed lookup: FN(library, cuInit)(0).
class Library {
 public:
  explicit Library(const std::string& path);
  void* Find(const char* name) const;

 private:
  void* handle_;
};
#define FN(library, name) reinterpret_cast<decltype(&::name)>((library).Find(#name))

}  // namespace gpustage::fakes_test
