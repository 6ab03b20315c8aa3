// A run written down by hand: what a box and its recorders would have left.
#pragma once

#include <link.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "harness/run/raw_run.h"
#include "tests/support/journal_bytes.h"

namespace gpustage {

// Each event comes a microsecond after the one before it. `object` is the loader's id of a library.
class HandMadeRun {
 public:
  HandMadeRun() {
    run_.start_ns = kStart;
    run_.journal_recorded = run_.loader_recorded = true;
  }
  HandMadeRun& Process(int pid, int parent, const std::string& executable, const std::string& words,
                       const std::string& environment = "A=1") {
    return Add(world::RecordKind::kProcess, pid, parent, 0, {executable, words, environment});
  }
  HandMadeRun& Search(int pid, uint64_t requester, const std::string& name,
                      uint32_t rule = LA_SER_ORIG) {
    return Add(world::RecordKind::kSearch, pid, static_cast<int64_t>(requester), rule, {name});
  }
  HandMadeRun& Load(int pid, uint64_t object, const std::string& path,
                    const std::string& build_id = "") {
    return Add(world::RecordKind::kObjectOpen, pid, static_cast<int64_t>(object), 0,
               {path, build_id});
  }
  HandMadeRun& Unload(int pid, uint64_t object) {
    return Add(world::RecordKind::kObjectClose, pid, static_cast<int64_t>(object), 0, {});
  }
  HandMadeRun& Symbol(int pid, uint64_t provider, const std::string& name) {
    return Add(world::RecordKind::kSymbol, pid, static_cast<int64_t>(provider), 0, {name});
  }
  HandMadeRun& SymbolAsked(int pid, int64_t handle, const std::string& name,
                           const std::string& version = "") {
    return Add(world::RecordKind::kSymbolAsked, pid, handle, 0, {name, version});
  }
  HandMadeRun& Binding(int pid, uint64_t provider, const std::string& function) {
    return Add(world::RecordKind::kBinding, pid, static_cast<int64_t>(provider), 0, {function});
  }
  HandMadeRun& Call(int pid, const std::string& function, int64_t result, int device = -1,
                    const std::string& arguments = "",
                    world::Fidelity fidelity = world::Fidelity::kModelled) {
    const bool fault = arguments.starts_with("fault: ");
    return Add(world::RecordKind::kCall, pid, result, static_cast<uint32_t>(fidelity),
               {function, fault ? "" : arguments, fault ? arguments : ""}, device);
  }
  HandMadeRun& Counts(int pid, const std::string& function, int count) {
    return Add(world::RecordKind::kCall, pid, 0, 0, {function, "", "", std::to_string(count)}, -1);
  }
  HandMadeRun& Note(int pid, const std::string& text) {
    return Add(world::RecordKind::kNote, pid, 0, 0, {text});
  }
  HandMadeRun& Prints(Stream stream, const std::string& bytes) {
    run_.output.push_back({time_ += 1000, stream, bytes});
    return *this;
  }
  HandMadeRun& Ends(Outcome outcome) {
    run_.outcome = std::move(outcome);
    return *this;
  }
  HandMadeRun& WithoutLoader() {
    run_.loader_recorded = false;
    return *this;
  }

  // What a process asked of the kernel.
  HandMadeRun& Asks(int pid, FileAct act, const std::string& path, int error = 0) {
    FileRecord record;
    record.act = act;
    record.path = path;
    record.answered = true;
    record.error = error;
    return Asks(pid, std::move(record));
  }
  HandMadeRun& Asks(int pid, FileRecord record) {
    record.time_ns = kStart + (time_ += 1000);
    record.pid = record.tid = pid;
    run_.files.recorded = true;
    run_.files.records.push_back(std::move(record));
    return *this;
  }

  operator RawRun() const {  // NOLINT: it is one
    RawRun run = run_;
    run.duration_ns = time_ + 1000;
    run.journal = JournalBytes(records_);
    return run;
  }

 private:
  HandMadeRun& Add(world::RecordKind kind, int pid, int64_t value, uint32_t detail,
                   const std::vector<std::string>& texts, int device = -1) {
    time_ += 1000;
    records_ += RecordBytes(
        {0, kind, 0, static_cast<uint64_t>(kStart + time_), pid, pid, value, device, detail, 0, 0},
        texts);
    return *this;
  }

  static constexpr int64_t kStart = 5'000'000'000;  // after boot
  RawRun run_;
  std::string records_;
  int64_t time_ = 0;
};

}  // namespace gpustage
