#include "tests/fakes/stage.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "tests/fakes/recording.h"

namespace gpustage::fakes_test {
namespace {

using world::Device;
using world::Fault;
using world::JournalHeader;
using world::Record;
using world::World;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteAll(const std::string& path, const void* data, size_t size) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  if (!file) throw std::runtime_error("cannot write " + path);
}

template <size_t N>
void Copy(char (&to)[N], const std::string& from) {
  if (from.size() >= N) throw std::runtime_error("too long: " + from);
  memcpy(to, from.c_str(), from.size() + 1);
}

std::string ReadPipe(int pipe, int limit_ms, bool* ended) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  std::string text;
  for (*ended = false; !*ended;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting = {pipe, POLLIN, 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
    char buffer[4096];
    const ssize_t n = read(pipe, buffer, sizeof(buffer));
    if (n > 0)
      text.append(buffer, static_cast<size_t>(n));
    else
      *ended = true;
  }
  return text;
}

[[noreturn]] void Be(int pipe, const std::vector<Variable>& environment,
                     const std::function<void(std::ostream&)>& body) {
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "GGML_CUDA_INIT"})
    unsetenv(name);
  signal(SIGSEGV, SIG_DFL);             // a sanitizer's handler would turn a crash into an exit
  setenv("GGML_NO_BACKTRACE", "1", 1);  // ggml starts a debugger when it aborts
  for (const Variable& variable : environment)
    setenv(variable.name.c_str(), variable.value.c_str(), 1);
  std::ostringstream said;
  try {
    body(said);
  } catch (const std::exception& e) {
    said << "error: " << e.what() << '\n';
  }
  const std::string text = said.str();
  const ssize_t n = write(pipe, text.data(), text.size());
  _exit(n == static_cast<ssize_t>(text.size()) ? 0 : 99);
}

}  // namespace

FakeStage::FakeStage() : machine_storage_(1, EmptyMachine()), machine_(machine_storage_.data()) {
  std::string name = (std::filesystem::temp_directory_path() / "gpustage-fakes-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  directory_ = name;
  WriteJournal();
}

FakeStage::~FakeStage() { std::filesystem::remove_all(directory_); }

Fault& FakeStage::AddFault(const std::string& function, world::FaultAction action) {
  Fault& fault = machine_->faults[machine_->fault_count++];
  Copy(fault.function, function);
  fault.device = -1;
  fault.first_call = 1;
  fault.action = action;
  return fault;
}

std::string FakeStage::Place(const std::string& fake, const std::string& file) {
  return Stamp(fake, file, Path("world"));
}

std::string FakeStage::PlaceIn(const std::string& fake, const std::string& file,
                               const World& other) {
  const std::string world = Path("world-" + std::to_string(placed_ + 1));
  WriteWorld(world, other);
  return Stamp(fake, file, world);
}

std::string FakeStage::Read(const std::string& file) const { return ReadAll(Path(file)); }

std::string FakeStage::Stamp(const std::string& fake, const std::string& file,
                             const std::string& world) {
  std::string image = ReadAll(std::string(GPUSTAGE_FAKES_DIR) + "/" + fake + ".so");
  const std::string magic(world::kStampMagic, sizeof(world::kStampMagic));
  const size_t at = image.find(magic);
  if (at == std::string::npos || image.find(magic, at + 1) != std::string::npos)
    throw std::runtime_error(fake + " does not hold exactly one stamp");
  world::Stamp stamp = {};
  memcpy(stamp.magic, magic.data(), magic.size());
  stamp.instance = ++placed_;
  Copy(stamp.world, world);
  Copy(stamp.journal, Path("journal"));
  memcpy(image.data() + at, &stamp, sizeof(stamp));
  std::filesystem::create_directories(std::filesystem::path(Path(file)).parent_path());
  WriteAll(Path(file), image.data(), image.size());
  return Path(file);
}

void FakeStage::WriteWorld(const std::string& path, const World& machine) const {
  WriteAll(path, &machine, sizeof(machine));
}

void FakeStage::WriteJournal() const {
  std::string journal(sizeof(JournalHeader) + journal_capacity_, '\0');
  JournalHeader header = {};
  memcpy(header.magic, world::kJournalMagic, sizeof(header.magic));
  header.version = world::kJournalVersion;
  header.capacity = journal_capacity_;
  memcpy(journal.data(), &header, sizeof(header));
  WriteAll(Path("journal"), journal.data(), journal.size());
}

Outcome FakeStage::Run(const std::vector<Variable>& environment,
                       std::function<void(std::ostream&)> body, int limit_ms) {
  WriteWorld(Path("world"), *machine_);
  WriteJournal();
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) Be(ends[1], environment, body);
  close(ends[1]);
  Outcome outcome;
  bool ended = false;
  outcome.said = ReadPipe(ends[0], limit_ms, &ended);
  close(ends[0]);
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return outcome;
}

std::vector<CallRecord> FakeStage::Journal() const {
  const std::string journal = ReadAll(Path("journal"));
  std::vector<CallRecord> calls;
  for (size_t at = sizeof(JournalHeader); at + sizeof(Record) <= journal.size();) {
    Record record;
    memcpy(&record, journal.data() + at, sizeof(record));
    if (record.size == 0) break;
    CallRecord call;
    const char* text = journal.data() + at + sizeof(record);
    for (std::string* field : {&call.function, &call.arguments, &call.fault}) {
      if (record.texts <= static_cast<uint32_t>(field == &call.function    ? 0
                                                : field == &call.arguments ? 1
                                                                           : 2))
        break;
      *field = text;
      text += field->size() + 1;
    }
    call.result = record.value;
    call.device = record.device;
    call.pid = record.pid;
    call.instance = record.instance;
    call.fidelity = static_cast<world::Fidelity>(record.detail);
    if (record.kind == world::RecordKind::kCall) calls.push_back(call);
    at += record.size;
  }
  return calls;
}

std::vector<CallRecord> FakeStage::Calls(const std::string& function) const {
  std::vector<CallRecord> calls = Journal();
  std::erase_if(calls, [&](const CallRecord& call) { return call.function != function; });
  return calls;
}

uint64_t FakeStage::Dropped() const {
  const std::string journal = ReadAll(Path("journal"));
  JournalHeader header;
  memcpy(&header, journal.data(), sizeof(header));
  return header.dropped;
}

World EmptyMachine() {
  World machine = {};
  memcpy(machine.magic, world::kWorldMagic, sizeof(machine.magic));
  machine.version = world::kWorldVersion;
  machine.bytes = sizeof(World);
  machine.driver_cuda_version = 13000;
  Copy(machine.driver_version, "580.159.04");
  return machine;
}

Device PlainDevice(int number) {
  Device device = {};
  Copy(device.name, "NVIDIA Test " + std::to_string(number));
  for (int i = 0; i < 16; ++i) device.uuid[i] = static_cast<uint8_t>(0x10 * (number + 1) + i);
  device.pci_bus = static_cast<uint32_t>(number + 1);
  Copy(device.pci_bus_id, "0000:0" + std::to_string(number + 1) + ":00.0");
  device.cc_major = device.prop_cc_major = 9;
  device.sm_count = 132;
  device.memory_total = 80ull << 30;
  device.memory_free = 79ull << 30;
  // As a scenario's device has them: what it does not say is filled in, and known to be assumed.
  static const World h100 = RecordedMachine(kH100);
  memcpy(device.attributes, h100.devices[0].attributes, sizeof(device.attributes));
  memset(device.assumed, 0xff, sizeof(device.assumed));
  for (int32_t& figure : device.board) figure = world::kNoAttribute;
  for (const int derived : {16, 18, 33, 34, 50, 75, 76}) {
    device.attributes[derived] = world::kNoAttribute;
    device.assumed[derived / 8] &= static_cast<uint8_t>(~(1 << derived % 8));
  }
  return device;
}

void AddDevice(World& machine, const Device& device) {
  machine.devices[machine.device_count++] = device;
}

Library::Library(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW)) {
  if (handle_ == nullptr) throw std::runtime_error(dlerror());
}

void* Library::Find(const char* name) const {
  void* const found = dlsym(handle_, name);
  if (found == nullptr) throw std::runtime_error(dlerror());
  return found;
}

}  // namespace gpustage::fakes_test
