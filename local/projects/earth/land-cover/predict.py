"""Prints the land-cover class of one pixel: python predict.py B02 B03 B04 B08 (reflectance, 0 to 1)."""
import json
import pathlib
import sys

MODEL = json.loads(pathlib.Path(__file__).with_name("model.json").read_text())


def predict(pixel):
    def distance(name):
        return sum((a - b) ** 2 for a, b in zip(pixel, MODEL["centroids"][name]))

    return min(MODEL["centroids"], key=distance)


if __name__ == "__main__":
    print(predict([float(value) for value in sys.argv[1:5]]))
