// The names in braces of fixtures/logs/, filled with what this log says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/logs/weigh.h"

namespace gpustage {

// root, dir, backend, name (of the directory), major (of CUDA), as (who runs a command), version.
// dir is left out where the log does not say which directory it is.
std::map<std::string, std::string> PlacesOf(const LogReading& log);

// With all libraries and symbols that lines say of the cause, where there are several: "a and b".
std::map<std::string, std::string> WithAll(std::map<std::string, std::string> values,
                                           const std::vector<const LineFact*>& says,
                                           const LogCause& cause);

// {name} by its value, or "the name" where none is known; "[[, {name}]]" is left out then.
std::string Filled(const std::string& whole, const std::map<std::string, std::string>& values);

// The command of a look with the paths of this log; its second form where dir is not known, another
// where the log is not Ollama's. "" on Windows where none is known.
std::string CommandOf(const Look& look, const std::map<std::string, std::string>& places);
// The same of a cause; "" without a look.
std::string LookFor(const Knowledge& knowledge, const LogCause& cause,
                    const std::map<std::string, std::string>& places);

}  // namespace gpustage
