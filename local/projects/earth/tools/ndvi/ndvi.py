"""Adds a column `ndvi` to a CSV file with the columns `red` and `nir`: python ndvi.py IN.csv > OUT.csv"""
import csv
import sys


def ndvi(red, nir):
    total = nir + red
    return (nir - red) / total if total else 0.0


def main(path):
    with open(path, newline="") as handle:
        rows = csv.DictReader(handle)
        out = csv.DictWriter(sys.stdout, [*rows.fieldnames, "ndvi"])
        out.writeheader()
        for row in rows:
            row["ndvi"] = f"{ndvi(float(row['red']), float(row['nir'])):.4f}"
            out.writerow(row)


if __name__ == "__main__":
    main(sys.argv[1])
