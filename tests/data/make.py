#!/usr/bin/env python3
"""make.py - makes the project's own test data again: the same bytes each time.

    make.py [DIRECTORY]     below DIRECTORY, which is this one by default

Each directory beside this file that has a make.py makes its own files; data.t compares them with those that are committed.
"""
import glob
import os
import runpy
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else HERE
    for maker in sorted(glob.glob(os.path.join(HERE, "*", "make.py"))):
        name = os.path.basename(os.path.dirname(maker))
        os.makedirs(os.path.join(target, name), exist_ok=True)
        runpy.run_path(maker)["make"](os.path.join(target, name))


if __name__ == "__main__":
    main()
