// A fake GPU machine in a C++ test: say what is on it, run a scanner in it, hold what was seen against the matchers of
// matchers.h. Each call says what a key of a scenario file says and is read by the same reader; what is wrong in it is named
// with the line of your test.
#pragma once

#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "harness/evidence/evidence.h"
#include "harness/verdict/checks.h"

namespace gpustage {

// What came of one run.
struct Seen {
  Evidence evidence;
  std::string skipped;  // why this machine cannot run it, as a sentence for GTEST_SKIP(); "" when it could
  std::string error;    // what is wrong with the stage, with its line; "" when nothing is
};

// The first run of a process gives it a mount namespace of its own, so it must come before any thread is started.
class Stage {
 public:
  using Here = std::source_location;

  Stage();
  Stage(Stage&&) noexcept;
  ~Stage();

  // Of fixtures/devices and fixtures/layouts; layouts are laid over each other in this order.
  Stage& AddDevice(const std::string& profile, Here here = Here::current());
  Stage& AddLayout(const std::string& name, Here here = Here::current());

  // The tree, after the layouts, in the order of these calls. A mode is "0755"; "" leaves it as it comes.
  Stage& AddDirectory(const std::string& path, const std::string& mode = "", Here here = Here::current());
  Stage& AddFile(const std::string& path, const std::string& content, const std::string& mode = "", Here here = Here::current());
  Stage& AddLink(const std::string& path, const std::string& to, Here here = Here::current());
  // A fake by its name, "cudart-12", or a library of this machine by its absolute path.
  Stage& AddLibrary(const std::string& path, const std::string& source, Here here = Here::current());
  Stage& ChangeMode(const std::string& path, const std::string& mode, Here here = Here::current());
  Stage& Remove(const std::string& path, Here here = Here::current());

  Stage& SetEnv(const std::string& name, const std::string& value, Here here = Here::current());
  Stage& UnsetEnv(const std::string& name, Here here = Here::current());
  Stage& SetUser(const std::string& user, Here here = Here::current());

  // All else that a scenario can say, as its text: Add("machine", "{driver: 570.86.10, devices: [h100-80gb]}"). Lists and maps
  // go after what is there.
  Stage& Add(const std::string& key, const std::string& yaml, Here here = Here::current());

  // A scanner of fixtures/scanners, or a definition of your own by the path of its file; `args` come after its own. Every run
  // has a tree of its own.
  Seen Run(const std::string& scanner, const std::vector<std::string>& args = {}, Here here = Here::current()) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// A loss at this step, of the library whose path ends so; "": of any.
Check CheckLoses(const Evidence& evidence, Step step, const std::string& library);

}  // namespace gpustage
