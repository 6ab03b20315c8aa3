// Asks a Vulkan loader and the driver behind it, and prints a line an answer: "question: answer".
// On a real machine and over the fake the lines must be the same.
//
//   vulkan_conformance LIBVULKAN [find]
//
// With "find" it ends when it has found the GPU or none.
// Structs are asked for by number, with room that was filled before: a word that was written is an
// answer, also of a struct that no header here knows. A question that may crash is asked in a
// process of its own; the first one loads nothing.
#include "vulkan_conformance.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kRoom = 4096, kWords = kRoom / 4, kExtensionNumbers = 640, kStructsOfOne = 12 };
static const uint32_t kUntouched = 0xa5a5a5a5;

PFN_vkGetInstanceProcAddr get_address;
VkInstance instance;
VkPhysicalDevice gpu;
static VkDevice device;
static const char* library = "libvulkan.so.1";

typedef struct Room {
  VkStructureType type;
  void* next;
  uint32_t words[kWords];
} Room;

// A driver writes through pointers in these, as many elements as a count before them says.
static int HasPointers(uint32_t type) {
  return type == 56 /* Vulkan 1.4 */ || type == 1000270001 /* host image copy */ ||
         type == 1000562003 /* layered APIs */;
}

static uint32_t Filling(uint32_t type) { return HasPointers(type) ? 0 : kUntouched; }

static void Fill(Room* room, uint32_t type) {
  room->type = (VkStructureType)type;
  room->next = NULL;
  for (int i = 0; i < kWords; ++i) room->words[i] = Filling(type);
}

// The UUID of a machine's GPU and its address are nobody's business: the first words of these.
static int IsIdentity(uint32_t type) {
  return type == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES ||
         type == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES ||
         type == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT;
}

static void PrintWritten(const char* what, Room* room) {
  int last = -1;
  for (int i = 0; i < kWords; ++i)
    if (room->words[i] != Filling((uint32_t)room->type)) last = i;
  if (last < 0) return;
  if (IsIdentity((uint32_t)room->type)) memset(room->words, 0, VK_UUID_SIZE);
  printf("%s %u:", what, (unsigned)room->type);
  for (int i = 0; i <= last; ++i) printf(" %x", room->words[i]);
  printf("\n");
}

static void PrintWords(const char* what, const void* from, size_t bytes) {
  const uint32_t* const words = from;
  for (size_t i = 0; i < bytes / 4; ++i) printf("%s[%zu]: %x\n", what, i, words[i]);
}

// Every number that an extension may have given a struct, and those of Vulkan 1.0 to 1.4.
static void AskStructs(const char* what, void (*ask)(Room*)) {
  static Room room;
  for (uint32_t number = 49; number < 60; ++number) {
    Fill(&room, number);
    ask(&room);
    PrintWritten(what, &room);
  }
  for (uint32_t extension = 0; extension < kExtensionNumbers; ++extension)
    for (uint32_t i = 0; i < kStructsOfOne; ++i) {
      Fill(&room, 1000000000 + extension * 1000 + i);
      ask(&room);
      PrintWritten(what, &room);
    }
}

static void AskProperties(Room* room) {
  VkPhysicalDeviceProperties2 all = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, room, {0}};
  ASK(vkGetPhysicalDeviceProperties2)(gpu, &all);
}

static void AskFeatures(Room* room) {
  VkPhysicalDeviceFeatures2 all = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, room, {0}};
  ASK(vkGetPhysicalDeviceFeatures2)(gpu, &all);
}

static void AskMemory(Room* room) {
  VkPhysicalDeviceMemoryProperties2 all = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, room, {0}};
  ASK(vkGetPhysicalDeviceMemoryProperties2)(gpu, &all);
}

VkResult CreateInstance(const char* layer, const char* extension, uint32_t version,
                        VkInstance* made) {
  VkApplicationInfo application = {
      VK_STRUCTURE_TYPE_APPLICATION_INFO, NULL, "a", 1, "b", 1, version};
  VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                               NULL,
                               0,
                               &application,
                               layer != NULL,
                               &layer,
                               extension != NULL,
                               &extension};
  return ((PFN_vkCreateInstance)get_address(NULL, "vkCreateInstance"))(&info, NULL, made);
}

VkResult CreateDevice(const char* extension, const void* next,
                      const VkPhysicalDeviceFeatures* features, uint32_t family, VkDevice* made) {
  const float priority = 1;
  VkDeviceQueueCreateInfo queue = {
      VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, NULL, 0, family, 1, &priority};
  VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                             next,
                             0,
                             1,
                             &queue,
                             0,
                             NULL,
                             extension != NULL,
                             &extension,
                             features};
  return ASK(vkCreateDevice)(gpu, &info, NULL, made);
}

static int Load(void) {
  void* const loaded = dlopen(library, RTLD_NOW);
  if (loaded == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 0;
  }
  get_address = (PFN_vkGetInstanceProcAddr)dlsym(loaded, "vkGetInstanceProcAddr");
  return 1;
}

static int InAChild(int (*ask)(int), int number, int* answer) {
  int ends[2], status = 0;
  fflush(stdout);
  if (pipe(ends) != 0) exit(3);
  const pid_t child = fork();
  if (child == 0) {
    const int said = ask(number);
    fflush(stdout);
    _exit(write(ends[1], &said, sizeof(said)) == sizeof(said) ? 0 : 1);
  }
  close(ends[1]);
  const int told = read(ends[0], answer, sizeof(*answer)) == sizeof(*answer);
  close(ends[0]);
  waitpid(child, &status, 0);
  if (!told) *answer = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return told;
}

static int (*asked)(int);
static int AskAnew(int number) {
  uint32_t one = 1;
  if (!Load() || CreateInstance(NULL, NULL, VK_API_VERSION_1_3, &instance) != VK_SUCCESS)
    return kNoQuestion;
  ASK(vkEnumeratePhysicalDevices)(instance, &one, &gpu);
  return asked(number);
}

int Apart(const char* what, int number, int (*ask)(int)) {
  int answer = 0;
  asked = ask;
  if (!InAChild(AskAnew, number, &answer))
    printf("%s %d: signal %d\n", what, number, answer);
  else if (answer != kNoQuestion)
    printf("%s %d: %d\n", what, number, answer);
  return answer != kNoQuestion;
}

static int FeatureAlone(int number) {
  VkPhysicalDeviceFeatures features = {0};
  VkBool32 on = VK_TRUE;
  memcpy((char*)&features + number * (int)sizeof(on), &on, sizeof(on));
  VkDevice made = VK_NULL_HANDLE;
  return CreateDevice(NULL, NULL, &features, 0, &made);
}

static int HasMemoryType(uint32_t type) {
  VkPhysicalDeviceMemoryProperties memory = {0};
  ASK(vkGetPhysicalDeviceMemoryProperties)(gpu, &memory);
  return type < memory.memoryTypeCount;
}

static int AllocateOf(uint32_t type, VkDeviceSize bytes) {
  VkDevice made = VK_NULL_HANDLE;
  if (!HasMemoryType(type)) return kNoQuestion;
  if (CreateDevice(NULL, NULL, NULL, 0, &made) != VK_SUCCESS) return 1000;
  VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, NULL, bytes, type};
  VkDeviceMemory memory = VK_NULL_HANDLE;
  return ASK(vkAllocateMemory)(made, &info, NULL, &memory);
}
static int AllocateAPage(int type) { return AllocateOf((uint32_t)type, 4096); }
static int AllocateTooMuch(int type) { return AllocateOf((uint32_t)type, 1ull << 40); }
static int AllocateMost(int type) { return AllocateOf((uint32_t)type, 1ull << 62); }

static int MapOf(int type) {
  VkDevice made = VK_NULL_HANDLE;
  if (!HasMemoryType((uint32_t)type)) return kNoQuestion;
  if (CreateDevice(NULL, NULL, NULL, 0, &made) != VK_SUCCESS) return 1000;
  VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, NULL, 4096, (uint32_t)type};
  VkDeviceMemory memory = VK_NULL_HANDLE;
  if (ASK(vkAllocateMemory)(made, &info, NULL, &memory) != VK_SUCCESS) return 1001;
  void* mapped = NULL;
  return ASK(vkMapMemory)(made, memory, 0, 4096, 0, &mapped);
}

enum { kRefusedCount = 3 };
static const char* const kRefused[kRefusedCount] = {"an unknown layer", "an unknown extension",
                                                    "a version of the future"};
static int RefusedInstance(int number) {
  VkInstance made = VK_NULL_HANDLE;
  return CreateInstance(number == 0 ? "VK_LAYER_none" : NULL, number == 1 ? "VK_none" : NULL,
                        number == 2 ? VK_MAKE_API_VERSION(0, 9, 0, 0) : VK_API_VERSION_1_3, &made);
}

static void AskBeforeAnInstance(void) {
  static const char* const kNames[] = {"vkCreateInstance",
                                       "vkEnumerateInstanceVersion",
                                       "vkEnumerateInstanceExtensionProperties",
                                       "vkCreateDevice",
                                       "vkEnumeratePhysicalDevices",
                                       "vkGetDeviceProcAddr",
                                       "vkNone"};
  for (size_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); ++i)
    printf("before an instance %s: %d\n", kNames[i], get_address(NULL, kNames[i]) != NULL);
  // Each in a process of its own: NVIDIA's driver does not live through being loaded again.
  for (int refused = 0; refused < kRefusedCount; ++refused) {
    int answer = 0;
    const int ended = InAChild(RefusedInstance, refused, &answer);
    printf("%s: %s%d\n", kRefused[refused], ended ? "" : "signal ", answer);
  }
}

static int FindGpu(void) {
  const VkResult made = CreateInstance(NULL, NULL, VK_API_VERSION_1_3, &instance);
  printf("instance: %d\n", made);
  if (made != VK_SUCCESS) return 0;
  uint32_t count = 0;
  const VkResult result = ASK(vkEnumeratePhysicalDevices)(instance, &count, NULL);
  printf("count: %d %u\n", result, count);
  if (result != VK_SUCCESS || count == 0) return 0;
  uint32_t none = 0, one = 1;
  printf("room for none: %d\n", ASK(vkEnumeratePhysicalDevices)(instance, &none, &gpu));
  printf("room for one: %d\n", ASK(vkEnumeratePhysicalDevices)(instance, &one, &gpu));
  return 1;
}

static void AskTheGpu(void) {
  VkPhysicalDeviceProperties properties;
  VkPhysicalDeviceFeatures features;
  VkPhysicalDeviceMemoryProperties memory = {0};
  ASK(vkGetPhysicalDeviceProperties)(gpu, &properties);
  printf("name: %s\n", properties.deviceName);
  printf("api, driver, vendor, device, type: %x %x %x %x %d\n", properties.apiVersion,
         properties.driverVersion, properties.vendorID, properties.deviceID, properties.deviceType);
  PrintWords("limits", &properties.limits, sizeof(properties.limits));
  PrintWords("sparse", &properties.sparseProperties, sizeof(properties.sparseProperties));
  ASK(vkGetPhysicalDeviceFeatures)(gpu, &features);
  PrintWords("features", &features, sizeof(features));
  ASK(vkGetPhysicalDeviceMemoryProperties)(gpu, &memory);
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
    printf("heap %u: %llu %x\n", i, (unsigned long long)memory.memoryHeaps[i].size,
           memory.memoryHeaps[i].flags);
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    printf("memory type %u: heap %u %x\n", i, memory.memoryTypes[i].heapIndex,
           memory.memoryTypes[i].propertyFlags);
  VkQueueFamilyProperties families[32];
  uint32_t count = 32;
  ASK(vkGetPhysicalDeviceQueueFamilyProperties)(gpu, &count, families);
  for (uint32_t i = 0; i < count; ++i)
    printf("queue family %u: %x %u %u\n", i, families[i].queueFlags, families[i].queueCount,
           families[i].timestampValidBits);
  static VkExtensionProperties extensions[1024];
  count = 1024;
  ASK(vkEnumerateDeviceExtensionProperties)(gpu, NULL, &count, extensions);
  for (uint32_t i = 0; i < count; ++i)
    printf("extension %s: %u\n", extensions[i].extensionName, extensions[i].specVersion);
}

static void AskFeaturesAndMemory(void) {
  for (int i = 0; i < (int)(sizeof(VkPhysicalDeviceFeatures) / sizeof(VkBool32)); ++i)
    Apart("a device with feature", i, FeatureAlone);
  for (int i = 0; Apart("a page of memory type", i, AllocateAPage); ++i) {
    Apart("a terabyte of memory type", i, AllocateTooMuch);
    Apart("4 exabytes of memory type", i, AllocateMost);
    Apart("mapped, of memory type", i, MapOf);
  }
}

static void AskFormats(void) {
  for (int format = 0; format < 185; ++format) {
    VkFormatProperties answer;
    ASK(vkGetPhysicalDeviceFormatProperties)(gpu, (VkFormat)format, &answer);
    printf("format %d: %x %x %x\n", format, answer.linearTilingFeatures,
           answer.optimalTilingFeatures, answer.bufferFeatures);
    for (int tiling = 0; tiling < 2; ++tiling) {
      VkImageFormatProperties image = {{0}, 0, 0, 0, 0};
      const VkResult result = ASK(vkGetPhysicalDeviceImageFormatProperties)(
          gpu, (VkFormat)format, VK_IMAGE_TYPE_2D, (VkImageTiling)tiling,
          VK_IMAGE_USAGE_SAMPLED_BIT, 0, &image);
      printf("image of format %d, tiling %d: %d %u %u %u %x\n", format, tiling, result,
             image.maxExtent.width, image.maxMipLevels, image.maxArrayLayers, image.sampleCounts);
    }
  }
}

static void AskADevice(void) {
  printf("an unknown extension of a device: %d\n", CreateDevice("VK_none", NULL, NULL, 0, &device));
  printf("a device: %d\n", CreateDevice(NULL, NULL, NULL, 0, &device));
  for (VkDeviceSize bytes = 1; bytes <= 1ull << 32; bytes *= 16) {
    VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               NULL,
                               0,
                               bytes,
                               VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
                               VK_SHARING_MODE_EXCLUSIVE,
                               0,
                               NULL};
    VkBuffer buffer = VK_NULL_HANDLE;
    const VkResult result = ASK(vkCreateBuffer)(device, &info, NULL, &buffer);
    VkMemoryRequirements needs = {0, 0, 0};
    if (result == VK_SUCCESS) ASK(vkGetBufferMemoryRequirements)(device, buffer, &needs);
    printf("a buffer of %llu: %d %llu %llu %x\n", (unsigned long long)bytes, result,
           (unsigned long long)needs.size, (unsigned long long)needs.alignment,
           needs.memoryTypeBits);
  }
}

enum { kNoLibrary, kNoGpu, kAGpu };
static int AskInOrder(int only_find) {
  if (!Load()) return kNoLibrary;
  AskBeforeAnInstance();
  if (!FindGpu() || only_find) return kNoGpu;
  AskTheGpu();
  AskFormats();
  AskStructs("properties", AskProperties);
  AskStructs("features", AskFeatures);
  AskStructs("memory", AskMemory);
  AskADevice();
  return kAGpu;
}

int main(int argc, char** argv) {
  int answer = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);  // a crash loses no answer
  if (argc > 1) library = argv[1];
  if (!InAChild(AskInOrder, argc > 2, &answer)) {
    printf("questions in order: signal %d\n", answer);
    return 1;
  }
  if (answer != kAGpu) return answer == kNoLibrary ? 2 : 0;
  AskFeaturesAndMemory();
  AskBadInput();
  return 0;
}
