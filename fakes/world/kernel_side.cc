#include "fakes/world/kernel_side.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fakes/world/fault.h"
#include "fakes/world/journal.h"
#include "fakes/world/syscall.h"
#include "fakes/world/text.h"
#include "fakes/world/world.h"

namespace gpustage::world {
namespace {

constexpr long kFaccessAt2 = 439;  // since Linux 5.8; older headers have no name for it

long Open(const char* path, int flags, int mode = 0) {
  return SystemCall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path), flags | O_CLOEXEC, mode);
}

// The driver makes a missing node of its own where it may: as root, in a /dev that can be written.
void MakeNode(const char* path, const char* content) {
  const long file = SystemCall(SYS_geteuid) == 0 ? Open(path, O_RDWR | O_CREAT | O_EXCL, 0666) : -1;
  if (file < 0) return;
  SystemCall(SYS_fchmod, file, 0666);
  SystemCall(SYS_write, file, reinterpret_cast<long>(content), static_cast<long>(strlen(content)));
  SystemCall(SYS_close, file);
}

// Behind its name a node may say "errno 5" and "from_ms 500", a line each: how it fails, and from
// when on in a process.
int NumberBehind(const char* text, const char* word) {
  const char* at = strstr(text, word);
  int number = 0;
  for (at = at == nullptr ? "" : at + strlen(word); *at >= '0' && *at <= '9'; ++at)
    number = number * 10 + (*at - '0');
  return number;
}

Node Tell(const char* path, int number, Node node) {
  Append(RecordKind::kNode, number, -1, 0, {path});
  return node;
}

Node FailsWith(const char* path, int number, int* error) {
  if (error != nullptr) *error = number;
  return Tell(path, number, number == ENOENT ? Node::kMissing : Node::kFails);
}

Node Fails(const char* path, const char* said, int* error) {
  const int number = NumberBehind(said, "errno ");
  if (number == 0) return Node::kNotTheDevice;
  if (NumberBehind(said, "from_ms ") > MillisecondsOfProcess()) return Node::kThere;
  return FailsWith(path, number, error);
}

// One that no driver of NVIDIA's or AMD's is behind: open itself would fail so.
Node NotBehind(const char* path) { return Tell(path, ENXIO, Node::kNotTheDevice); }

// A call of ours and not of the driver's, which would open it. -errno, or 0.
long Unseen(long number, const char* path, long a, long b) {
  const long mark = OwnCallMark();
  return SystemCall(number, AT_FDCWD, reinterpret_cast<long>(path), a, b, 0, mark);
}

// A character device that cannot be opened, so that its numbers and its mode decide.
Node LookAtDevice(const char* path, const char* name) {
  struct stat found = {};
  long failure = Unseen(SYS_newfstatat, path, reinterpret_cast<long>(&found), 0);
  if (failure == 0 && !S_ISCHR(found.st_mode)) return NotBehind(path);
  if (failure == 0) {
    const DeviceNumber number = DeviceNumberOf(name);
    if (major(found.st_rdev) != number.major || minor(found.st_rdev) != number.minor)
      return NotBehind(path);
    failure = Unseen(kFaccessAt2, path, R_OK | W_OK, AT_EACCESS);
    if (failure == -ENOSYS) failure = Unseen(SYS_faccessat, path, R_OK | W_OK, 0);
  }
  if (failure == -EACCES || failure == -EPERM) return Tell(path, EACCES, Node::kRefused);
  if (failure != 0) return Tell(path, static_cast<int>(-failure), Node::kMissing);
  return Node::kThere;
}

Node Look(const char* path, const char* content, int* error) {
  const long file = Open(path, O_RDWR);
  if (file == -EACCES || file == -EPERM) return Node::kRefused;
  if (file == -ENOENT || file == -ENOTDIR || file == -ELOOP) return Node::kMissing;
  if (file < 0) return Node::kNotTheDevice;
  char found[128];
  const long read = SystemCall(SYS_read, file, reinterpret_cast<long>(found), sizeof(found) - 1);
  SystemCall(SYS_close, file);
  const size_t length = read < 0 ? 0 : static_cast<size_t>(read);
  found[length] = '\0';
  const size_t name = strlen(content);
  if (length < name || memcmp(found, content, name) != 0) return Node::kNotTheDevice;
  return length == name ? Node::kThere : Fails(path, found + name, error);
}

Node LookAtFile(const char* path, const char* name, bool may_make, int* error) {
  Text<64> content;
  content.Add(kNodeContent).Add(name).Add('\n');
  const Node found = Look(path, content.c_str(), error);
  if (found != Node::kMissing || !may_make) return found;
  MakeNode(path, content.c_str());
  return Look(path, content.c_str(), error);
}

// Each time is one open, which the scenario may have fail.
Node LookFor(const char* name, bool may_make, int* error = nullptr) {
  const World& world = Here();
  if (world.device_nodes[0] == '\0') return Node::kThere;
  Text<160> path;
  path.Add(world.device_nodes).Add('/').Add(name);
  const bool real = world.real_nodes != 0;
  const Node found =
      real ? LookAtDevice(path.c_str(), name) : LookAtFile(path.c_str(), name, may_make, error);
  if (found != Node::kThere) return found;
  Text<64> called;  // in /dev, wherever that is
  called.Add("/dev/").Add(name);
  if (const Fault* const fault = FaultFor(called.c_str(), -1); fault != nullptr)
    return FailsWith(path.c_str(), fault->code, error);
  return real ? Tell(path.c_str(), 0, found) : found;
}

// MIG slices and their board are one GPU.
bool IsOneGpu(int a, int b) {
  const Device& one = Here().devices[a];
  const Device& other = Here().devices[b];
  return a == b ||
         (one.mig != Mig::kOff && other.mig != Mig::kOff && one.pci_domain == other.pci_domain &&
          one.pci_bus == other.pci_bus && one.pci_device == other.pci_device);
}

}  // namespace

Node ControlNode(int* error) { return LookFor("nvidiactl", /*may_make=*/true, error); }
Node MemoryNode() { return LookFor("nvidia-uvm", /*may_make=*/true); }

Node NodeCalled(const char* name) { return LookFor(name, /*may_make=*/false); }

int NodeNumber(int place) {
  uint8_t places[kMaxDevices];
  const auto count = static_cast<int>(Here().device_count + Here().board_count);
  for (int i = 0; i < count; ++i) places[i] = static_cast<uint8_t>(i);
  SortByPci(Here(), places, count);
  int number = 0;
  for (int i = 0; i < count && !IsOneGpu(places[i], place); ++i)
    if (i + 1 == count || !IsOneGpu(places[i], places[i + 1])) ++number;
  return number;
}

uint32_t DevicesThere(bool* gone) {
  uint32_t there = 0;
  for (uint32_t place = 0; place < Here().device_count + Here().board_count; ++place) {
    Text<16> name;
    name.Add("nvidia").Decimal(NodeNumber(static_cast<int>(place)));
    int error = 0;
    if (LookFor(name.c_str(), /*may_make=*/true, &error) == Node::kThere) there |= 1u << place;
    if (gone != nullptr && (error == ENXIO || error == ENODEV)) *gone = true;
  }
  return there;
}

int Branch(const char* version) {
  int branch = 0;
  for (; *version >= '0' && *version <= '9'; ++version) branch = branch * 10 + (*version - '0');
  return branch;
}

KernelModule TheKernelModule() {
  const World& world = Here();
  if (world.kernel_driver[0] == '\0' || Equal(world.kernel_driver, world.driver_version))
    return KernelModule::kSame;
  return Branch(world.kernel_driver) < Branch(world.driver_version) ? KernelModule::kOlderBranch
                                                                    : KernelModule::kOther;
}

}  // namespace gpustage::world
