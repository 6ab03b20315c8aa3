#include "harness/scenario/matrix/cells.h"

#include <algorithm>
#include <numeric>

namespace gpustage {

Cells::Cells(const Matrix& matrix) : matrix_(&matrix), by_name_(matrix.axes.size()) {
  std::iota(by_name_.begin(), by_name_.end(), size_t{0});
  std::sort(by_name_.begin(), by_name_.end(),
            [&](size_t a, size_t b) { return matrix.axes[a].name < matrix.axes[b].name; });
  if (matrix.pairwise) {
    covering_ = CoverPairs(matrix.rules, matrix.include, matrix.seed);
    rows_ = covering_->rows;
    return;
  }
  all_ = 1;
  for (const Axis& axis : matrix.axes) all_ *= axis.values.size();
  rows_ = matrix.include;
}

Row Cells::At(size_t number) const {
  if (number >= all_) return rows_[number - all_];
  Row row(matrix_->axes.size());
  for (size_t axis = row.size(); axis-- > 0;) {
    const size_t values = matrix_->axes[axis].values.size();
    row[axis] = static_cast<int>(number % values);
    number /= values;
  }
  return row;
}

std::string Cells::IdSuffix(const Row& row) const {
  std::string suffix;
  for (const size_t i : by_name_) {
    const Axis& axis = matrix_->axes[i];
    const std::string& label = axis.values[static_cast<size_t>(row[i])].label;
    if (axis.usual == label) continue;
    suffix += suffix.empty() ? '@' : ',';
    suffix.append(axis.name).append("=").append(label);
  }
  return suffix;
}

Cell Cells::Labels(const Row& row) const {
  Cell cell;
  for (size_t i = 0; i < row.size(); ++i)
    cell.emplace(matrix_->axes[i].name, matrix_->axes[i].values[static_cast<size_t>(row[i])].label);
  return cell;
}

}  // namespace gpustage
