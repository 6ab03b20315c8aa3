// A fake GPU machine in a C++ test: say what is on it, run a scanner in it, hold what was seen
// against the matchers of matchers.h. Each call says what a key of a scenario file says and is read
// by the same reader. Nothing is done or checked before Run(); what is wrong is then named in
// RunResult::error, with the line of your test.
#pragma once

#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "gpustage/seen.h"

namespace gpustage {

// The first run of a process gives it a mount namespace of its own (and as an ordinary user a user
// namespace), and threads that are started later may run stages, too. Where threads were started
// before, each run is a process of its own: the program gpustage, which is installed beside this.
class Stage {
 public:
  using Here = std::source_location;  // never given: it is the line of the call

  Stage();
  Stage(Stage&&) noexcept;
  ~Stage();

  // A name of fixtures/devices, "h100-80gb"; a second call adds a second device, ordinals count
  // from 0.
  Stage& AddDevice(const std::string& profile, Here here = Here::current());
  // A name of fixtures/layouts, "nvidia-driver-debian"; laid over those before it.
  Stage& AddLayout(const std::string& name, Here here = Here::current());

  // The tree, after the layouts, in the order of these calls. Paths are absolute, inside the tree;
  // parents are made. A mode is 3 or 4 octal digits; "" leaves it as it comes: 0755 for a directory
  // or a library, 0644 for a file.
  Stage& AddDirectory(const std::string& path, const std::string& mode = "",
                      Here here = Here::current());
  Stage& AddFile(const std::string& path, const std::string& content, const std::string& mode = "",
                 Here here = Here::current());
  Stage& AddLink(const std::string& path, const std::string& to, Here here = Here::current());
  // A fake by its name (`cuda`, `nvml`, `cudart-12`: lib/gpustage/fakes), or a library of this
  // machine by its absolute path.
  Stage& AddLibrary(const std::string& path, const std::string& source,
                    Here here = Here::current());
  Stage& ChangeMode(const std::string& path, const std::string& mode, Here here = Here::current());
  Stage& Remove(const std::string& path, Here here = Here::current());

  // The environment of the scanner. Nothing of your test's own is in it; what a layout sets is.
  Stage& SetEnv(const std::string& name, const std::string& value, Here here = Here::current());
  Stage& UnsetEnv(const std::string& name, Here here = Here::current());
  // root, nobody, ollama, user, or a number from 0 to 65534; nobody when it is not said.
  Stage& SetUser(const std::string& user, Here here = Here::current());

  // All else that a scenario can say, as its text: Add("machine", "{driver: 570.86.10, devices:
  // [h100-80gb]}"). The keys are machine, layout, tree, env, user and working_directory. Lists and
  // maps go after what is there.
  Stage& Add(const std::string& key, const std::string& yaml, Here here = Here::current());

  // A scanner of fixtures/scanners by its name, or a definition of your own by the path of its
  // file, which ends in .yaml; `args` come after its own. Every run has a new tree, so a stage may
  // run often and be changed between runs.
  RunResult Run(const std::string& scanner, const std::vector<std::string>& args = {},
                Here here = Here::current()) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpustage
