// Where something stands in the text of a JSON document. A DOM has no positions, so the text is
// read once more, and only when there is something to complain of.
#pragma once

#include <string>

#include "harness/base/result.h"

namespace gpustage {

// Of the value that a JSON pointer (RFC 6901) names: "/cases/3/verdict". The first byte when there
// is none.
SourcePos PlaceOfPointer(const std::string& text, const std::string& file,
                         const std::string& pointer);
// Of the byte with this number, from 1.
SourcePos PlaceOfByte(const std::string& text, const std::string& file, size_t byte);

// A key as a part of a pointer.
std::string EscapedForPointer(const std::string& key);

}  // namespace gpustage
