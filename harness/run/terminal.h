// The terminal that we are on, lent to a box. Inside stands a pair of our own, with a session and
// job control of its own; keys, output and the window's size are relayed.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "harness/base/result.h"
#include "harness/base/root.h"

namespace gpustage {

class Terminal {
 public:
  // An Error when stdin is no terminal, or no pair can be had. Once a process, before any thread is
  // started.
  static Result<Terminal> Borrow();
  Terminal(Terminal&& other) noexcept;
  // Ours is as it was before, however the box ended.
  ~Terminal();

  int inner() const { return inner_.get(); }  // becomes the controlling terminal of the box
  const std::string& inner_path() const { return inner_path_; }

  // Until nobody can write to `report` any more; returns what was written there. When our terminal
  // hangs up, or we are told to end, the box is killed.
  std::string Relay(int report, int box_pidfd);
  // The signal that ended it so.
  std::optional<int> ended_by() const { return ended_by_; }

 private:
  Terminal(Fd outer, Fd inner, std::string inner_path, Fd signals, const termios& before);
  void MakeRaw() const;
  void Restore() const;
  void PassSize() const;
  void TakeSignal(int box_pidfd);
  void TakeKeys(int box_pidfd);
  void PassKeys();
  bool PassOutput(int box_pidfd);  // false: there is no more
  void End(int signal, int box_pidfd);

  Fd outer_, inner_;
  std::string inner_path_;
  Fd signals_;
  termios before_;
  std::string keys_;  // typed, and not yet taken inside
  std::optional<int> ended_by_;
};

}  // namespace gpustage
