// Result<T>: a T, or an Error that somebody outside can mend. A bug of ours is GPUSTAGE_CHECK
// instead.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gpustage {

// A place in a text that a user wrote. Lines and columns count from 1; columns count bytes.
struct SourcePos {
  std::string file;
  int line = 0;
  int column = 0;
  int length = 1;  // how many columns the caret line underlines

  friend bool operator==(const SourcePos&, const SourcePos&) = default;
};

// "scenarios/a.yaml:7:14".
std::string ToString(const SourcePos& pos);

// What went wrong, in a sentence for the user, and where in their text if it was there.
struct Error {
  std::string message;
  std::optional<SourcePos> pos = std::nullopt;

  friend bool operator==(const Error&, const Error&) = default;
};

struct Nothing {
  friend bool operator==(const Nothing&, const Nothing&) = default;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const T& operator*() const& { return std::get<0>(state_); }
  T& operator*() & { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  const T* operator->() const { return &std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Nothing>;
inline Status Ok() { return Nothing{}; }

// Aborts with file name and line. For our own bugs only, never for input. The name and not the
// path, which would tie an installed program to the machine that built it.
[[noreturn]] void CheckFailed(const char* file, int line, const char* what);

}  // namespace gpustage

#define GPUSTAGE_CHECK(condition) \
  ((condition) ? (void)0 : ::gpustage::CheckFailed(__FILE_NAME__, __LINE__, #condition))

// TRY(auto value, Call()) names the value or returns the error; TRY(Call()) is for a Status.
#define TRY(...) \
  GPUSTAGE_TRY_PICK(__VA_ARGS__, GPUSTAGE_TRY_ASSIGN, GPUSTAGE_TRY_STATUS)(__VA_ARGS__)
#define GPUSTAGE_TRY_PICK(a, b, name, ...) name
#define GPUSTAGE_TRY_JOIN2(a, b) a##b
#define GPUSTAGE_TRY_JOIN(a, b) GPUSTAGE_TRY_JOIN2(a, b)
#define GPUSTAGE_TRY_ASSIGN(declaration, expression) \
  GPUSTAGE_TRY_IMPL(GPUSTAGE_TRY_JOIN(try_, __LINE__), declaration, expression)
#define GPUSTAGE_TRY_IMPL(temporary, declaration, expression) \
  auto temporary = (expression);                              \
  if (!temporary.ok()) return std::move(temporary).error();   \
  declaration = *std::move(temporary)
#define GPUSTAGE_TRY_STATUS(expression)                                                         \
  do {                                                                                          \
    if (auto try_status = (expression); !try_status.ok()) return std::move(try_status).error(); \
  } while (false)
