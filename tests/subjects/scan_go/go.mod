module gpustage/scan

go 1.19
