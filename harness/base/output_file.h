// A file that the user named for what we write: a regular one is replaced when all is written, and
// what is anything else, a device, a FIFO, a pipe's descriptor, is written through.
#pragma once

#include <fstream>
#include <string>

#include "harness/base/result.h"

namespace gpustage {

class OutputFile {
 public:
  // Before anything runs: why it could not be written to; nothing is opened or changed.
  static Status Check(const std::string& path);
  // A link is followed; `append` adds to what a regular file has. "/dev/stdout" and "/dev/fd/N" are
  // the open descriptors.
  static Result<OutputFile> Open(const std::string& path, bool append);
  OutputFile(OutputFile&&) = default;
  // Without Close nothing has happened to a regular file.
  ~OutputFile();

  std::ostream& stream() { return out_; }
  // An Error when not all of it could be written; then a regular file is as it was.
  Status Close();

 private:
  OutputFile() = default;

  std::string path_;       // as the user said
  std::string target_;     // the file that is replaced; "": it is written in place
  std::string temporary_;  // beside it
  std::ofstream out_;
};

// "-", "/dev/stdout", "/dev/fd/1" and "/proc/self/fd/1".
bool IsStdout(const std::string& path);

}  // namespace gpustage
