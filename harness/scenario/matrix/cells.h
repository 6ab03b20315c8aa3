// cells: the cells of a matrix by number. All of them are never in memory: a number is the digits
// of a row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/matrix/covering.h"
#include "harness/scenario/matrix/matrix.h"

namespace gpustage {

class Cells {
 public:
  // `matrix` must outlive this.
  explicit Cells(const Matrix& matrix);

  // Numbers run from 0 up to this; not every one is a cell. The last axis runs fastest, `include`
  // comes last. With cover: pairwise, every number is one, and `include` comes first.
  size_t limit() const { return all_ + rows_.size(); }
  bool Has(size_t number) const {
    return number >= all_ || matrix_->rules.BrokenBy(At(number)) == nullptr;
  }
  Row At(size_t number) const;

  // "@cuda=12,link=chained", sorted; "" for the empty cell.
  std::string IdSuffix(const Row& row) const;
  // The row's labels by axis.
  Cell Labels(const Row& row) const;
  // With cover: pairwise only.
  const std::optional<Covering>& covering() const { return covering_; }

 private:
  const Matrix* matrix_;
  size_t all_ = 0;         // the numbers that are digits
  std::vector<Row> rows_;  // the others
  std::vector<size_t> by_name_;
  std::optional<Covering> covering_;
};

}  // namespace gpustage
