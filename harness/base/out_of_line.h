// The special members of a large value, written once. Otherwise every source that has one makes
// them anew, with those of all that it holds: half the time of such a source.
#pragma once

#define OUT_OF_LINE_MEMBERS(Type)   \
  Type();                           \
  Type(const Type&);                \
  Type(Type&&) noexcept;            \
  Type& operator=(const Type&);     \
  Type& operator=(Type&&) noexcept; \
  ~Type()

// In one source, in the namespace of the type.
#define DEFINE_OUT_OF_LINE_MEMBERS(Type)            \
  Type::Type() = default;                           \
  Type::Type(const Type&) = default;                \
  Type::Type(Type&&) noexcept = default;            \
  Type& Type::operator=(const Type&) = default;     \
  Type& Type::operator=(Type&&) noexcept = default; \
  Type::~Type() = default
