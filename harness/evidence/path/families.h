// The kinds of library by which a program comes to a GPU, as data: how they are called, which
// function starts them, which counts, and whom they ask in turn.
#pragma once

#include <string>
#include <string_view>

namespace gpustage {

enum class Family {
  kNone,  // no library of a GPU
  kBackend,
  kRuntime,
  kBlas,
  kDriver,
  kManagement,
  kVulkanLoader,
  kVulkanDriver,
  kHip,
  kHsa,
  kSmi,
  kOpenCl,
  kLevelZero,
};

// By the name of a file, whatever version stands behind it: "libcuda.so.1" is the driver's.
Family FamilyOfLibrary(std::string_view base_name);
// By the name of a function that our fakes were called by: "cuInit" is the driver's.
Family FamilyOfFunction(std::string_view function);

// The family by which a backend of this name comes to its devices: the Vulkan loader for
// "libggml-vulkan.so". Of any other library its own.
Family StackOf(std::string_view base_name);

// "NVIDIA's driver"
std::string_view NameOf(Family family);

// Whether what a library of `family` is asked shows in calls of `function`: its own, or those of a
// library that it asks in turn.
bool Asks(Family family, std::string_view function);
bool AsksFamily(Family family, Family other);
// A function of the family that a scanner looks up first; of any other, one by its prefix.
bool IsEntryPoint(Family family, std::string_view symbol);
// A call whose failure is the end of a start, and whose success is a start.
bool Starts(Family family, std::string_view function);
bool Counts(std::string_view function);
// A library that is there to be loaded, and starts nothing by itself.
bool OnlyLoads(Family family);

}  // namespace gpustage
